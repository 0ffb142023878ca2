"""Every pub/sub channel, in one place."""

NEW_POSTS = "tidings:new_posts"
"""The doorbell: something was delivered, look. The message says nothing that a listener relies on."""
