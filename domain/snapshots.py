"""PostgreSQL's transaction snapshots as plain values.

A snapshot `xmin:xmax:xip_list` (https://www.postgresql.org/docs/current/functions-info.html, `pg_snapshot`) says exactly which
transactions a statement saw. Comparing two of them gives exactly what was committed in between, whatever the order of ids:
that is what makes a live cursor free of gaps without a counter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Transactions below `xmin` are seen, from `xmax` on are not, and in between all but those `in_progress`."""

    xmin: int
    xmax: int
    in_progress: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Snapshot:
        """Of PostgreSQL's text form. Raises ValueError for anything else."""
        xmin, xmax, running = text.split(":")
        return cls(int(xmin), int(xmax), frozenset(int(part) for part in running.split(",") if part))

    def sees(self, transaction_id: int) -> bool:
        """Whether what the transaction wrote was visible."""
        if transaction_id < self.xmin:
            return True
        return transaction_id < self.xmax and transaction_id not in self.in_progress

    def without(self, transaction_ids: Iterable[int]) -> Snapshot:
        """The same, but blind to these transactions, as if they were still in progress."""
        hidden = {transaction_id for transaction_id in transaction_ids if self.sees(transaction_id)}
        in_progress = self.in_progress | hidden
        return Snapshot(min(self.xmin, *hidden) if hidden else self.xmin, self.xmax, frozenset(in_progress))

    def __str__(self) -> str:
        """PostgreSQL's text form."""
        return f"{self.xmin}:{self.xmax}:{','.join(map(str, sorted(self.in_progress)))}"
