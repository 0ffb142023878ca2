"""Event logs: which outbox rows concern a viewer, in the order in which they were delivered. Pure: keys, entries, places.

A viewer who was live within the last 24 hours has a log of their own (`ev:{VIEWER}`), written together with the timeline; what
concerns nobody knows whom (pulled posts, followed hashtags, posts that others have shared, accounts) goes to one log for all
(`ev:shared`). An entry names a row of the outbox and says nothing that a reader relies on.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

SHARED_LOG = "ev:shared"
LOG_LENGTH = 1_000
"""Entries of a viewer's log that are kept, about: an hour at a post each 4 s, in 40 kB. Whoever is behind asks the truth."""
SHARED_LOG_LENGTH = 20_000
"""Of the log for all: every process reads it all the time, and it must last over a restart of one. About 1 MB."""
VIEWERS_BELL = "tidings:viewers"
"""The pub/sub channel on which a message says to whose logs something was added: `pack_ids`."""
SHARED_BELL = "tidings:shared"
"""The pub/sub channel on which an empty message says that something was added to the log for all."""


def log_key(viewer_id: int) -> str:
    """The viewer's own log; in one slot with the timeline."""
    return f"ev:{{{viewer_id}}}"


class LogPosition(NamedTuple):
    """The id of a stream's entry: milliseconds of the server's clock, and a sequence within them."""

    milliseconds: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.milliseconds}-{self.sequence}"

    @classmethod
    def parse(cls, text: str) -> LogPosition:
        """Raises ValueError for anything else."""
        milliseconds, sequence = text.split("-")
        return cls(int(milliseconds), int(sequence))


BEGINNING = LogPosition(0, 0)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An outbox row (`event_id`, written by transaction `transaction_id`) that concerns the log's viewers.

    `is_publication`: a post has appeared, and that is all; otherwise something that was there has changed or ended.
    """

    event_id: int
    transaction_id: int
    is_publication: bool

    def pack(self) -> str:
        """The entry's one field."""
        return f"{'p' if self.is_publication else 'c'}{self.event_id}:{self.transaction_id}"

    @classmethod
    def unpack(cls, text: str) -> LogEntry:
        """Raises ValueError for anything else."""
        event_id, transaction_id = text[1:].split(":")
        return cls(int(event_id), int(transaction_id), text[0] == "p")


@dataclass(frozen=True, slots=True)
class LogPlace:
    """How far the logs have been read: the server's run, the end in the viewer's own one and in the shared one."""

    run_id: str
    own: LogPosition
    shared: LogPosition


def pack_ids(ids: Collection[int]) -> bytes:
    """The message of a bell: 8 bytes an id, little-endian, so that messages can be joined."""
    return struct.pack(f"<{len(ids)}q", *ids)


def unpack_ids(message: bytes) -> tuple[int, ...]:
    """The ids of one message or of several joined ones. Raises ValueError for anything else."""
    if len(message) % 8:
        raise ValueError("not a list of ids")
    return struct.unpack(f"<{len(message) // 8}q", message)
