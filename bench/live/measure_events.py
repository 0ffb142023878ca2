"""How fast events go out, to how many, and whom a slow or a returning client keeps from theirs."""

from __future__ import annotations

import argparse
import asyncio
import time

from bench.live.gathering import Gathering, Posted, gathering
from bench.live.process_figures import cpu_seconds, resident_bytes, waiting_bytes
from bench.table import percentile, print_table, spread

_WARM_POSTS = 20
_MEGABYTE = 1_024 * 1_024
_ARRIVAL_SECONDS = 120.0
_EVENTS_PER_SECOND = 50_000
_ONE_EVENT_SECONDS = 0.06
_RESUMED_SECONDS = 20.0
_MISSED_POSTS = 20
_STALLED_POSTS_PER_SECOND = 50.0
_STALLED_SECONDS = 45.0
_STALLED_PADDING = 4_000
_STALLED_HELD_BYTES = 512 * 1_024
_WORSE_SHARE, _WORSE_SECONDS = 1.5, 0.025


async def _warm(live: Gathering, readers: int) -> None:
    await live.connect(readers)
    posted = await live.post_at_once(_WARM_POSTS, at_a_time=4)
    await live.wait_for(posted, readers=readers, within_seconds=_ARRIVAL_SECONDS)


async def measure_rate(options: argparse.Namespace) -> bool:
    """Events a second between the first and the last arrival, posts being made as fast as they are answered."""
    async with gathering(readers=options.readers, subscription=options.subscription, is_pulled=options.pulled) as live:
        await _warm(live, options.readers)
        cpu, crowd_cpu = cpu_seconds(live.system.api_pid), (await live.crowd.report())["cpu_seconds"]
        posted = await live.post_at_once(options.posts, at_a_time=8)
        answered = max(one.answered_at for one in posted)
        found = await live.wait_for(posted, readers=options.readers, within_seconds=_ARRIVAL_SECONDS)
        cpu = cpu_seconds(live.system.api_pid) - cpu
        crowd_cpu = (await live.crowd.report())["cpu_seconds"] - crowd_cpu
        arrivals = await live.crowd.arrivals(posted[0].number, posted[-1].number + 1)
    instants = [at for one in arrivals.values() for at in one]
    seconds, events = max(instants) - min(instants), len(instants)
    print(f"{options.posts:,} posts to {options.readers:,} subscribers of {options.subscription}")
    rows = [
        ["events", f"{events:,}"],
        ["events/s, first to last arrival", f"{events / seconds:,.0f}"],
        ["seconds, first to last arrival", f"{seconds:,.2f}"],
        ["… of them after the last answer", f"{max(instants) - answered:,.2f}"],
        ["API CPU, µs an event", f"{cpu / events * 1e6:,.1f}"],
        ["events a second of API CPU", f"{events / cpu:,.0f}"],
        ["subscribers' CPU, µs an event", f"{crowd_cpu / events * 1e6:,.1f}"],
        ["missed, repeated", f"{found['missed']:.0f}, {found['repeated']:.0f}"],
    ]
    print_table(["", ""], rows)
    return found["complete"] == options.readers and events / seconds >= _EVENTS_PER_SECOND


async def measure_one_event(options: argparse.Namespace) -> bool:
    """One event to all, now and then."""
    async with gathering(readers=options.readers, subscription=options.subscription, is_pulled=options.pulled) as live:
        await _warm(live, options.readers)
        posted: list[Posted] = []
        for _ in range(options.posts):
            posted.append(await live.post())
            await asyncio.sleep(0.5)
        found = await live.wait_for(posted, readers=options.readers, within_seconds=_ARRIVAL_SECONDS)
        arrivals = await live.crowd.arrivals(posted[0].number, posted[-1].number + 1)
    late = [at - one.answered_at for one in posted for at in arrivals[one.number]]
    last = [max(arrivals[one.number]) - one.answered_at for one in posted]
    width = [max(arrivals[one.number]) - min(arrivals[one.number]) for one in posted]
    print(f"{options.posts} posts one by one to {options.readers:,} subscribers of {options.subscription}, milliseconds")
    rows = [
        ["answer → each subscriber", *spread(late)],
        ["answer → last subscriber", *spread(last)],
        ["first → last subscriber", *spread(width)],
    ]
    print_table(["", "p50", "p99", "max"], rows)
    return found["complete"] == options.readers and percentile(late, 0.99) <= _ONE_EVENT_SECONDS


async def measure_resume(options: argparse.Namespace) -> bool:
    """All are cut at once, miss some posts, and come back at once."""
    async with gathering(readers=options.readers, subscription=options.subscription, is_pulled=options.pulled) as live:
        await _warm(live, options.readers)
        await live.crowd.cut()
        missed = await live.post_at_once(_MISSED_POSTS, at_a_time=4)
        began = await live.crowd.resume()
        found = await live.wait_for(missed, readers=options.readers, within_seconds=_ARRIVAL_SECONDS)
        seconds = found["last_at"] - began
        cpu = cpu_seconds(live.system.api_pid)
        again = [await live.post()]
        live_again = await live.wait_for(again, readers=options.readers, within_seconds=30)
        report = await live.crowd.report()
    print(f"{options.readers:,} subscribers of {options.subscription} cut, {_MISSED_POSTS} posts missed, all back at once")
    rows = [
        ["s until the last had all it had missed", f"{seconds:,.1f}"],
        ["subscribers that had", f"{found['complete']:,}"],
        ["… and the next post, live", f"{live_again['complete']:,}"],
        ["missed, repeated", f"{found['missed']:.0f}, {found['repeated']:.0f}"],
        ["API CPU since its start, s", f"{cpu:,.1f}"],
        ["refusals", " ".join(f"{code}={count}" for code, count in (report["closes"] | report["errors"]).items()) or "none"],
    ]
    print_table(["", ""], rows)
    return found["complete"] == live_again["complete"] == options.readers and seconds <= _RESUMED_SECONDS


async def measure_stalled(options: argparse.Namespace) -> bool:
    """One that never reads, among others: what they feel, and what is held for it."""
    async with gathering(readers=options.readers + 1, subscription=options.subscription, is_pulled=options.pulled) as live:
        await _warm(live, options.readers)
        pid, port = live.system.api_pid, live.system.port

        async def period() -> tuple[list[float], float]:
            """How late the others had their posts, and the most that the kernel held for the one."""
            posting = asyncio.create_task(
                live.post_steadily(rate=_STALLED_POSTS_PER_SECOND, seconds=_STALLED_SECONDS, padding=_STALLED_PADDING)
            )
            held = 0
            while not posting.done():
                held = max(held, waiting_bytes(port, stalled_port))
                await asyncio.sleep(0.25)
            posted = await posting
            await live.wait_for(posted, readers=options.readers, within_seconds=_ARRIVAL_SECONDS)
            return await live.lateness(posted), held

        stalled_port = 0
        without, _ = await period()
        rss = resident_bytes(pid)
        stalled_port = await live.crowd.stall(live.readers[options.readers].token)
        stalled_at = time.monotonic()
        with_one, held = await period()
        grown = resident_bytes(pid) - rss
        is_closed = waiting_bytes(port, stalled_port) == 0
        stalled_seconds = time.monotonic() - stalled_at
    print(f"{options.readers} subscribers of {options.subscription}, {_STALLED_POSTS_PER_SECOND:g} posts/s, milliseconds")
    print_table(["", "p50", "p99", "max"], [["without", *spread(without)], ["with one that never reads", *spread(with_one)]])
    print(f"held for it by the kernel: {held:,} bytes; the process grew by {grown / _MEGABYTE:,.1f} MB; ", end="")
    print(f"{'closed' if is_closed else 'still open'} after {stalled_seconds:.0f} s")
    before, after = percentile(without, 0.99), percentile(with_one, 0.99)
    return after <= max(before * _WORSE_SHARE, before + _WORSE_SECONDS) and held <= _STALLED_HELD_BYTES and is_closed
