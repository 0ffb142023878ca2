"""Hashtags: looking them up, following them, and the posts that name them."""
