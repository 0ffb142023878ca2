"""Notifications as clients ask for them: whole, by id, by page, unread, and with as many statements for one as for fifty."""

from __future__ import annotations

from typing import Any

from domain.ids import to_global_id
from services.engagement.add_comment import add_comment
from services.engagement.like_post import like_post
from services.notifications.process_activities import process_activities
from tests.count_queries import count_queries
from tests.services.engagement.asking import answer, ask, mutate
from tests.world import World

FIELDS = "id kind createdAt isRead actorCount actors { id username } post { id text author { username } } comment { id text }"
LIST = f"""
  query ($first: Int, $after: String) {{ notifications(first: $first, after: $after) {{
    unreadCount pageInfo {{ hasNextPage endCursor }} edges {{ cursor node {{ {FIELDS} }} }} }} }}
"""
NODES = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ id ... on Notification {{ {FIELDS} }} }} }}"


async def listed(world: World, viewer: str, **variables: Any) -> Any:
    return (await ask(world, viewer, LIST, **variables))["notifications"]


async def test_a_page_and_what_was_read(world: World) -> None:
    await world.add("ada", "bob", "cat")
    post_id = await world.post("ada", "look")
    await like_post(world.backends, viewer_id=world.ids["bob"], post_id=post_id)
    await process_activities(world.backends)
    edge, _ = await add_comment(world.backends, viewer_id=world.ids["cat"], post_id=post_id, body="I do")
    assert edge is not None
    await process_activities(world.backends)
    page = await listed(world, "ada")
    assert page["unreadCount"] == 2
    newest, older = (edge["node"] for edge in page["edges"])
    shown = {"id": to_global_id("Post", post_id), "text": "look", "author": {"username": "ada"}}
    assert newest["comment"] == {"id": to_global_id("Comment", edge.node.id), "text": "I do"}
    assert (newest["kind"], newest["isRead"], newest["post"]) == ("COMMENT", False, shown)
    assert [actor["username"] for actor in newest["actors"]] == ["cat"]
    assert (older["kind"], older["actorCount"], older["comment"]) == ("LIKE", 1, None)

    first = await listed(world, "ada", first=1)
    assert first["pageInfo"]["hasNextPage"]
    second = await listed(world, "ada", first=1, after=first["pageInfo"]["endCursor"])
    assert [edge["node"] for edge in first["edges"] + second["edges"]] == [newest, older]
    failed = await answer(world, "bob", LIST, after=first["pageInfo"]["endCursor"])
    assert failed["errors"][0]["extensions"] == {"code": "INVALID_CURSOR"}

    by_id = [newest["id"], older["id"]]
    assert (await ask(world, "ada", NODES, ids=by_id))["nodes"] == [newest, older]
    for stranger in ("bob", None):
        assert (await ask(world, stranger, NODES, ids=by_id))["nodes"] == [None, None]

    read = "markNotificationsRead"
    assert await mutate(world, "ada", read, "unreadCount", notificationId=older["id"]) == {"unreadCount": 1, "userErrors": []}
    assert await mutate(world, "ada", read, "unreadCount", notificationId=newest["id"]) == {"unreadCount": 0, "userErrors": []}
    assert await mutate(world, "ada", read, "unreadCount", notificationId=older["id"]) == {"unreadCount": 0, "userErrors": []}
    assert [edge["node"]["isRead"] for edge in (await listed(world, "ada"))["edges"]] == [True, True]
    absent = [to_global_id("Notification", 5), "junk", to_global_id("Post", post_id)]
    refusals = [await mutate(world, "bob", read, "unreadCount", notificationId=each) for each in (newest["id"], *absent)]
    wrong = {"field": ["notificationId"], "code": "NOT_FOUND", "message": "there is no such notification"}
    assert refusals == [{"unreadCount": None, "userErrors": [wrong]}] * 4


async def test_who_may_ask_and_for_how_much(world: World) -> None:
    await world.add("ada")
    assert (await answer(world, None, LIST))["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert (await answer(world, "ada", LIST, first=101))["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
    assert await listed(world, "ada", first=0) == {
        "unreadCount": 0, "edges": [], "pageInfo": {"hasNextPage": False, "endCursor": None},
    }  # fmt: skip


async def test_one_costs_as_many_statements_as_fifty(world: World) -> None:
    await world.add("ada", "bob", "cat")
    for number in range(50):
        author = ("ada", "cat")[number % 2]
        post_id = await world.post(author, f"post {number}")
        for body in ("@ada one", "@ada two")[: 1 + number % 2]:
            await add_comment(world.backends, viewer_id=world.ids["bob"], post_id=post_id, body=f"{body} {number}")
    while (await process_activities(world.backends)).taken:
        pass
    counts = []
    for size in (2, 50):
        with count_queries(world.backends) as counted:
            page = await listed(world, "ada", first=size)
        assert len(page["edges"]) == size
        assert all(edge["node"]["comment"]["text"].startswith("@ada") for edge in page["edges"])
        counts.append(counted.count)
    assert counts[0] == counts[1], counted.statements
