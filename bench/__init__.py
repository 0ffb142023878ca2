"""Measurements. No tests: each prints a small table and ends by itself."""
