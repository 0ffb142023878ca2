"""A client that reads its feed once and is then only told differences: what it shows must be the feed of now."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Self

from domain.feed import FeedOrder
from domain.paging import PageRequest
from domain.records import PostFacts
from services.backends import Backends
from services.feeds.feed_cursors import Moment, open_moment
from services.feeds.feed_difference import Difference, Look, find_differences
from services.feeds.feed_events import Added, Changed, FeedResetReason, Removed
from services.feeds.read_home_feed import read_home_feed
from services.posts.load_visible_posts import load_visible_posts

_WHOLE = 500

Reading = tuple[str, str, tuple[str, str] | None]
"""Words and visibility of the post that an entry is about, and of what it quotes, as far as the viewer may see that."""


@dataclass
class ToldClient:
    """`entries`: what is shown, by node. `resets`: why the feed had to be read again, and how often."""

    backends: Backends
    viewer_id: int
    moment: Moment
    entries: dict[int, Reading]
    changes: list[Added | Changed | Removed] = field(default_factory=list)
    resets: list[FeedResetReason] = field(default_factory=list)
    looks: int = 0
    published: set[int] = field(default_factory=set)
    """Rows whose posts were told as new."""

    @classmethod
    async def open(cls, backends: Backends, viewer_id: int) -> Self:
        moment, entries = await read_feed(backends, viewer_id)
        return cls(backends, viewer_id, moment, entries)

    async def look(self, event_ids: Collection[int] | None = None) -> Difference:
        """Asks for what the rows name, or for everything, and applies it."""
        self.looks += 1
        (difference,) = await find_differences(self.backends, [Look(self.viewer_id, self.moment, event_ids)])
        await self.apply(difference)
        return difference

    async def apply(self, difference: Difference) -> None:
        """As clients do: what comes twice changes nothing."""
        self.moment = difference.reached
        if difference.reset is not None:
            assert not difference.changes
            self.resets.append(difference.reset)
            self.moment, self.entries = await read_feed(self.backends, self.viewer_id)
            self.published.clear()
            return
        self.changes += difference.changes
        written = [one.entry.facts for one in difference.changes if isinstance(one, Added)]
        written += [one.facts for one in difference.changes if isinstance(one, Changed)]
        read = await readings(self.backends, self.viewer_id, written)
        for change in difference.changes:
            if isinstance(change, Removed):
                # It may have been there for a while, between two rows: nobody knows whether the client has it.
                self.entries.pop(change.post_id, None)
            elif isinstance(change, Added):
                assert change.entry.node.id not in self.entries, f"{change} of what the client has"
                assert not change.is_publication or change.event_id not in self.published, f"{change} twice"
                if change.is_publication:
                    self.published.add(change.event_id)
                self.entries[change.entry.node.id] = read[change.entry.node.id]
            else:
                assert change.facts.post.id in self.entries, f"{change} of what the client does not have"
                self.entries[change.facts.post.id] = read[change.facts.post.id]

    async def check(self) -> None:
        """Raises AssertionError unless what is shown is the feed as it is now."""
        _, fresh = await read_feed(self.backends, self.viewer_id)
        assert self.entries.keys() == fresh.keys(), (
            f"{self.viewer_id}: missing {sorted(fresh.keys() - self.entries.keys())}, "
            f"too many {sorted(self.entries.keys() - fresh.keys())}"
        )
        for node_id, reading in fresh.items():
            assert self.entries[node_id] == reading, f"{self.viewer_id}: {node_id} reads {self.entries[node_id]}, not {reading}"

    def check_resets(self, *, was_suspended: bool) -> None:
        """Raises AssertionError where the feed had to be read again without need, in a world where everything is small."""
        allowed = [FeedResetReason.FEED_CHANGED] if was_suspended else []
        assert all(reason in allowed for reason in self.resets), f"{self.viewer_id}: {self.resets}"


async def read_feed(backends: Backends, viewer_id: int) -> tuple[Moment, dict[int, Reading]]:
    """The whole feed as it is now, and the moment of it."""
    page = await read_home_feed(backends, viewer_id=viewer_id, page=PageRequest(_WHOLE, None), order=FeedOrder.LATEST)
    assert not page.page_info.has_next_page
    moment = open_moment(backends.sealer, viewer_id, page.event_cursor)
    return moment, await readings(backends, viewer_id, [entry.facts for entry in page.edges])


async def readings(backends: Backends, viewer_id: int, nodes: Iterable[PostFacts]) -> dict[int, Reading]:
    """How entries read, by their nodes."""
    nodes = list(nodes)
    about = {facts.post.id: facts.about.post for facts in nodes}
    quoted_ids = {post.shared_post_id for post in about.values() if post.shared_post_id is not None}
    quoted = await load_visible_posts(backends, quoted_ids, viewer_id=viewer_id) if quoted_ids else {}
    found: dict[int, Reading] = {}
    for node_id, post in about.items():
        seen = quoted.get(post.shared_post_id) if post.shared_post_id is not None else None
        inner = (seen.post.text, seen.post.visibility.value) if seen is not None else None
        found[node_id] = post.text, post.visibility.value, inner
    return found
