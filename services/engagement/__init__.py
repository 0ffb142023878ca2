"""Engagement: likes, comments and bookmarks, and the counters that follow from them."""
