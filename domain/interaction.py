"""How much a follower deals with somebody they follow: a number that grows with what they do and fades with time.

    score(t) = sum over everything done at t_i of  weight_i * 2 ** (-(t - t_i) / HALF_LIFE)

This is an exponentially decayed sum (G. Cormode, V. Shkapenyuk, D. Srivastava, B. Xu: Forward Decay: A Practical Time Decay
Model for Streaming Systems, ICDE 2009, section III). It needs no history: the score as of the last change, faded to now, plus
the new weight. The weights follow those of imported activity (a share 3, a reply 2): what costs more says more.

What an import brought stands as it is until the first thing done here, and fades from then on. Taking something back takes no
weight back: it fades like the rest.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.activities import ActivityKind

HALF_LIFE = timedelta(days=30)
WEIGHTS = {
    ActivityKind.LIKE: 1.0,
    ActivityKind.BOOKMARK: 1.5,
    ActivityKind.COMMENT: 2.0,
    ActivityKind.SHARE: 3.0,
}
"""A quote counts as a share."""


def faded_score(score: float, since: datetime | None, now: datetime) -> float:
    """The stored score as it is worth now. `since`: when it was written; None: imported, and nothing done since."""
    if since is None or now <= since:
        return score
    return float(score * 0.5 ** ((now - since) / HALF_LIFE))
