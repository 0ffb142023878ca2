"""What subscribers cost while nothing happens, and what is left when they have gone."""

from __future__ import annotations

import argparse
import asyncio

from bench.live.gathering import gathering
from bench.live.process_figures import metric, open_files, redis_subscriptions, resident_bytes
from bench.table import print_table

_WARM_READERS = 200
_SETTLE_SECONDS = 5.0
_AFTER_CLOSE_SECONDS = 30.0
_MAX_KB = 20.0
_LEFT_SHARE = 0.1
"""Of what the first wave took: what the allocator does not give back is used again by the second wave."""
_MORE_FILES = 10
_ARRIVAL_SECONDS = 120.0
_MEGABYTE = 1_024 * 1_024
_KILOBYTE = 1_024


async def measure_idle(options: argparse.Namespace) -> bool:
    """RSS of the API process for each idle subscriber."""
    count: int = options.readers
    async with gathering(readers=count, subscription=options.subscription, is_pulled=options.pulled) as live:
        pid = live.system.api_pid
        # What the process needs once, however many there are.
        await live.connect(_WARM_READERS)
        await live.wait_for([await live.post()], readers=_WARM_READERS, within_seconds=_ARRIVAL_SECONDS)
        await live.crowd.forget()
        await asyncio.sleep(_SETTLE_SECONDS)
        before = resident_bytes(pid)
        seconds = await live.connect(count)
        await asyncio.sleep(_SETTLE_SECONDS)
        idle = resident_bytes(pid)
        found = await live.wait_for([await live.post()], readers=count, within_seconds=_ARRIVAL_SECONDS)
        after_one = resident_bytes(pid)
    rows = [
        ["before", f"{before / _MEGABYTE:,.1f}", ""],
        ["idle", f"{idle / _MEGABYTE:,.1f}", f"{(idle - before) / count / _KILOBYTE:,.1f}"],
        ["after one event to all", f"{after_one / _MEGABYTE:,.1f}", f"{(after_one - before) / count / _KILOBYTE:,.1f}"],
    ]
    print(f"{count:,} subscribers of {options.subscription}, connected in {seconds:.1f} s; {found['complete']:,} had the event")
    print_table(["", "RSS, MB", "kB a subscriber"], rows)
    return (idle - before) / count <= _MAX_KB * _KILOBYTE and found["complete"] == count


async def measure_closes(options: argparse.Namespace) -> bool:
    """What is left of subscribers whose TCP connections were reset, twice: what grows with each wave is a leak."""
    count: int = options.readers
    rows = []
    async with gathering(readers=count, subscription=options.subscription, is_pulled=options.pulled) as live:
        system = live.system

        async def look(name: str) -> list[float]:
            figures = [
                resident_bytes(system.api_pid) / _MEGABYTE,
                float(open_files(system.api_pid)),
                await metric(system.address, "tidings_live_subscribers") or 0.0,
                float(await redis_subscriptions(system.urls.redis_url)),
            ]
            tasks = await metric(system.address, "tidings_event_loop_tasks")
            rows.append([name, *(f"{figure:,.0f}" for figure in figures), "-" if tasks is None else f"{tasks:,.0f}"])
            return figures

        await live.connect(_WARM_READERS)
        await live.crowd.forget()
        await asyncio.sleep(_SETTLE_SECONDS)
        start = await look("at the start")
        peaks, ends = [], []
        for wave in (1, 2):
            await live.connect(count)
            await live.wait_for([await live.post()], readers=count, within_seconds=_ARRIVAL_SECONDS)
            peaks.append(await look(f"wave {wave}: {count:,} subscribed"))
            await live.crowd.forget()
            await asyncio.sleep(_AFTER_CLOSE_SECONDS)
            ends.append(await look(f"{_AFTER_CLOSE_SECONDS:.0f} s after they were reset"))
        log = system.log_text
    print(f"abrupt closes of {count:,} subscribers of {options.subscription}")
    print_table(["", "RSS, MB", "open files", "subscriptions", "Redis subscriptions", "tasks"], rows)
    print(f"tracebacks in the log: {log.count('Traceback (')}")
    leaked = ends[1][0] - ends[0][0]
    print(f"left by the second wave: {leaked:,.1f} MB")
    has_let_go = leaked <= (peaks[0][0] - start[0]) * _LEFT_SHARE
    return has_let_go and start[2:] == ends[1][2:] and ends[1][1] <= start[1] + _MORE_FILES
