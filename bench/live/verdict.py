"""What each subscriber has taken, against what was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.live.posting import Made
from bench.live.subscribers import Record
from bench.table import percentile, print_table

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """`repeated`: once for each time too many; `foreign`: never made; `disordered`: behind a newer one of the same author."""

    record: Record
    missed: Sequence[Made]
    repeated: Sequence[Made]
    foreign: Sequence[str]
    disordered: Sequence[Made]
    late_seconds: Sequence[float]

    @property
    def is_exact(self) -> bool:
        return not (self.missed or self.repeated or self.foreign or self.disordered or self.record.resets)


def judge(record: Record, made: Mapping[str, Made]) -> Verdict:
    """`made`: by global id, all that the subscriber had to get."""
    times = Counter(record.posts)
    newest: dict[str, int] = {}
    disordered = []
    for post in record.posts:
        if (one := made.get(post)) is not None:
            if one.order < newest.get(one.author, -1):
                disordered.append(one)
            newest[one.author] = max(one.order, newest.get(one.author, -1))
    return Verdict(
        record,
        missed=[one for post, one in made.items() if not times[post]],
        repeated=[made[post] for post, count in times.items() if post in made for _ in range(count - 1)],
        foreign=[post for post in times if post not in made],
        disordered=disordered,
        late_seconds=[
            at - made[post].answered_at for post, at in zip(record.posts, record.arrived, strict=True) if post in made
        ],
    )


def print_verdicts(verdicts: Mapping[str, Verdict], began: float) -> None:
    """A line for each; then what is wrong, by author. `began`: monotonic seconds, from which times are counted."""
    header = ["subscriber", "client", "connections", "cuts", "events", "missed", "repeated", "foreign", "disordered", "resets"]
    rows = []
    for name, one in verdicts.items():
        record = one.record
        counts = [record.connections, record.cuts, *map(len, (record.posts, one.missed, one.repeated, one.foreign))]
        late = [f"{percentile(one.late_seconds, share):,.2f}" for share in (0.5, 0.99, 1)] if one.late_seconds else ["-"] * 3
        noted = " ".join(f"{kind}={count}" for kind, count in (record.errors + record.others).items())
        numbers = [f"{count:,}" for count in (*counts, len(one.disordered), record.resets)]
        rows.append([name, record.client, *numbers, *late, noted])
    print_table([*header, "p50 s", "p99 s", "max s", "errors and other events"], rows)
    for name, one in verdicts.items():
        for fault, posts in (("missed", one.missed), ("repeated", one.repeated), ("disordered", one.disordered)):
            if posts:
                authors = ", ".join(f"{author} {count}" for author, count in Counter(post.author for post in posts).items())
                seconds = ", ".join(
                    f"{post.author} {post.order} at {post.answered_at - began:.1f} s" for post in posts[:_EXAMPLES]
                )
                print(f"{name} {fault}: {authors} ({seconds}, …)")
