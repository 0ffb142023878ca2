"""What happens in a walk with clients that are told differences: everything that touches a feed, and being told."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random

from domain.records import Visibility
from services.feeds.feed_difference import find_concerned
from services.posts.edit_post import edit_post
from services.posts.share_post import share_post
from services.preferences.update_preferences import update_preferences
from tests.stories import machine_actions, people_actions, post_actions
from tests.stories.live_watching import held_post
from tests.stories.scene import WORDS, Scene
from tests.stories.told_client import ToldClient


@dataclass
class Listener:
    """A client and what its logs have named that it was not told yet. Without a log it asks for everything."""

    client: ToldClient
    has_log: bool
    waiting: list[int] = field(default_factory=list)


@dataclass
class Watched:
    """The scene, its clients, and posts whose transactions are still open."""

    scene: Scene
    listeners: list[Listener] = field(default_factory=list)
    held: list[tuple[AsyncExitStack, str, int]] = field(default_factory=list)
    logged: set[int] = field(default_factory=set)

    async def write_logs(self) -> None:
        """Names new rows to those whom they concern by now."""
        rows = [row[0] for row in await self.scene.sql("SELECT id FROM outbox") if row[0] not in self.logged]
        self.logged |= set(rows)
        viewers = {listener.client.viewer_id for listener in self.listeners}
        if not rows or not viewers:
            return
        async with self.scene.backends.database.reading() as session:
            concerned = await find_concerned(session, rows, viewers)
        for listener in self.listeners:
            if listener.has_log:
                listener.waiting += [row for row in rows if listener.client.viewer_id in concerned.get(row, ())]


Action = Callable[[Watched, int, int, int], Coroutine[None, None, None]]


def _plain(action: Callable[[Scene, int, int, int], Coroutine[None, None, None]]) -> Action:
    async def act(watched: Watched, a: int, b: int, c: int) -> None:
        await action(watched.scene, a, b, c)

    return act


async def _join(watched: Watched, a: int, b: int, _: int) -> None:
    """Somebody reads the feed, and wants to be told from then on."""
    viewer_id = watched.scene.id(a)
    if len(watched.listeners) < 6 and await watched.scene.is_awake(viewer_id):
        await watched.write_logs()
        client = await ToldClient.open(watched.scene.backends, viewer_id)
        watched.listeners.append(Listener(client, has_log=b % 3 != 0))


async def _be_told(watched: Watched, a: int, b: int, c: int) -> None:
    """Part of what a log names, in any order; now and then everything is asked for."""
    if not watched.listeners:
        return
    listener = watched.listeners[a % len(watched.listeners)]
    await watched.write_logs()
    if not listener.has_log and b % 4:
        return
    if not listener.has_log or c % 9 == 0:
        await listener.client.look()
        return
    chance = Random(b)
    chosen = [row for row in listener.waiting if chance.random() < (0.3, 0.6, 1.0)[c % 3]]
    if chosen:
        await listener.client.look(chosen)
    listener.waiting = [row for row in listener.waiting if row not in chosen or chance.random() < 0.1]


async def _be_told_and_check(watched: Watched, a: int, _b: int, _c: int) -> None:
    if watched.listeners:
        await finish(watched, watched.listeners[a % len(watched.listeners)])


async def finish(watched: Watched, listener: Listener) -> None:
    await watched.write_logs()
    await listener.client.look(listener.waiting if listener.has_log else None)
    listener.waiting = []
    if await watched.scene.is_awake(listener.client.viewer_id):
        await listener.client.check()


async def _hold(watched: Watched, a: int, _b: int, c: int) -> None:
    """A post that has its ids, and appears only when its transaction commits."""
    if len(watched.held) < 2:
        stack = AsyncExitStack()
        async with watched.scene.at(c):
            post_id = await stack.enter_async_context(held_post(watched.scene.world, watched.scene.name(a)))
        watched.held.append((stack, watched.scene.name(a), post_id))


async def _release(watched: Watched, a: int, _b: int, _c: int) -> None:
    if watched.held:
        stack, author, post_id = watched.held.pop(a % len(watched.held))
        await stack.aclose()
        await watched.scene.sql("UPDATE users SET post_count = post_count + 1 WHERE id = $1", watched.scene.world.ids[author])
        watched.scene.posts.append((author, post_id))


async def release_all(watched: Watched) -> None:
    while watched.held:
        await _release(watched, 0, 0, 0)


async def _prefer(watched: Watched, a: int, b: int, c: int) -> None:
    """Without hiding what was seen: a client that has it keeps it."""
    await update_preferences(
        watched.scene.backends,
        viewer_id=watched.scene.id(a),
        default_order=None,
        muted_words=(None, [], [WORDS[c % 3]], [WORDS[c % 3], WORDS[c // 3 % 3]])[b % 4],
        hide_shares=(None, True, False, None, False)[b // 4 % 5],
        hide_seen=None,
    )


async def _unmute(watched: Watched, a: int, _b: int, c: int) -> None:
    """By hand: a mute that ends by time tells nobody."""
    await people_actions.unmute(watched.scene, a, 0, c)


async def _quote(watched: Watched, a: int, b: int, c: int) -> None:
    recent = watched.scene.recent(b)
    if recent is not None:
        words = f"{WORDS[c % 3]} {'#red' if c % 2 else ''}"
        made = await share_post(watched.scene.backends, author_id=watched.scene.id(a), post_id=recent[1], body=words)
        watched.scene.posts.append((watched.scene.name(a), made.id))


async def _edit_what_is_passed_on(watched: Watched, a: int, b: int, c: int) -> None:
    scene = watched.scene
    rows = await scene.sql("SELECT id, author_id FROM posts WHERE share_count > 0 AND deleted_at IS NULL ORDER BY id")
    if rows:
        post_id, author_id = rows[a % len(rows)]
        visibility = (None, Visibility.PUBLIC, Visibility.FRIENDS, Visibility.PRIVATE)[b % 4]
        text = f"{WORDS[c % 3]} {c}" if c % 2 else None
        await edit_post(scene.backends, author_id=author_id, post_id=post_id, body=text, visibility=visibility)


_WEIGHTS: dict[str, tuple[Action, int]] = {
    "post": (_plain(post_actions.post), 8),
    "edit": (_plain(post_actions.edit), 4),
    "edit_what_is_passed_on": (_edit_what_is_passed_on, 4),
    "hide_and_show": (_plain(post_actions.hide_and_show), 2),
    "delete": (_plain(post_actions.delete), 4),
    "share": (_plain(post_actions.share), 7),
    "quote": (_quote, 4),
    "share_by_many": (_plain(post_actions.share_by_many), 2),
    "unshare": (_plain(post_actions.unshare), 4),
    "follow": (_plain(people_actions.follow), 6),
    "unfollow": (_plain(people_actions.unfollow), 5),
    "drop_follower": (_plain(people_actions.drop_follower), 2),
    "block": (_plain(people_actions.block), 2),
    "unblock": (_plain(people_actions.unblock), 2),
    "mute": (_plain(people_actions.mute), 3),
    "unmute": (_unmute, 2),
    "change_follow": (_plain(people_actions.change_follow), 6),
    "tag": (_plain(people_actions.tag), 4),
    "prefer": (_prefer, 3),
    "set_private": (_plain(people_actions.set_private), 3),
    "answer_request": (_plain(people_actions.answer_request), 3),
    "moderate": (_plain(people_actions.moderate), 2),
    "drain": (_plain(machine_actions.drain), 1),
    "threshold": (_plain(machine_actions.threshold), 1),
    "hold": (_hold, 3),
    "release": (_release, 2),
    "join": (_join, 4),
    "be_told": (_be_told, 14),
    "be_told_and_check": (_be_told_and_check, 4),
}
ACTIONS = {name: action for name, (action, _) in _WEIGHTS.items()}
KINDS = [name for name, (_, weight) in _WEIGHTS.items() for _ in range(weight)]
