"""What moderators do."""
