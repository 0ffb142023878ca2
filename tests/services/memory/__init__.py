"""What a process remembers."""
