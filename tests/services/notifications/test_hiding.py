"""Nothing from those whom the recipient does not want to meet, nothing about what they may not see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from domain.moderation import ModerationChange
from domain.records import Visibility
from services.graph.block_user import block_user
from services.graph.mute_user import mute_user
from services.graph.unblock_user import unblock_user
from services.graph.unmute_user import unmute_user
from services.moderation.moderate_account import moderate_account
from services.moderation.remove_post import remove_post
from services.notifications.count_unread import count_unread
from services.posts.edit_post import edit_post
from tests.services.graph.facts import execute
from tests.services.notifications.telling import Telling

Change = Callable[[Telling], Awaitable[object]]


async def block(telling: Telling) -> None:
    ids = telling.world.ids
    await block_user(telling.backends, viewer_id=ids["ada"], user_id=ids["bob"])


async def unblock(telling: Telling) -> None:
    ids = telling.world.ids
    await unblock_user(telling.backends, viewer_id=ids["ada"], user_id=ids["bob"])


async def be_blocked(telling: Telling) -> None:
    ids = telling.world.ids
    await block_user(telling.backends, viewer_id=ids["bob"], user_id=ids["ada"])


async def no_longer_be_blocked(telling: Telling) -> None:
    ids = telling.world.ids
    await unblock_user(telling.backends, viewer_id=ids["bob"], user_id=ids["ada"])


async def mute(telling: Telling) -> None:
    ids = telling.world.ids
    await mute_user(telling.backends, viewer_id=ids["ada"], user_id=ids["bob"], until=None)


async def unmute(telling: Telling) -> None:
    ids = telling.world.ids
    await unmute_user(telling.backends, viewer_id=ids["ada"], user_id=ids["bob"])


def moderated(change: ModerationChange) -> Change:
    async def moderate(telling: Telling) -> None:
        await moderate_account(telling.backends, username="bob", change=change)

    return moderate


HIDING = [
    pytest.param(block, unblock, id="block"),
    pytest.param(be_blocked, no_longer_be_blocked, id="blocked"),
    pytest.param(mute, unmute, id="mute"),
    pytest.param(moderated(ModerationChange.SUSPEND), moderated(ModerationChange.RESTORE), id="suspended"),
    pytest.param(moderated(ModerationChange.SHADOW_BAN), moderated(ModerationChange.RESTORE), id="shadow_banned"),
]


async def do_everything(telling: Telling) -> int:
    """Bob does all he can to Ada's post, and mentions her; Cat only likes it."""
    post_id = await telling.world.post("ada")
    await telling.like("bob", post_id)
    await telling.like("cat", post_id)
    await telling.comment("bob", post_id)
    await telling.world.share("bob", post_id)
    await telling.world.post("bob", "@ada")
    return post_id


@pytest.mark.parametrize(("hide", "show"), HIDING)
async def test_when_it_is_read(telling: Telling, hide: Change, show: Change) -> None:
    post_id = await do_everything(telling)
    viewer_id = telling.world.ids["ada"]
    kinds = {told[0] for told in await telling.told("ada")}
    assert kinds == {"LIKE", "COMMENT", "SHARE", "MENTION"}
    assert await count_unread(telling.backends, viewer_id=viewer_id) == 4
    await hide(telling)
    left = (await telling.page("ada")).nodes
    assert [(one.kind, one.actor_ids, one.actor_count) for one in left] == [("LIKE", (telling.world.ids["cat"],), 1)]
    assert await count_unread(telling.backends, viewer_id=viewer_id) == 1
    assert await telling.told("ada") == [("LIKE", post_id, ("cat",), 1)]
    await show(telling)
    assert {told[0] for told in await telling.told("ada")} == kinds


@pytest.mark.parametrize(("hide", "show"), HIDING)
async def test_when_it_is_formed(telling: Telling, hide: Change, show: Change) -> None:
    post_id = await do_everything(telling)
    await hide(telling)
    await telling.process()
    await show(telling)
    assert await telling.told("ada") == [("LIKE", post_id, ("cat",), 1)], "nobody is told afterwards"


async def test_a_mute_that_has_ended_is_none(telling: Telling) -> None:
    ids = telling.world.ids
    until = datetime.now(UTC) + timedelta(hours=1)
    await mute_user(telling.backends, viewer_id=ids["ada"], user_id=ids["bob"], until=until)
    await execute(telling.world, "UPDATE mutes SET until = clock_timestamp()")
    post_id = await telling.world.post("ada")
    await telling.like("bob", post_id)
    assert await telling.told("ada") == [("LIKE", post_id, ("bob",), 1)]


async def test_what_is_under_a_post_by_somebody_muted_is_not_told(telling: Telling) -> None:
    ids = telling.world.ids
    post_id = await telling.world.post("bob")
    await telling.comment("cat", post_id, "@ada look")
    assert len(await telling.told("ada")) == 1
    await mute(telling)
    await telling.comment("dan", post_id, "@ada look there")
    assert await telling.told("ada") == []
    await unmute(telling)
    assert await telling.told("ada") == [("MENTION", post_id, ("cat",), 1)]
    await block_user(telling.backends, viewer_id=ids["bob"], user_id=ids["ada"])
    assert await telling.told("ada") == [], "the post is gone for her"


async def test_hidden_and_deleted_posts(telling: Telling) -> None:
    ids = telling.world.ids
    narrowed, deleted = await telling.world.post("bob", "@ada one"), await telling.world.post("ada")
    await telling.like("bob", deleted)
    assert len(await telling.told("ada")) == 2
    await edit_post(telling.backends, author_id=ids["bob"], post_id=narrowed, body=None, visibility=Visibility.FRIENDS)
    await remove_post(telling.backends, post_id=deleted)
    await telling.like("cat", await telling.world.post("ada"))
    before = (await telling.page("ada")).nodes
    assert before == []
    assert await count_unread(telling.backends, viewer_id=ids["ada"]) == 0
    assert [told[0] for told in await telling.told("ada")] == ["LIKE"]


async def test_whoever_is_suspended_reads_nothing(telling: Telling) -> None:
    await do_everything(telling)
    await telling.process()
    await moderate_account(telling.backends, username="ada", change=ModerationChange.SUSPEND)
    assert (await telling.page("ada")).nodes == []


async def test_pages_are_full_though_much_is_hidden(telling: Telling) -> None:
    names = [f"liker{number}" for number in range(24)]
    await telling.world.add(*names)
    for name in names:
        await telling.like(name, await telling.world.post("ada"))
    await telling.process()
    for name in names[::2]:
        await mute_user(telling.backends, viewer_id=telling.world.ids["ada"], user_id=telling.world.ids[name], until=None)
    found, cursor = [], None
    while True:
        page = await telling.page("ada", 5, cursor)
        found += [one.actor_ids[0] for one in page.nodes]
        cursor = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            break
        assert len(page.nodes) == 5
    assert found == [telling.world.ids[name] for name in reversed(names[1::2])]
