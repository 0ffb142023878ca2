"""What each subscriber has taken, against what was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.live.posting import Made
from bench.live.subscribers import Record
from bench.table import percentile, print_table


@dataclass(frozen=True, slots=True)
class Verdict:
    """`repeated`: taken more than once; `foreign`: never made; `disordered`: came behind a newer one of the same author."""

    record: Record
    missed: int
    repeated: int
    foreign: int
    disordered: int
    late_seconds: Sequence[float]

    @property
    def is_exact(self) -> bool:
        return not (self.missed or self.repeated or self.foreign or self.disordered or self.record.resets)


def judge(record: Record, made: Mapping[str, Made]) -> Verdict:
    """`made`: by global id, all that the subscriber had to get."""
    taken = set(record.posts)
    newest: dict[str, int] = {}
    disordered = 0
    for post in record.posts:
        if (one := made.get(post)) is not None:
            disordered += one.order < newest.get(one.author, -1)
            newest[one.author] = max(one.order, newest.get(one.author, -1))
    late = [at - made[post].answered_at for post, at in zip(record.posts, record.arrived, strict=True) if post in made]
    return Verdict(record, len(made.keys() - taken), len(record.posts) - len(taken), len(taken - made.keys()), disordered, late)


def print_verdicts(verdicts: Mapping[str, Verdict]) -> None:
    header = ["subscriber", "client", "connections", "cuts", "events", "missed", "repeated", "foreign", "disordered", "resets"]
    rows = []
    for name, one in verdicts.items():
        record = one.record
        counts = [record.connections, record.cuts, len(record.posts), one.missed, one.repeated, one.foreign, one.disordered]
        late = [f"{percentile(one.late_seconds, share):,.2f}" for share in (0.5, 0.99, 1)] if one.late_seconds else ["-"] * 3
        noted = " ".join(f"{kind}={count}" for kind, count in (record.errors + record.others).items())
        rows.append([name, record.client, *(f"{count:,}" for count in (*counts, record.resets)), *late, noted])
    print_table([*header, "p50 s", "p99 s", "max s", "errors and other events"], rows)
