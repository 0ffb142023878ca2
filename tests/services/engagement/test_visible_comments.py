"""Who sees which comment, by every way in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from domain.ids import to_global_id
from domain.moderation import ModerationChange
from domain.paging import PageRequest
from domain.records import Visibility
from resolvers.context import OperationContext
from schema.execution import Engine
from services.accounts.find_people import load_visible_users
from services.accounts.update_profile import update_profile
from services.engagement.list_comments import list_comments
from services.engagement.load_visible_comments import load_visible_comments
from services.graph.block_user import block_user
from services.graph.mute_user import mute_user
from services.moderation.moderate_account import moderate_account
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from tests.live_hub import idle_hub
from tests.world import World

_INSERT = text("INSERT INTO comments (id, post_id, author_id, text) VALUES (next_id(1), :post, :author, 'words') RETURNING id")
_QUERY = """
  query ($comment: ID!, $post: ID!) {
    node(id: $comment) { ... on Comment { text viewerCanDelete author { username } post { id } } }
    nodes(ids: [$comment]) { id }
    post(id: $post) { comments { nodes { id } } }
  }
"""


async def _comment(world: World, author: str, post_id: int) -> int:
    async with world.backends.database.writing() as session:
        return int((await session.execute(_INSERT, {"post": post_id, "author": world.ids[author]})).scalar_one())


async def _sees(world: World, viewer: str | None, post_id: int, comment_id: int) -> bool:
    """Whether there is the comment; asserts that every way says the same."""
    viewer_id = world.ids[viewer] if viewer is not None else None
    loaded = comment_id in await load_visible_comments(world.backends, [comment_id], viewer_id=viewer_id)
    people = await load_visible_users(world.backends, [viewer_id], viewer_id=viewer_id) if viewer_id is not None else {}
    context = OperationContext(world.backends, idle_hub(world.backends), people.get(viewer_id or 0))
    engine = Engine(has_introspection=False)
    global_id = to_global_id("Comment", comment_id)
    variables = {"comment": global_id, "post": to_global_id("Post", post_id)}
    answer = await engine.execute(engine.prepare(_QUERY, None, variables), context)
    assert "errors" not in answer, answer
    data = answer["data"]
    assert (data["node"] is not None) == loaded
    assert data["nodes"] == [{"id": global_id} if loaded else None]
    if data["post"] is not None:
        assert data["post"]["comments"]["nodes"] == ([{"id": global_id}] if loaded else [])
    else:
        assert not loaded
    if loaded:
        assert data["node"] == {
            "text": "words",
            "viewerCanDelete": viewer in {"ada", "bob"},
            "author": {"username": "bob"},
            "post": {"id": variables["post"]},
        }
    return loaded


async def _make_private(world: World) -> None:
    await update_profile(world.backends, user_id=world.ids["bob"], display_name=None, bio=None, is_private=True)


async def _moderate(world: World, change: ModerationChange) -> None:
    assert await moderate_account(world.backends, username="bob", change=change)


async def _block(world: World, viewer: str, other: str) -> None:
    await block_user(world.backends, viewer_id=world.ids[viewer], user_id=world.ids[other])


Step = Callable[[World, int], Awaitable[object]]
EVERYBODY = {"ada", "bob", "cat", None}
CASES: dict[str, tuple[Step, set[str | None]]] = {
    "nothing": (lambda _world, _post: _nothing(), EVERYBODY),
    "its author is private": (lambda world, _post: _make_private(world), EVERYBODY),
    "cat mutes its author": (
        lambda world, _post: mute_user(world.backends, viewer_id=world.ids["cat"], user_id=world.ids["bob"], until=None),
        EVERYBODY,
    ),
    "cat blocks its author": (lambda world, _post: _block(world, "cat", "bob"), EVERYBODY - {"cat"}),
    "its author blocks cat": (lambda world, _post: _block(world, "bob", "cat"), EVERYBODY - {"cat"}),
    "its author is suspended": (lambda world, _post: _moderate(world, ModerationChange.SUSPEND), set()),
    "its author is shadow-banned": (lambda world, _post: _moderate(world, ModerationChange.SHADOW_BAN), {"bob"}),
    "the post's author blocks cat": (lambda world, _post: _block(world, "ada", "cat"), EVERYBODY - {"cat"}),
    "the post is deleted": (
        lambda world, post: delete_post(world.backends, author_id=world.ids["ada"], post_id=post),
        set(),
    ),
    "the post is private": (
        lambda world, post: edit_post(
            world.backends, author_id=world.ids["ada"], post_id=post, body=None, visibility=Visibility.PRIVATE
        ),
        {"ada"},
    ),
}


async def _nothing() -> None:
    return None


@pytest.mark.parametrize("case", CASES)
async def test_a_comment_is_seen_where_its_post_is_and_its_author_may_be_listed(world: World, case: str) -> None:
    step, expected = CASES[case]
    await world.add("ada", "bob", "cat")
    post = await world.post("ada")
    comment = await _comment(world, "bob", post)
    await step(world, post)
    # A suspended account cannot sign in: nobody asks as it.
    viewers = EVERYBODY - ({"bob"} if case == "its author is suspended" else set())
    assert {viewer for viewer in viewers if await _sees(world, viewer, post, comment)} == expected


async def test_comments_of_a_share_are_those_of_what_it_shares(world: World) -> None:
    await world.add("ada", "bob", "cat")
    post = await world.post("ada")
    comments = [await _comment(world, "bob", post) for _ in range(5)]
    share = await world.share("cat", post)
    engine = Engine(has_introspection=False)
    context = OperationContext(world.backends, idle_hub(world.backends), None)
    query = f'{{ post(id: "{to_global_id("Post", share)}") {{ comments(first: 3) {{ nodes {{ id post {{ id }} }} }} }} }}'
    answer = await engine.execute(engine.prepare(query, None, None), context)
    assert answer["data"]["post"]["comments"]["nodes"] == [
        {"id": to_global_id("Comment", number), "post": {"id": to_global_id("Post", post)}} for number in comments[:1:-1]
    ]
    first = await list_comments(world.backends, root_id=post, viewer_id=None, page=PageRequest(3, None))
    rest = await list_comments(world.backends, root_id=post, viewer_id=None, page=PageRequest(3, first.page_info.end_cursor))
    assert [edge.node.comment.id for edge in (*first.edges, *rest.edges)] == comments[::-1]
