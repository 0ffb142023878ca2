"""What a process remembers of the truth, and how many requests ask at once whether it still holds."""
