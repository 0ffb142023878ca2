"""An account as bytes, and the rows that copies are made of. Instants are microseconds since 1970."""

from __future__ import annotations

from dataclasses import astuple, fields
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import orjson

from cache.changes import StampPlace
from domain.records import UserRecord

FORMAT = 2
"""Another version of the format, or of the record, is another number: what cannot be read is not there."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NAMES = [each.name for each in fields(UserRecord) if each.init]
_FIELDS = attrgetter(*_NAMES)
_CREATED = _NAMES.index("created_at")


def pack_account(user: UserRecord, place: StampPlace) -> bytes:
    """`place`: where the stamps stood before the account was read."""
    return orjson.dumps([FORMAT, astuple(place), user_row(user)])


def unpack_account(copy: bytes) -> tuple[UserRecord, StampPlace] | None:
    """None where another version wrote it."""
    version, place, row = orjson.loads(copy)
    return (to_user(row), StampPlace(*place)) if version == FORMAT else None


def user_row(user: UserRecord) -> list[Any]:
    row = list(_FIELDS(user))
    row[_CREATED] = to_micros(user.created_at)
    return row


def to_user(row: list[Any]) -> UserRecord:
    return UserRecord(*[*row[:_CREATED], to_instant(row[_CREATED]), *row[_CREATED + 1 :]])


def to_micros(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def to_instant(micros: int) -> datetime:
    return _EPOCH + micros * _MICROSECOND
