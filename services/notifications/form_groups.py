"""Brings what was done into the groups of those who are told. Their recipients are locked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from db.database import WriteSession
from db.notification_groups import (
    Joining,
    Withdrawal,
    begin_groups,
    grow,
    join_groups,
    load_current_groups,
    load_known_actors,
    move_to_top,
    withdraw,
)
from domain.notifications import Deed, GroupKey, KnownActor, Placing, place_deed


async def form_groups(session: WriteSession, done: Iterable[Deed], undone: Sequence[Withdrawal]) -> set[int]:
    """Those who have something new to read."""
    if undone:
        await withdraw(session, undone)
    deeds = _once_each(done)
    if not deeds:
        return set()
    known = await load_known_actors(session, deeds)
    current = await load_current_groups(session, {deed.key for deed in deeds})
    changes = _Changes()
    for number, deed in enumerate(deeds):
        changes.note(deed, known.get(number), current.get(deed.key))
    begun = await begin_groups(session, _sorted(changes.begun)) if changes.begun else {}
    if changes.placed:
        await join_groups(session, [_joining(deed, placing, begun) for deed, placing in changes.placed])
    moved = {group_id: changes.added[group_id] for group_id in changes.moved}
    if moved:
        await move_to_top(session, moved)
    grown = {group_id: added for group_id, added in changes.added.items() if added and group_id not in moved}
    if grown:
        await grow(session, grown)
    return {deed.key.recipient_id for deed, placing in changes.placed if placing.moves}


@dataclass(slots=True)
class _Changes:
    """What a batch does to groups: to new ones by their key, to others by their id."""

    placed: list[tuple[Deed, Placing]] = field(default_factory=list)
    begun: Counter[GroupKey] = field(default_factory=Counter)
    added: Counter[int] = field(default_factory=Counter)
    moved: set[int] = field(default_factory=set)

    def note(self, deed: Deed, known: KnownActor | None, current_group_id: int | None) -> None:
        placing = place_deed(deed, known, current_group_id)
        if placing is None:
            return
        self.placed.append((deed, placing))
        if placing.group_id is None:
            self.begun[deed.key] += 1
            return
        self.added[placing.group_id] += known is None or known.is_withdrawn or known.group_id != placing.group_id
        if placing.moves:
            self.moved.add(placing.group_id)


def _once_each(deeds: Iterable[Deed]) -> list[Deed]:
    """One for each actor and group: the newest comment, otherwise the last word."""
    found: dict[tuple[GroupKey, int], Deed] = {}
    for deed in sorted(deeds, key=lambda deed: (deed.comment_id or 0, deed.acted_at)):
        found[(deed.key, deed.actor_id)] = deed
    return list(found.values())


def _sorted(counts: Mapping[GroupKey, int]) -> dict[GroupKey, int]:
    """In an order that does not depend on hashes: the groups of one batch stand in the list as they do in every other."""
    ordered = sorted(counts, key=lambda key: (key.recipient_id, key.kind.value, key.post_id))
    return {key: counts[key] for key in ordered}


def _joining(deed: Deed, placing: Placing, begun: dict[GroupKey, int]) -> Joining:
    group_id = placing.group_id if placing.group_id is not None else begun[deed.key]
    return Joining(group_id, deed, placing.comment_id, placing.share_id, placing.acted_at)
