"""Figures from /metrics, summed over labels."""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx

_LINE = re.compile(r"^(\w+)(?:\{(.*)\})? ([0-9.e+-]+|\+Inf|NaN)$", re.MULTILINE)
_BOUND = re.compile(r'le="([^"]+)"')


async def read_metrics(address: str) -> dict[str, float]:
    """By name, or `name<bound` for the buckets of histograms."""
    async with httpx.AsyncClient(base_url=address, timeout=10) as client:
        text = (await client.get("/metrics")).text
    found: dict[str, float] = {}
    for name, labels, value in _LINE.findall(text):
        bound = _BOUND.search(labels or "")
        key = f"{name}<{bound[1]}" if bound else name
        found[key] = found.get(key, 0.0) + float(value)
    return found


def histogram_share(before: Mapping[str, float], after: Mapping[str, float], name: str, share: float) -> float:
    """The smallest bucket bound that `share` (0 to 1) of what was observed between two readings does not exceed."""
    prefix = f"{name}_bucket<"
    grown = {float(key[len(prefix) :]): value - before.get(key, 0.0) for key, value in after.items() if key.startswith(prefix)}
    total = max(grown.values(), default=0.0)
    return min((bound for bound, count in grown.items() if total and count >= share * total), default=float("nan"))
