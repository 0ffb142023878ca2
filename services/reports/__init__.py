"""Reports: what people think should not be here, and what moderators make of it."""
