"""Every Redis key of the rebuildable part, in one place. A viewer's keys share one hash tag: one cluster slot."""

from __future__ import annotations


def timeline(viewer_id: int) -> str:
    """Sorted set: the viewer's home timeline with its marker inside."""
    return f"tl:{{{viewer_id}}}"
