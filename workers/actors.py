"""All actors. Importing this module binds them to the broker: what a worker does before it starts."""

from __future__ import annotations

from workers import counters, discovery, fan_out, media, notifications, upkeep

__all__ = ["counters", "discovery", "fan_out", "media", "notifications", "upkeep"]
