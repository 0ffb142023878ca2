"""Typical reads, and ways to execute them."""
