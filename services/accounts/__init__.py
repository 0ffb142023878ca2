"""Accounts: provisioning, profiles, looking people up."""
