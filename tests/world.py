"""People, follows and posts by name, made through the use cases, and the workers' part on demand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import text

from db import outbox
from db.feed_candidates import load_feed_viewer
from db.posts import add_to_post_count
from db.shares import add_to_share_count
from domain.feed import FeedOrder, FeedPage
from domain.ids import make_id
from domain.paging import PageRequest
from domain.records import Visibility
from domain.timeline_version import TimelineVersion
from services.accounts.provision_account import provision_account
from services.backends import Backends
from services.fan_out.deliver_event import Outcome, deliver_event
from services.feeds.read_home_feed import read_home_feed
from services.graph.follow_user import follow_user
from services.graph.unfollow_user import unfollow_user
from services.posts.publish_post import publish_post
from services.posts.share_post import share_post

_INSERT_POST = text(
    """
    INSERT INTO posts (id, author_id, text, shared_post_id, is_plain_share, created_at)
    VALUES (:id, :author, :text, :root, :is_share, to_timestamp((CAST(:id AS bigint) >> 22) / 1000.0))
    """
)


@dataclass
class World:
    """A small social network in one test's database."""

    backends: Backends
    ids: dict[str, int] = field(default_factory=dict)

    async def add(self, *names: str) -> None:
        for name in names:
            user = await provision_account(
                self.backends.database, external_id=name, preferred_username=name, name=name, avatar_url=None
            )
            self.ids[name] = user.id

    async def follow(self, follower: str, *followees: str) -> None:
        for followee in followees:
            await follow_user(self.backends, follower_id=self.ids[follower], followee_id=self.ids[followee])

    async def unfollow(self, follower: str, followee: str, *, keep_history: bool = False) -> None:
        await unfollow_user(
            self.backends, follower_id=self.ids[follower], followee_id=self.ids[followee], keep_history=keep_history
        )

    async def post(self, author: str, body: str = "hello", visibility: Visibility = Visibility.PUBLIC) -> int:
        post = await publish_post(self.backends, author_id=self.ids[author], body=body, visibility=visibility, location=None)
        return post.id

    async def share(self, sharer: str, post_id: int, body: str = "") -> int:
        made = await share_post(self.backends, author_id=self.ids[sharer], post_id=post_id, body=body)
        return made.id

    async def insert_post(
        self, author: str, *, milliseconds: int, sequence: int = 0, body: str = "old", root_id: int | None = None
    ) -> int:
        """A post of any instant; with `root_id`, a share of it without words. Promised like any other."""
        post_id = make_id(milliseconds=milliseconds, sequence=sequence, shard=0)
        is_share = root_id is not None
        row = {
            "id": post_id,
            "author": self.ids[author],
            "text": "" if is_share else body,
            "root": root_id,
            "is_share": is_share,
        }
        async with self.backends.database.writing() as session:
            await session.execute(_INSERT_POST, row)
            if root_id is None:
                await add_to_post_count(session, self.ids[author], 1)
            else:
                await add_to_share_count(session, root_id, 1)
            await outbox.insert_event(session, outbox.OutboxKind.POST_PUBLISHED, author_id=self.ids[author], post_id=post_id)
        return post_id

    async def drain(self) -> int:
        """The relay and the workers, until nothing is due; how many rows were closed."""
        closed = 0
        while True:
            async with self.backends.database.writing() as session:
                events = await outbox.lease_due_events(session, size=50, lease_seconds=10.0)
            if not events:
                return closed
            for event in events:
                outcome = Outcome.CONTINUES
                while outcome is Outcome.CONTINUES:
                    report = await deliver_event(self.backends, event_id=event.id, attempt=event.attempt)
                    outcome = report.outcome
                closed += outcome is Outcome.DONE

    async def timeline_version(self, viewer: str) -> TimelineVersion:
        """What a warm timeline of the viewer would have to name, who is not suspended."""
        async with self.backends.database.reading() as session:
            found = await load_feed_viewer(session, self.ids[viewer])
        assert found is not None
        return found.timeline_version

    async def page(self, viewer: str, size: int = 20, cursor: str | None = None, *, backward: bool = False) -> FeedPage:
        return await read_home_feed(
            self.backends,
            viewer_id=self.ids[viewer],
            page=PageRequest(size, cursor, backward),
            order=FeedOrder.LATEST,
        )

    async def walk(self, viewer: str, size: int = 20) -> list[int]:
        """The whole feed, page by page, newest first."""
        found: list[int] = []
        cursor: str | None = None
        while True:
            page = await self.page(viewer, size, cursor)
            assert page.status.complete
            assert not set(found) & set(ids(page)), "an entry comes twice in one walk"
            found += ids(page)
            if not page.page_info.has_next_page:
                return found
            assert len(page.edges) == size, "a page with more to come is full"
            cursor = page.page_info.end_cursor

    async def warm(self, viewer: str) -> None:
        """Reads once, so that the timeline is in the cache."""
        await self.page(viewer, 1)


def ids(page: FeedPage) -> list[int]:
    return [edge.node.id for edge in page.edges]


def newest_first(post_ids: Iterable[int]) -> list[int]:
    return sorted(post_ids, reverse=True)
