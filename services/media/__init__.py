"""Pictures that people upload: taken, verified, cleaned, shown and collected."""
