"""All actors. Importing this module binds them to the broker: what a worker does before it starts."""

from __future__ import annotations

from workers import fan_out, media

__all__ = ["fan_out", "media"]
