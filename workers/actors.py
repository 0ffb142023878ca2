"""All actors. Importing this module binds them to the broker: what a worker does before it starts."""

from __future__ import annotations

from workers import counters, fan_out, notifications, upkeep

__all__ = ["counters", "fan_out", "notifications", "upkeep"]
