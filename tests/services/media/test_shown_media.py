"""Who sees media, where: posts, profiles, nodes, copies of pages; and what goes when nobody shows it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from domain.errors import RefusalCode, RefusedError
from domain.ids import to_global_id
from domain.media import MediaState
from domain.paging import PageRequest
from domain.records import PostRecord, Visibility
from resolvers.context import OperationContext
from schema.execution import Engine
from services.accounts.find_people import load_visible_users
from services.accounts.update_profile import update_profile
from services.graph.block_user import block_user
from services.media.attach_media import check_media_ids
from services.media.collect_media import collect_media, collectable_seconds, sweep_uploads
from services.media.find_media import find_media
from services.media.finish_upload import finish_upload
from services.media.process_upload import process_next_upload
from services.posts.delete_post import delete_post
from services.posts.publish_post import publish_post
from tests.count_queries import count_queries
from tests.live_hub import idle_hub
from tests.pictures import files_of, folder_of, png, ready, upload
from tests.services.graph.facts import execute, query, refusal
from tests.world import World

MEDIA = "media { id state url thumbnailUrl width height altText }"


@pytest.fixture
async def ada(world: World) -> World:
    await world.add("ada", "bob", "eve")
    await world.follow("bob", "ada")
    return world


async def publish(
    world: World, *media_ids: int, body: str = "look", author: str = "ada", visibility: Visibility = Visibility.PUBLIC
) -> PostRecord:
    return await publish_post(
        world.backends, author_id=world.ids[author], body=body, visibility=visibility, location=None, media_ids=media_ids
    )


async def finished(world: World, owner: str = "ada") -> int:
    """The id of an upload that no worker has looked at."""
    media_id = await upload(world, owner, png())
    await finish_upload(world.backends, owner_id=world.ids[owner], media_id=media_id)
    return media_id


async def make_ready(world: World, *media_ids: int) -> None:
    """As if a worker had been there: what they look like does not matter here."""
    await execute(world, "UPDATE media SET state = 'READY' WHERE id = ANY(CAST(:ids AS bigint[]))", ids=list(media_ids))


async def ask(world: World, viewer: str | None, text: str, **variables: Any) -> Any:
    viewer_id = world.ids[viewer] if viewer else None
    found = await load_visible_users(world.backends, [viewer_id], viewer_id=viewer_id) if viewer_id else {}
    context = OperationContext(world.backends, idle_hub(world.backends), found.get(viewer_id or 0))
    engine = Engine(has_introspection=False)
    answer = await engine.execute(engine.prepare(text, None, variables), context)
    assert "errors" not in answer, answer
    return answer["data"]


async def shown(world: World, viewer: str | None, media_ids: Sequence[int]) -> list[bool]:
    viewer_id = world.ids[viewer] if viewer else None
    found = await find_media(world.backends, media_ids, viewer_id=viewer_id)
    asked = await ask(
        world, viewer, "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[to_global_id("Media", one) for one in media_ids]
    )
    assert [one in found for one in media_ids] == [node is not None for node in asked["nodes"]]
    return [one in found for one in media_ids]


async def test_a_post_with_pictures(ada: World) -> None:
    first, second = await ready(ada, "ada", png((400, 300))), await finished(ada)
    post = await publish(ada, second, first, body=" \u200b ")
    assert post.text == ""
    text = f"query ($id: ID!) {{ post(id: $id) {{ text {MEDIA} }} feed {{ nodes {{ {MEDIA} }} }} }}"
    answer = await ask(ada, "bob", text, id=to_global_id("Post", post.id))
    pending, shown_one = answer["post"]["media"]
    assert answer["feed"]["nodes"] == [{"media": [pending, shown_one]}]
    assert (pending["state"], pending["url"], pending["thumbnailUrl"]) == ("PENDING", None, None)
    assert (shown_one["state"], shown_one["width"], shown_one["height"]) == ("READY", 400, 300)
    for address in (shown_one["url"], shown_one["thumbnailUrl"]):
        assert address.removeprefix("/media/") in files_of(ada)


async def test_media_of_a_page_take_one_statement(ada: World) -> None:
    counts = []
    for number in range(6):
        await publish(ada, *[await finished(ada) for _ in range(number % 3)], body=f"{number}")
    for first in (1, 6):
        with count_queries(ada.backends) as counted:
            answer = await ask(ada, None, f'{{ user(username: "ada") {{ posts(first: {first}) {{ nodes {{ {MEDIA} }} }} }} }}')
        counts.append(counted.count)
    assert [len(node["media"]) for node in answer["user"]["posts"]["nodes"]] == [2, 1, 0, 2, 1, 0]
    assert counts == [3, 3]


async def test_what_a_post_cannot_show(ada: World) -> None:
    mine, unfinished, others = await finished(ada), await upload(ada, "ada", png()), await finished(ada, "bob")
    taken, rejected = await finished(ada), await finished(ada)
    await publish(ada, taken)
    await execute(ada, "UPDATE media SET state = 'REJECTED' WHERE id = :id", id=rejected)
    for media_ids, expected in (
        ((mine, others), (RefusalCode.NOT_FOUND, ("mediaIds", "1"))),
        ((4_611_686_018_427_387_904,), (RefusalCode.NOT_FOUND, ("mediaIds", "0"))),
        ((mine, unfinished), (RefusalCode.INVALID, ("mediaIds", "1"))),
        ((taken, mine), (RefusalCode.INVALID, ("mediaIds", "0"))),
        ((rejected,), (RefusalCode.CONTENT_REJECTED, ("mediaIds", "0"))),
    ):
        assert await refusal(publish(ada, *media_ids)) == expected
    for given, code, place in (
        ([1, 2, 3, 4, 5], RefusalCode.LIMIT_REACHED, ("mediaIds",)),
        ([1, 2, 1], RefusalCode.INVALID, ("mediaIds", "2")),
        ([1, None], RefusalCode.NOT_FOUND, ("mediaIds", "1")),
    ):
        with pytest.raises(RefusedError) as raised:
            check_media_ids(given)
        assert (raised.value.refusals[0].code, raised.value.refusals[0].field) == (code, place)
    assert await refusal(publish(ada, body=" ")) == (RefusalCode.BLANK, ("text",))
    assert await query(ada, "SELECT count(*) FROM posts") == [(1,)]
    await publish(ada, mine)


async def test_one_picture_in_many_posts_at_once(ada: World) -> None:
    one, other = await finished(ada), await finished(ada)
    orders = [(one, other), (other, one)] * 4
    made = await asyncio.gather(*(publish(ada, *order) for order in orders), return_exceptions=True)
    posts = [one for one in made if isinstance(one, PostRecord)]
    refused = [one.refusals[0].code for one in made if isinstance(one, RefusedError)]
    assert (len(posts), refused) == (1, [RefusalCode.INVALID] * 7)
    assert await query(ada, "SELECT count(*) FROM posts") == [(1,)]


async def test_media_are_seen_by_their_owner_and_through_a_post(ada: World) -> None:
    loose, public, private, deleted = [await finished(ada) for _ in range(4)]
    everything = [loose, public, private, deleted]
    await publish(ada, public)
    await publish(ada, private, visibility=Visibility.PRIVATE)
    gone = await publish(ada, deleted)
    await delete_post(ada.backends, author_id=ada.ids["ada"], post_id=gone.id)
    assert await shown(ada, "ada", everything) == [True] * 4
    for viewer in ("bob", "eve", None):
        assert await shown(ada, viewer, everything) == [False, True, False, False]
    await block_user(ada.backends, viewer_id=ada.ids["ada"], user_id=ada.ids["eve"])
    assert await shown(ada, "eve", everything) == [False] * 4


async def test_media_on_a_copy_of_the_page(ada: World) -> None:
    picture = await finished(ada)
    await make_ready(ada, picture)
    post = await publish(ada, picture)
    await publish(ada, body="plain")
    text = f"{{ feed(first: 10) {{ status {{ complete }} nodes {{ text {MEDIA} }} }} }}"
    before = await ask(ada, "bob", text)
    async with asyncio.timeout(5):
        while (copy := await ada.backends.feed_shelf.read(ada.ids["bob"], PageRequest(10), place=None, order=None)) is None:
            await asyncio.sleep(0.01)
    assert copy.extras is not None
    assert {post_id: len(media) for post_id, media in copy.extras.media.items()} == {post.id: 1, post.id: 1} | {
        edge.node.id: 0 for edge in copy.edges if edge.node.id != post.id
    }
    (found,) = copy.extras.media[post.id]
    assert (found.id, found.state) == (picture, MediaState.READY)
    assert before["feed"]["nodes"][1]["media"][0]["url"].endswith(f"/{found.public_key}")


async def change_avatar(world: World, media_id: int, **fields: Any) -> Any:
    unset: dict[str, Any] = {"display_name": None, "bio": None, "is_private": None}
    return await update_profile(world.backends, user_id=world.ids["ada"], avatar_media_id=media_id, **unset | fields)


async def test_a_profile_picture(ada: World) -> None:
    await execute(ada, "UPDATE users SET avatar_url = 'https://elsewhere.example/me.png'")
    text = '{ user(username: "ada") { avatarUrl } }'
    assert (await ask(ada, "bob", text))["user"]["avatarUrl"] == "https://elsewhere.example/me.png"
    first, second, others = await ready(ada, "ada"), await finished(ada), await finished(ada, "bob")
    for media_id, expected in ((second, RefusalCode.INVALID), (others, RefusalCode.NOT_FOUND)):
        assert await refusal(change_avatar(ada, media_id, display_name="changed")) == (expected, ("avatarMediaId",))
    changed = await change_avatar(ada, first)
    assert changed.display_name != "changed"
    address = (await ask(ada, "bob", text))["user"]["avatarUrl"]
    assert address == f"/media/{changed.avatar_key}"
    assert address.removeprefix("/media/") in files_of(ada)
    # Another one takes its place; the former goes a day later, this one stays.
    await make_ready(ada, second)
    await change_avatar(ada, second, is_private=False)
    await execute(
        ada, "UPDATE media SET collect_at = clock_timestamp() WHERE collect_at < clock_timestamp() + interval '2 days'"
    )
    await execute(ada, "UPDATE media SET collect_at = clock_timestamp() WHERE id = :id", id=second)
    assert await collect_media(ada.backends) == 2
    assert {row[0] for row in await query(ada, "SELECT id FROM media")} == {second, others}
    assert await collectable_seconds(ada.backends) is None


async def test_pictures_are_chosen_and_posted_at_once(ada: World) -> None:
    """Each locks what the other one needs: nobody waits for ever."""
    pictures = [await finished(ada) for _ in range(8)]
    await make_ready(ada, *pictures)
    await asyncio.gather(
        *(change_avatar(ada, one, is_private=False) for one in pictures), *(publish(ada, one) for one in reversed(pictures))
    )
    assert await query(ada, "SELECT count(*) FROM post_media") == [(8,)]
    assert await query(ada, "SELECT id FROM media WHERE collect_at IS NOT NULL") == []


async def test_what_nobody_shows_goes(ada: World) -> None:
    unfinished, loose, kept = await upload(ada, "ada", png()), await finished(ada), await finished(ada)
    await publish(ada, kept)
    gone = await publish(ada, await ready(ada, "ada"))
    while await process_next_upload(ada.backends) is not None and await query(
        ada, "SELECT id FROM media WHERE state = 'PENDING' AND finished_at IS NOT NULL"
    ):
        pass
    assert await collectable_seconds(ada.backends) is None
    await delete_post(ada.backends, author_id=ada.ids["ada"], post_id=gone.id)
    assert await collectable_seconds(ada.backends) is not None
    assert await collect_media(ada.backends) == 1
    assert len([name for name in files_of(ada) if name.startswith("public/")]) == 4
    assert await collect_media(ada.backends) == 0
    # All times have come, whatever they were.
    ((seconds,),) = await query(
        ada,
        "SELECT extract(epoch FROM collect_at - created_at) FROM media WHERE id = :id",
        id=unfinished,
    )
    assert timedelta(seconds=float(seconds)) > timedelta(minutes=70)
    await execute(
        ada,
        "UPDATE media SET collect_at = clock_timestamp() WHERE id = ANY(CAST(:ids AS bigint[]))",
        ids=[unfinished, loose, kept],
    )
    assert await collect_media(ada.backends) == 3
    assert await query(ada, "SELECT id FROM media") == [(kept,)]
    assert len(files_of(ada)) == 2


async def test_what_was_left_behind_is_swept(ada: World) -> None:
    awaited, at_work = await upload(ada, "ada", png()), await finished(ada)
    store = folder_of(ada)
    names = ["uploads/part-abc", f"uploads/1-{'a' * 26}", "uploads/strange", f"uploads/{awaited}-{'a' * 26}"]
    for name in names:
        (store.root / name).write_bytes(b"left behind")
    assert await sweep_uploads(ada.backends) == 0
    for name in files_of(ada):
        os.utime(store.root / name, (0, time.time() - 76 * 60))
    assert await sweep_uploads(ada.backends) == 4
    left = {int(name.removeprefix("uploads/").partition("-")[0]) for name in files_of(ada)}
    assert left == {awaited, at_work}
