"""What moderators do to accounts."""

from __future__ import annotations

from enum import Enum, auto


class ModerationChange(Enum):
    """SUSPEND: the account exists for nobody. SHADOW_BAN: for itself alone. RESTORE lifts both."""

    SUSPEND = auto()
    SHADOW_BAN = auto()
    RESTORE = auto()
