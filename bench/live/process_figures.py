"""What Linux, Redis and /metrics say of a process."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import httpx
from redis.asyncio import Redis

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """RSS."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1_024


def cpu_seconds(pid: int) -> float:
    """User and system time since the process began, of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def waiting_bytes(local_port: int, remote_port: int) -> int:
    """What the kernel holds to be sent over that loopback connection (not what the process itself holds)."""
    wanted = f":{local_port:04X}", f":{remote_port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(wanted[0]) and fields[2].endswith(wanted[1]):
            return int(fields[4].partition(":")[0], 16)
    return 0


async def metric(address: str, name: str) -> float | None:
    """The value of a metric without labels; None where there is none."""
    async with httpx.AsyncClient(base_url=address, timeout=10) as client:
        found = re.search(rf"^{name} ([0-9.e+-]+)$", (await client.get("/metrics")).text, re.MULTILINE)
    return float(found[1]) if found else None


async def redis_subscriptions(url: str) -> int:
    """Pub/sub subscriptions over all connections (`CLIENT LIST`)."""
    async with Redis.from_url(url) as redis:
        clients = await redis.client_list()
    return sum(int(client["sub"]) + int(client["psub"]) + int(client.get("ssub", 0)) for client in clients)


def family_cpu_seconds(pid: int) -> float:
    """Of a process, its children, and those of them that have ended: what a PostgreSQL has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    total = sum(int(field) for field in fields[11:15]) / _TICKS_PER_SECOND
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            total += cpu_seconds(int(child))
    return total


def cpu_microseconds(pid: int) -> float:
    """The same of threads that are alive, to the nanosecond: for what lasts milliseconds."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1_000
