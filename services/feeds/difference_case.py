"""One look at one viewer's feed: which rows are to be told, and what there was before them.

A client has been shown what its snapshot saw and what it was told since (`Moment.told`). Every other row is *pending*: undoing
the pending ones gives the feed that the client has. A row that is told takes all pending rows with it that concern the same
posts, so that of each post the client has always been told either everything or nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from db.change_rows import ChangeRow
from db.feed_changes import OTHER_PICTURES
from db.outbox import OutboxKind
from domain.preferences import FeedPreferences
from domain.records import PostRecord, Relation, UserRecord, Visibility
from domain.snapshots import Snapshot
from services.feeds.feed_cursors import Moment
from services.feeds.feed_events import FeedChange, FeedResetReason


@dataclass(frozen=True, slots=True)
class Look:
    """A question: what has changed in the viewer's feed since the moment?

    `event_ids`: the rows of the outbox that the viewer's logs name; None: whatever concerns the viewer since the moment.
    `only_publications`: nothing else is of interest, and nothing else was ever told.
    """

    viewer_id: int
    moment: Moment
    event_ids: Collection[int] | None
    only_publications: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """The answer. `reached`: where the viewer is when all changes are told; its `logs` are not filled in where it is a new
    place. `reset`: nothing else is told then; the client reads the feed again.

    `rows`: for each change the rows of the outbox that have been told when all changes with the very same set are;
    `transactions`: by which these were written. `is_plain`: publications alone, each told by its own row.
    """

    changes: Sequence[FeedChange]
    reached: Moment
    reset: FeedResetReason | None
    rows: Sequence[frozenset[int]] = ()
    transactions: Mapping[int, int] = field(default_factory=dict)
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class Present:
    """The snapshot that a look is answered from."""

    snapshot: str
    as_of: datetime


parse_snapshot = lru_cache(maxsize=10_000)(Snapshot.parse)


class Told:
    """What a moment says its client has been told."""

    __slots__ = ("_rows", "_seen")

    def __init__(self, moment: Moment) -> None:
        self._seen = parse_snapshot(moment.seen)
        self._rows = moment.told

    def holds(self, row: ChangeRow) -> bool:
        """Whether the client has been told of the row."""
        return self._seen.sees(row.transaction_id) or row.id in self._rows


@dataclass(slots=True, eq=False)
class Case:
    """A look under examination."""

    look: Look
    told: Told
    preferences: FeedPreferences
    named: dict[int, ChangeRow] = field(default_factory=dict)
    fresh: list[ChangeRow] = field(default_factory=list)
    """Named, but not yet followed to the posts that they touch."""
    roots: dict[int, set[int]] = field(default_factory=dict)
    """Posts that entries are about, with the rows that touch them."""
    reset: FeedResetReason | None = None
    relations_before: dict[int, Relation] = field(default_factory=dict)
    hashtags_before: dict[int, bool] = field(default_factory=dict)
    preferences_before: FeedPreferences | None = None
    _by_post: dict[int, list[ChangeRow]] = field(default_factory=dict)
    _by_account: dict[int, ChangeRow] = field(default_factory=dict)
    _first: dict[object, int] = field(default_factory=dict)

    @property
    def viewer_id(self) -> int:
        return self.look.viewer_id

    def name(self, row: ChangeRow) -> None:
        """The row is to be told, unless it has been."""
        if row.id in self.named or self.told.holds(row):
            return
        if self.look.only_publications and not row.is_publication:
            return
        self.named[row.id] = row
        self.fresh.append(row)
        if row.post_id is not None:
            self._by_post.setdefault(row.post_id, []).append(row)
        elif row.kind is OutboxKind.ACCOUNT_CHANGED:
            first = self._by_account.get(row.author_id)
            if first is None or row.id < first.id:
                self._by_account[row.author_id] = row
        elif row.before is not None:
            self._note_own(row.id, row.before)

    def touch(self, root_id: int, row_id: int) -> None:
        self.roots.setdefault(root_id, set()).add(row_id)

    def _note_own(self, row_id: int, before: Mapping[str, Any]) -> None:
        # The earliest pending row of a subject tells what the client knows of it.
        ((subject, value),) = before.items()
        key: object = subject
        if subject == "relation":
            key = subject, value["user_id"]
        elif subject == "hashtag":
            key = subject, value["id"]
        if self._first.get(key, row_id) < row_id:
            return
        self._first[key] = row_id
        if subject == "relation":
            self.relations_before[value["user_id"]] = relation_of(value)
        elif subject == "hashtag":
            self.hashtags_before[value["id"]] = value["followed"]
        elif subject == "preferences":
            shown = {name: value[name] for name in ("muted_words", "hide_shares") if name in value}
            self.preferences_before = FeedPreferences.from_settings(shown)

    # ---------------------------------------------------------------- what the client knows

    def pending(self, post_id: int) -> Sequence[ChangeRow]:
        """Rows of the post that are to be told."""
        return self._by_post.get(post_id, ())

    def publication(self, post_id: int) -> ChangeRow | None:
        """The row by which the post appears, where that is to be told."""
        return next((row for row in self.pending(post_id) if row.is_publication), None)

    def post_before(self, post: PostRecord) -> PostRecord | None:
        """The post as the client has it; None where it did not exist."""
        rows = self._by_post.get(post.id)
        if rows is None:
            return post
        if any(row.is_publication for row in rows):
            return None
        if any(row.kind is OutboxKind.POST_DELETED for row in rows):
            post = replace(post, is_deleted=False)
        edit = _first_edit(rows)
        if edit is not None:
            post = replace(post, text=edit["text"], visibility=Visibility(edit["visibility"]))
        return post

    def has_other_pictures(self, post_id: int) -> bool:
        """Whether what the client has of the post's pictures is no longer so."""
        return any(row.before and OTHER_PICTURES in row.before for row in self.pending(post_id))

    def hashtags_of_post_before(self, post_id: int, now: tuple[int, ...]) -> tuple[int, ...]:
        """The hashtags that the post named."""
        edit = _first_edit(self._by_post.get(post_id, ()))
        return tuple(edit["hashtag_ids"]) if edit is not None else now

    def author_before(self, user: UserRecord) -> UserRecord:
        row = self._by_account.get(user.id)
        return user if row is None or row.before is None else replace(user, **row.before)


def relation_of(noted: Mapping[str, Any]) -> Relation:
    """A relation as `db.feed_changes` noted it."""
    return Relation(**{name: state for name, state in noted.items() if name != "user_id"})


def _first_edit(rows: Sequence[ChangeRow]) -> Mapping[str, Any] | None:
    edits = [row for row in rows if row.before]
    return min(edits, key=lambda row: row.id).before if edits else None


def groups_of_rows(roots: Mapping[int, Collection[int]]) -> dict[int, frozenset[int]]:
    """For each post the rows that must be told together with those that touch it: whatever hangs together by posts or rows.

    One and the same set for all posts of a group.
    """
    holders: dict[int, set[int]] = {}
    of_post: dict[int, set[int]] = {}
    for root_id, row_ids in roots.items():
        joined = set(row_ids)
        for met in {id(holders[row_id]): holders[row_id] for row_id in row_ids if row_id in holders}.values():
            joined |= met
        for row_id in joined:
            holders[row_id] = joined
        of_post[root_id] = joined
    frozen: dict[int, frozenset[int]] = {}
    found: dict[int, frozenset[int]] = {}
    for root_id, row_ids in roots.items():
        group = holders[next(iter(row_ids))] if row_ids else of_post[root_id]
        if id(group) not in frozen:
            frozen[id(group)] = frozenset(group)
        found[root_id] = frozen[id(group)]
    return found
