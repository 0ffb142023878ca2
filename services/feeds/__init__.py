"""The home feed: reading it, rebuilding its cache, watching it live."""
