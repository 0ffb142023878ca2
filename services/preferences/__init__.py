"""What a viewer wants the home feed to be like."""
