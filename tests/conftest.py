"""Fixtures that every test may use. Nothing connects unless a test asks for it."""

from __future__ import annotations

pytest_plugins = ["tests.servers", "tests.databases", "tests.real_option"]
