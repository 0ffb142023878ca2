"""Who is asking: bearer tokens, verified against a development secret or the key set of an identity provider."""
