"""`tidings queues`: what waits for workers, and what they could not do."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from app.cli.servers import DEFAULT_DATA_DIR, DataDir, with_servers
from settings import Settings

if TYPE_CHECKING:
    from db.waiting_rows import WaitingQueue, WaitingRow, WaitingTotals
    from services.backends import Backends

_MAX_DIGITS = 18
_EXCERPT = 160
"""Code points of an error that are shown to a person."""
Rows = Annotated[list[str] | None, typer.Argument(metavar="ROW…", help="Parked rows as `list` names them: outbox/12.")]
AllRows = Annotated[bool, typer.Option("--all", help="Everything that is parked.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Work = Callable[["Backends", "WaitingQueue", "Sequence[int] | None"], Awaitable[list[int]]]


def register(app: typer.Typer) -> None:
    queues = typer.Typer(no_args_is_help=True, help="What waits for workers, and what they could not do.")
    queues.command("list")(list_rows)
    queues.command("retry")(retry)
    queues.command("purge")(purge)
    app.add_typer(queues, name="queues")


def list_rows(
    only_parked: Annotated[bool, typer.Option("--parked", help="Only what was given up after too many failures.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many rows of each queue.")] = 20,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show open and parked rows: parked ones first, then the oldest."""

    async def work(settings: Settings) -> list[tuple[WaitingQueue, WaitingTotals, list[WaitingRow]]]:
        from bootstrap import open_backends
        from db.waiting_rows import WaitingQueue, count_waiting_rows, list_waiting_rows

        async with open_backends(settings, is_background=True) as backends, backends.database.reading() as session:
            return [
                (
                    queue,
                    await count_waiting_rows(session, queue),
                    await list_waiting_rows(session, queue, only_parked=only_parked, size=limit),
                )
                for queue in WaitingQueue
            ]

    found = with_servers(data_dir, "queues list", work)
    if as_json:
        typer.echo(json.dumps({queue.value: _as_json(queue, totals, rows) for queue, totals, rows in found}))
        return
    for queue, totals, rows in found:
        age = f", the oldest {totals.oldest_open_seconds:,.0f} s old" if totals.open else ""
        typer.echo(f"{queue.value}: {totals.open:,} open{age}; {totals.parked:,} parked")
        for row in rows:
            typer.echo(_as_line(queue, row))


def retry(
    rows: Rows = None, everything: AllRows = False, as_json: AsJson = False, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Have parked rows tried again, as if they had never failed."""

    async def retry_rows(backends: Backends, queue: WaitingQueue, ids: Sequence[int] | None) -> list[int]:
        from db.waiting_rows import retry_parked_rows

        async with backends.database.writing() as session:
            return await retry_parked_rows(session, queue, ids)

    _change("retry", rows, everything, retry_rows, data_dir, as_json=as_json, done="due again")


def purge(
    rows: Rows = None,
    everything: AllRows = False,
    is_sure: Annotated[bool, typer.Option("--yes", help="Without it nothing is given up.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Give parked rows up for good: whoever watches a feed is not told, nobody is notified.

    Feeds stay exact: the timelines that are concerned are made anew.
    """
    if not is_sure:
        _refuse("purge", "this cannot be undone: say --yes, or have them tried again by `tidings queues retry`", status=2)

    async def give_up(backends: Backends, queue: WaitingQueue, ids: Sequence[int] | None) -> list[int]:
        from services.waiting.give_up_parked_rows import give_up_parked_rows

        return await give_up_parked_rows(backends, queue, ids)

    _change("purge", rows, everything, give_up, data_dir, as_json=as_json, done="given up")


def _change(
    command: str, rows: list[str] | None, everything: bool, change: Work, data_dir: DataDir, *, as_json: bool, done: str
) -> None:
    if bool(rows) == everything:
        _refuse(command, "name rows, or give --all", status=2)
    named = {name: _parse(command, name) for name in rows or []}

    async def work(settings: Settings) -> list[str]:
        from bootstrap import open_backends
        from db.outbox import ring_relays
        from db.waiting_rows import WaitingQueue

        changed: list[str] = []
        async with open_backends(settings, is_background=True) as backends:
            for queue in WaitingQueue:
                ids = None if everything else [number for where, number in named.values() if where == queue.value]
                if ids is None or ids:
                    changed += [f"{queue.value}/{number}" for number in await change(backends, queue, ids)]
            async with backends.database.reading() as session:
                await ring_relays(session)
        return changed

    changed = with_servers(data_dir, f"queues {command}", work)
    unknown = [name for name, (where, number) in named.items() if f"{where}/{number}" not in changed]
    if as_json:
        typer.echo(json.dumps({"rows": changed, "unknown": unknown}))
    else:
        typer.echo(f"{len(changed):,} {'row is' if len(changed) == 1 else 'rows are'} {done}")
    if unknown:
        _refuse(command, f"not parked: {', '.join(unknown)}")


def _parse(command: str, name: str) -> tuple[str, int]:
    """(queue, number) of a row's name; ends the command where it is none."""
    where, _, digits = name.partition("/")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS
    if where not in {"outbox", "activities"} or not is_number:
        _refuse(command, f"no row is named so: {_printable(name)}", status=2)
    return where, int(digits)


def _as_json(queue: WaitingQueue, totals: WaitingTotals, rows: list[WaitingRow]) -> dict[str, Any]:
    return {
        "open": totals.open,
        "parked": totals.parked,
        "oldestOpenSeconds": round(totals.oldest_open_seconds, 1),
        "rows": [
            {
                "row": f"{queue.value}/{row.id}",
                "kind": row.kind,
                "accountId": str(row.actor_id),
                "subjectId": str(row.subject_id) if row.subject_id is not None else None,
                "createdAt": row.created_at.isoformat(),
                "nextAttemptAt": row.next_attempt_at.isoformat(),
                "failures": row.failures,
                "lastError": row.last_error,
                "parkedAt": row.parked_at.isoformat() if row.parked_at is not None else None,
            }
            for row in rows
        ],
    }


def _as_line(queue: WaitingQueue, row: WaitingRow) -> str:
    state = "open" if row.parked_at is None else "parked"
    subject = f" of {row.subject_id}" if row.subject_id is not None else ""
    failures = f", {row.failures} failures: {_printable(row.last_error or '')}" if row.failures else ""
    written = f"{row.created_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"  {queue.value}/{row.id} {state} {row.kind}{subject} by {row.actor_id}, {written}{failures}"


def _printable(text: str) -> str:
    """One line of it, without what a terminal obeys."""
    shown = "".join(character if character.isprintable() else " " for character in text[: _EXCERPT + 1])
    return shown if len(text) <= _EXCERPT else shown[:_EXCERPT] + "…"


def _refuse(command: str, reason: str, *, status: int = 1) -> NoReturn:
    typer.echo(f"tidings queues {command}: {reason}", err=True)
    raise typer.Exit(status)
