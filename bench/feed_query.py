"""The feed query on one API process, beside its peers: `python -m bench.feed_query [--world DIR] [--seconds 5] [--rounds 3]`.

Makes a world (or uses the one in DIR), starts each variant as one process, checks that all give the same pages, and runs them
in turns: kept connections, on each request another viewer, `first: 20`. Writes a Markdown table and a plot. Read the ratios.

Processor time of each process (utime + stime of the whole tree) divided by answers is the first figure; requests a second and
latencies depend on what else the machine does. `--half` measures latencies once more, with requests arriving independently at
half of the rate that each variant has reached.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from app.stack.servers import EmbeddedServers
from bench.feed.kept_world import WorldError, kept_world
from bench.feed.load import LoadError, Run, run_load
from bench.feed.node_peers import make_ready
from bench.feed.report import Figures, median_figures, to_markdown, to_svg
from bench.feed.running import RunningVariant, running_variants
from bench.feed.same_pages import DifferentPagesError, check_same_pages
from bench.feed.variant import Variant
from bench.feed.variants import OWN_VARIANTS, TIDINGS, all_variants
from bench.feed.world_shape import DEFAULT, LARGE, SMALL, WorldSize

COMPARED_VIEWERS = 120
_WARMING_CONNECTIONS = 8
_WARMING_SECONDS = 2.0
_FAILURES_ALLOWED = 0.2
"""Share of answers that say UNAVAILABLE, as they do within two seconds where the machine is too busy; told with the figures."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, help="folder that keeps the world; left out: a temporary one")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--small", action="store_const", dest="size", const=SMALL, default=DEFAULT)
    size.add_argument("--large", action="store_const", dest="size", const=LARGE)
    parser.add_argument("--seconds", type=float, default=5.0, help="of one run of one variant")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--viewers", type=int, default=20_000, help="so many different ones ask, at random")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="variants by name; tidings is always there")
    parser.add_argument("--half", action="store_true", help="latencies at half of the maximal rate, too")
    parser.add_argument("--output", type=Path, default=Path("feed_query"), help="OUTPUT.md and OUTPUT.svg are written")
    options = parser.parse_args()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="tidings-bench-") as folder,
            kept_world(options.world or Path(folder) / "world", options.size) as servers,
        ):
            figures = measure(servers, options, Path(folder))
    except (WorldError, LoadError, DifferentPagesError) as error:
        raise SystemExit(str(error)) from None
    title = _title(options)
    options.output.with_suffix(".md").write_text(text := to_markdown(figures, title), encoding="utf-8")
    options.output.with_suffix(".svg").write_text(to_svg(figures, title), encoding="utf-8")
    print(text)


def measure(servers: EmbeddedServers, options: argparse.Namespace, folder: Path) -> list[Figures]:
    """Medians of the rounds, one a variant. Raises LoadError, DifferentPagesError."""
    variants = chosen_variants(options.only)
    make_ready(variants, servers.urls.database_url)
    with running_variants(variants, servers.urls, folder) as running:
        size: WorldSize = options.size
        print(f"{check_same_pages(running, size.users, count=COMPARED_VIEWERS):,} entries are the same everywhere", flush=True)
        viewers = range(1, 1 + min(size.users, options.viewers))
        requests = {one.variant.name: [one.variant.request(viewer) for viewer in viewers] for one in running}
        for one in running:
            _warm(one, requests[one.variant.name], options)
        runs: dict[str, list[Run]] = defaultdict(list)
        for number in range(options.rounds):
            for one in running if number % 2 == 0 else running[::-1]:
                runs[one.variant.name].append(_run(servers, one, requests[one.variant.name], options, seed=number))
                print(_line(one, runs[one.variant.name][-1]), flush=True)
        half: dict[str, list[Run]] = defaultdict(list)
        for number in range(options.rounds if options.half else 0):
            for one in running:
                rate = max(run.rate for run in runs[one.variant.name]) / 2
                found = _run(servers, one, requests[one.variant.name], options, seed=100 + number, rate=rate)
                half[one.variant.name].append(found)
                print(_line(one, found), "at half", flush=True)
    return [median_figures(one.variant, runs[one.variant.name], half[one.variant.name]) for one in running]


def chosen_variants(only: Sequence[str] | None) -> list[Variant]:
    """Tidings first. Raises SystemExit for a name that nobody has."""
    # What is not asked for is not installed either.
    found = OWN_VARIANTS if only and {variant.name for variant in OWN_VARIANTS} >= set(only) else all_variants()
    known = {variant.name: variant for variant in found}
    unknown = set(only or ()) - known.keys()
    if unknown:
        raise SystemExit(f"no variant is called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [variant for variant in known.values() if not only or variant is TIDINGS or variant.name in only]


def _warm(one: RunningVariant, requests: list[bytes], options: argparse.Namespace) -> None:
    """Tidings and the endpoints are asked for everybody's page, which fills what they keep; the others keep nothing.

    Four times: a process answers the first page for somebody the long way, renders parts of a record at its second use, and
    splices them from the third on.
    """
    for _ in range(4 if one.variant.keeps_pages else 0):
        run_load(one.port, requests, {}, connections=_WARMING_CONNECTIONS, once=True, failures_allowed=1.0)
    run_load(one.port, requests, {}, connections=options.connections, seconds=_WARMING_SECONDS, failures_allowed=1.0)


def _run(
    servers: EmbeddedServers,
    one: RunningVariant,
    requests: list[bytes],
    options: argparse.Namespace,
    *,
    seed: int,
    rate: float = 0.0,
) -> Run:
    pids = {"api": one.pid, "valkey": servers.pids["feeds"], "postgresql": servers.pids["postgres"]}
    return run_load(
        one.port,
        requests,
        pids,
        connections=options.connections,
        seconds=options.seconds,
        rate=rate,
        seed=seed,
        failures_allowed=_FAILURES_ALLOWED,
    )


def _line(one: RunningVariant, run: Run) -> str:
    cpu = ", ".join(f"{name} {value:,.0f}" for name, value in run.cpu_us.items())
    refused = f" ({run.failures} failed)" if run.failures else ""
    return f"{one.variant.name:>20}: {run.rate:,.0f}/s, p50 {run.p50_ms:.1f} ms, p99 {run.p99_ms:.1f} ms; µs: {cpu}{refused}"


def _title(options: argparse.Namespace) -> str:
    size: WorldSize = options.size
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{size.users:,} accounts, {size.posts:,} posts, {size.follows:,} follows, {size.pulled} pulled authors; "
        f"{min(size.users, options.viewers):,} of them ask; "
        f"{options.connections} connections, {options.rounds} rounds of {options.seconds:g} s; {os.cpu_count()} cores, "
        f"load of the machine {load}"
    )


if __name__ == "__main__":
    main()
