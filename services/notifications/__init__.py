"""What people are told of: forming groups from what others did, and reading them."""
