"""How hypothesis draws walks: each by itself, every number as likely as any other.

Its own way is made for inputs that break on special values: five of six examples are mixtures of parts of an earlier one. Walks
break on meetings of ordinary steps, and so many of them that repeating some finds less. Shortening stays hypothesis's own.
"""

from __future__ import annotations

from typing import Any

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

PLAIN_DRAWS = "tidings-plain"


class PlainDraws(HypothesisProvider):
    """Without the special values. The random numbers are those of the run's seed."""

    def _maybe_draw_constant(self, *_: Any, **__: Any) -> None:
        return None


AVAILABLE_PROVIDERS[PLAIN_DRAWS] = PlainDraws
