"""From an outbox row to the followers' timelines."""
