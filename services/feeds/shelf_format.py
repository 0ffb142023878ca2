"""A shelved page as bytes: compact JSON, deflated. Accounts, relations and posts stand once, entries refer to them.

Another version of the format, or of the records, is another FORMAT: what cannot be read is not there.
"""

from __future__ import annotations

import zlib
from dataclasses import astuple, dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson

from cache.changes import StampPlace
from domain.cursors import CursorSealer
from domain.engagement import ViewerMarks
from domain.feed import FeedDelivery, FeedEntry, FeedOrder, FeedReason, FeedReasonKind, FeedState, PageExtras
from domain.ids import created_at_of
from domain.media import MediaKind, MediaRecord, MediaState
from domain.records import (
    Delivery,
    HashtagRecord,
    LocationRecord,
    PostFacts,
    PostRecord,
    Relation,
    UserRecord,
    Visibility,
    VisiblePost,
)
from services.accounts.account_format import to_instant, to_micros, to_user, user_row
from services.feeds.feed_cursors import FeedPlace, seal_place

FORMAT = 2
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class ShelvedPage:
    """A first page as it was shown. `end`: the id down to which it is the whole feed; `floor`: above which."""

    database: str
    place: StampPlace
    as_of: datetime
    event_cursor: str
    order: FeedOrder
    state: FeedState
    has_more: bool
    end: int
    floor: int
    hides_seen: bool
    entries: list[FeedEntry]
    extras: PageExtras


def pack_page(page: ShelvedPage) -> bytes:
    parts = _Parts()
    entries = [
        [parts.add_post(entry.facts), parts.add_post(entry.facts.root), [parts.reason_row(reason) for reason in entry.reasons]]
        for entry in page.entries
    ]
    quoted = [
        [post_id, parts.add_post(PostFacts(found.post, found.author, found.relation)) if found is not None else None]
        for post_id, found in page.extras.posts.items()
    ]
    head = [page.database, astuple(page.place), to_micros(page.as_of), page.event_cursor, page.order, page.state]
    walk = [page.has_more, page.end, page.floor, page.hides_seen]
    parts.relations |= {user_id: _relation_row(relation) for user_id, relation in page.extras.relations.items()}
    marks = [[root_id, *astuple(done)] for root_id, done in page.extras.marks.items()]
    media = [[post_id, [astuple(one) for one in some]] for post_id, some in page.extras.media.items()]
    tags = [astuple(tag) for tag in page.extras.hashtags.values()]
    more = [quoted, list(page.extras.shared_roots.items()), tags, marks, media]
    people = [list(parts.users.values()), list(parts.relations.items()), list(parts.posts.values())]
    return bytes([FORMAT]) + zlib.compress(orjson.dumps([head, walk, people, entries, more]), _LEVEL)


def unpack_page(copy: bytes, sealer: CursorSealer, *, viewer_id: int, floor: int | None) -> ShelvedPage | None:
    """With cursors for a walk above `floor`, or above the page's own. None where another version wrote it."""
    if copy[:1] != bytes([FORMAT]):
        return None
    head, walk, people, entry_rows, more = orjson.loads(zlib.decompress(copy[1:]))
    database, place, as_of, event_cursor, order, state = head
    has_more, end, own_floor, hides_seen = walk
    users = {row[0]: to_user(row) for row in people[0]}
    relations = {user_id: _relation(row) for user_id, row in people[1]}
    posts = {row[0]: _post(row) for row in people[2]}

    def facts(post_id: int, root_id: int | None = None) -> PostFacts:
        post = posts[post_id]
        root = facts(root_id) if root_id is not None else None
        return PostFacts(post, users[post.author_id], relations[post.author_id], root)

    entries = [
        FeedEntry.of(
            seal_place(sealer, viewer_id, FeedPlace(post_id, own_floor if floor is None else floor)),
            facts(post_id, root_id),
            [
                FeedReason(FeedReasonKind(kind), FeedDelivery(delivery), [users[one] for one in named], count, tag)
                for kind, delivery, named, count, tag in reasons
            ],
        )
        for post_id, root_id, reasons in entry_rows
    ]
    quoted = {post_id: facts(found) if found is not None else None for post_id, found in more[0]}
    return ShelvedPage(
        database=database,
        place=StampPlace(*place),
        as_of=to_instant(as_of),
        event_cursor=event_cursor,
        order=FeedOrder(order),
        state=FeedState(state),
        has_more=has_more,
        end=end,
        floor=own_floor,
        hides_seen=hides_seen,
        entries=entries,
        extras=PageExtras(
            posts={post_id: VisiblePost(it.post, it.author, it.relation) if it else None for post_id, it in quoted.items()},
            shared_roots=dict(more[1]),
            marks={root_id: ViewerMarks(*done) for root_id, *done in more[3]},
            hashtags={row[0]: HashtagRecord(*row) for row in more[2]},
            relations=relations,
            media={post_id: [_media(row) for row in rows] for post_id, rows in more[4]},
        ),
    )


def _media(row: list[Any]) -> MediaRecord:
    media_id, owner_id, kind, state, *rest = row
    return MediaRecord(media_id, owner_id, MediaKind(kind), MediaState(state), *rest)


@dataclass
class _Parts:
    """What entries refer to, by id."""

    users: dict[int, list[Any]] = field(default_factory=dict)
    relations: dict[int, list[Any]] = field(default_factory=dict)
    posts: dict[int, list[Any]] = field(default_factory=dict)

    def add_post(self, facts: PostFacts | None) -> int | None:
        if facts is None:
            return None
        self.add_user(facts.author)
        self.relations[facts.author.id] = _relation_row(facts.relation)
        self.posts[facts.post.id] = _post_row(facts.post)
        return facts.post.id

    def add_user(self, user: UserRecord) -> int:
        if user.id not in self.users:
            self.users[user.id] = user_row(user)
        return user.id

    def reason_row(self, reason: FeedReason) -> list[Any]:
        named = [self.add_user(user) for user in reason.users]
        return [reason.kind, reason.delivery, named, reason.user_count, reason.hashtag_id]


def _relation_row(relation: Relation) -> list[Any]:
    row = list(_RELATION(relation))
    row[_MUTED_UNTIL] = to_micros(relation.muted_until) if relation.muted_until is not None else None
    return row


def _relation(row: list[Any]) -> Relation:
    until = row[_MUTED_UNTIL]
    return Relation(*[*row[:_MUTED_UNTIL], to_instant(until) if until is not None else None, *row[_MUTED_UNTIL + 1 :]])


def _post_row(post: PostRecord) -> list[Any]:
    place = post.location
    return [
        post.id,
        post.author_id,
        post.text,
        post.entity_rows,
        [place.name, place.latitude, place.longitude] if place is not None else None,
        post.visibility,
        to_micros(post.edited_at) if post.edited_at is not None else None,
        post.like_count,
        post.comment_count,
        post.share_count,
        post.delivery,
        post.shared_post_id,
        post.is_plain_share,
    ]


def _post(row: list[Any]) -> PostRecord:
    number, author, body, entities, place, visibility, edited, likes, comments, shares, delivery, shared, is_plain = row
    return PostRecord(
        id=number,
        author_id=author,
        text=body,
        entity_rows=entities,
        location=LocationRecord(*place) if place is not None else None,
        visibility=Visibility(visibility),
        created_at=created_at_of(number),
        edited_at=to_instant(edited) if edited is not None else None,
        is_deleted=False,
        like_count=likes,
        comment_count=comments,
        share_count=shares,
        delivery=Delivery(delivery) if delivery is not None else None,
        shared_post_id=shared,
        is_plain_share=is_plain,
    )


_RELATION = attrgetter(*Relation.__dataclass_fields__)
_MUTED_UNTIL = list(Relation.__dataclass_fields__).index("muted_until")
