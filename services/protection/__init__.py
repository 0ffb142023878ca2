"""What an open door needs: limits on use, rules for what is published, reports."""
