"""One effect a key: what a client sends again because it has not heard the answer is done once."""
