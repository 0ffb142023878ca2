"""The same feed by other means, one process each: what Tidings is compared with. None of it knows the product's rules."""
