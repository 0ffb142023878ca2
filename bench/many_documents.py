"""Memory while documents come that nobody has seen before: what is remembered of them is bounded.

    python -m bench.many_documents --parsed 100000 --seen 1000000 --compiled 10000

`parsed`: distinct documents, each parsed, validated and looked up by the compiler once, as the engine does. `seen`: keys that
the compiler alone is asked for, once each. `compiled`: distinct operations that come often enough to be compiled.
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from graphql import parse

from graphql_compiler import CompiledOperations
from schema.build import build_schema
from schema.documents import Documents
from tests.graphql_compiler.compare import find_operation

QUERY = "query {{ feed(first: 20) {{ edges {{ cursor node {{ a{0}: id text author {{ id username }} viewerHasLiked }} }} }} }}"
_PAGE = os.sysconf("SC_PAGE_SIZE")


def _resident_mb() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 1e6


def _take(name: str, count: int, take: Callable[[int], None]) -> None:
    """Tells memory after a tenth, when all bounds are reached, and at the end."""
    if not count:
        return
    began, marks = time.process_time(), {max(count // 10, 1), count}
    told = [f"{_resident_mb():.1f}"]
    for number in range(1, count + 1):
        take(number)
        if number in marks:
            told.append(f"{_resident_mb():.1f}")
    each = (time.process_time() - began) / count * 1e6
    print(
        f"{name:9} {count:9,}: {' -> '.join(told)} MB resident at the start, after a tenth, at the end; {each:.1f} µs CPU each",
        flush=True,
    )


def _phases(parsed: int, seen: int, compiled: int) -> Iterator[tuple[str, int, Callable[[int], None]]]:
    documents = Documents(has_introspection=False)
    operations = CompiledOperations(build_schema())

    def take_parsed(number: int) -> None:
        document = documents.get(QUERY.format(number))
        operations.find(QUERY.format(number), document.ast, document.operation(None), {})

    yield "parsed", parsed, take_parsed
    known = parse(QUERY.format(0))
    node = find_operation(known)

    def take_seen(number: int) -> None:
        operations.find(f"seen {number}", known, node, {})

    yield "seen", seen, take_seen

    def take_compiled(number: int) -> None:
        for _ in range(3):
            operations.find(f"compiled {number}", known, node, {})

    yield "compiled", compiled, take_compiled


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parsed", type=int, default=20_000)
    parser.add_argument("--seen", type=int, default=1_000_000)
    parser.add_argument("--compiled", type=int, default=5_000)
    options = parser.parse_args()
    for phase in _phases(options.parsed, options.seen, options.compiled):
        _take(*phase)
