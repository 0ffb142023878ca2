"""What this deployment does with media, and for how long."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from services.media.media_store import MediaStore

SLACK = timedelta(hours=1)
"""Behind the end of an address: whoever began to send in time may still finish."""
KEPT_UNSHOWN = timedelta(days=7)
"""A picture that no post and no profile has taken is kept so long."""
KEPT_REJECTED = timedelta(days=1)
"""So long its owner can see that it was rejected."""
KEPT_AVATAR = timedelta(days=1)
"""A former profile picture: pages that are open still show it."""


@dataclass(frozen=True, slots=True)
class MediaDesk:
    """`store`: None where this deployment takes no uploads. `upload_limit`: bytes. `upload_ttl`: of an address to send to."""

    store: MediaStore | None = None
    upload_limit: int = 10_000_000
    upload_ttl: timedelta = timedelta(minutes=15)
    decoders: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """Of this process, at a time: each may take more than a gigabyte."""
