"""The rules for what is published, one a file."""
