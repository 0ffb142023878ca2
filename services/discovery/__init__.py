"""Finding posts, people and hashtags that one does not know yet."""
