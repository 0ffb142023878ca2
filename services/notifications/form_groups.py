"""Brings what was done into the groups of those who are told. Their recipients are locked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from db.database import WriteSession
from db.notification_groups import (
    Joining,
    Withdrawal,
    begin_groups,
    join_groups,
    load_current_groups,
    load_known_actors,
    move_to_top,
    withdraw,
)
from domain.notifications import Deed, GroupKey, Placing, place_deed


async def form_groups(session: WriteSession, done: Iterable[Deed], undone: Sequence[Withdrawal]) -> set[int]:
    """Those who have something new to read."""
    if undone:
        await withdraw(session, undone)
    deeds = _once_each(done)
    if not deeds:
        return set()
    known = await load_known_actors(session, deeds)
    current = await load_current_groups(session, {deed.key for deed in deeds})
    placed: list[tuple[Deed, Placing]] = []
    for number, deed in enumerate(deeds):
        placing = place_deed(deed, known.get(number), current.get(deed.key))
        if placing is not None:
            placed.append((deed, placing))
    new_keys = {deed.key for deed, placing in placed if placing.group_id is None}
    begun = await begin_groups(session, _sorted(new_keys)) if new_keys else {}
    if placed:
        await join_groups(session, [_joining(deed, placing, begun) for deed, placing in placed])
    moved = {placing.group_id for _, placing in placed if placing.moves and placing.group_id is not None}
    if moved:
        await move_to_top(session, moved)
    return {deed.key.recipient_id for deed, placing in placed if placing.moves}


def _once_each(deeds: Iterable[Deed]) -> list[Deed]:
    """One for each actor and group: the newest comment, otherwise the last word."""
    found: dict[tuple[GroupKey, int], Deed] = {}
    for deed in sorted(deeds, key=lambda deed: (deed.comment_id or 0, deed.acted_at)):
        found[(deed.key, deed.actor_id)] = deed
    return list(found.values())


def _sorted(keys: Iterable[GroupKey]) -> list[GroupKey]:
    return sorted(keys, key=lambda key: (key.recipient_id, key.kind.value, key.post_id))


def _joining(deed: Deed, placing: Placing, begun: dict[GroupKey, int]) -> Joining:
    group_id = placing.group_id if placing.group_id is not None else begun[deed.key]
    return Joining(group_id, deed, placing.comment_id, placing.share_id, placing.acted_at)
