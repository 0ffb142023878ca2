"""What people set about one another, as clients do it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.ids import to_global_id
from tests.app.web.people_of_a_server import ERRORS, UNKNOWN_ID, account, done, execute, mutate, number_of, refused
from tests.app.web.running_server import RunningServer, codes, token_for

RELATION = """
  username viewerFollowState followsViewer viewerIsMuting viewerMutedUntil viewerIsBlocking
  viewerFollow { closeFriend hideShares dailyLimit }
"""
STRANGER: dict[str, Any] = {
    "viewerFollowState": "NOT_FOLLOWING",
    "followsViewer": False,
    "viewerIsMuting": False,
    "viewerMutedUntil": None,
    "viewerIsBlocking": False,
    "viewerFollow": None,
}
PLAIN = {"closeFriend": False, "hideShares": False, "dailyLimit": None}
# Every mutation on another account, with whatever else its input may have.
MUTATIONS: dict[str, dict[str, Any]] = {
    "followUser": {},
    "unfollowUser": {},
    "updateFollow": {"closeFriend": True, "dailyLimit": -1},
    "removeFollower": {},
    "answerFollowRequest": {"accept": True},
    "blockUser": {},
    "unblockUser": {},
    "muteUser": {"until": "2001-02-03T04:05:06Z"},
    "unmuteUser": {},
}
VIEWER_TOO = {"followUser", "unfollowUser", "removeFollower", "answerFollowRequest", "blockUser"}
every_mutation = pytest.mark.parametrize("mutation", MUTATIONS)


async def seen(web: RunningServer, viewer: str, name: str) -> Any:
    found = (await web.data(f"query ($n: String!) {{ user(username: $n) {{ {RELATION} }} }}", token_for(viewer), n=name))[
        "user"
    ]
    assert found is None or found.pop("username") == name
    return found


async def test_follow_settings(web: RunningServer) -> None:
    ada = await account(web, "f_ada")
    await done(web, "f_bob", "followUser", userId=ada)
    assert await seen(web, "f_bob", "f_ada") == STRANGER | {"viewerFollowState": "FOLLOWING", "viewerFollow": PLAIN}
    selection = "user { viewerFollow { closeFriend hideShares dailyLimit } }"
    for change, expected in (
        ({}, PLAIN),
        ({"closeFriend": True, "dailyLimit": 3}, {"closeFriend": True, "hideShares": False, "dailyLimit": 3}),
        (
            {"hideShares": True, "dailyLimit": None, "closeFriend": None},
            {"closeFriend": True, "hideShares": True, "dailyLimit": 3},
        ),
        ({"dailyLimit": 0}, {"closeFriend": True, "hideShares": True, "dailyLimit": None}),
        ({"dailyLimit": 1_000_000}, {"closeFriend": True, "hideShares": True, "dailyLimit": 1_000_000}),
    ):
        payload = await done(web, "f_bob", "updateFollow", selection, userId=ada, **change)
        assert payload == {"user": {"viewerFollow": expected}}
    for limit in (-1, 1_000_001):
        assert await refused(web, "f_bob", "updateFollow", userId=ada, dailyLimit=limit) == ("INVALID", ["dailyLimit"])
    assert (await seen(web, "f_ada", "f_bob"))["viewerFollow"] is None
    assert await refused(web, "f_ada", "updateFollow", userId=await account(web, "f_bob")) == ("NOT_FOUND", ["userId"])


async def test_unfollowing_with_and_without_history(web: RunningServer) -> None:
    ada = await account(web, "k_ada")
    for keep in (True, False, None):
        await done(web, "k_bob", "followUser", userId=ada)
        for _ in range(2):
            payload = await done(
                web, "k_bob", "unfollowUser", "user { followerCount } viewer { followingCount }", userId=ada, keepHistory=keep
            )
            assert payload == {"user": {"followerCount": 0}, "viewer": {"followingCount": 0}}
        assert await seen(web, "k_bob", "k_ada") == STRANGER


async def test_a_removed_follower(web: RunningServer) -> None:
    ada, bob = await account(web, "r_ada"), await account(web, "r_bob")
    await done(web, "r_bob", "followUser", userId=ada)
    for _ in range(2):
        payload = await done(web, "r_ada", "removeFollower", "user { id followsViewer } viewer { followerCount }", userId=bob)
        assert payload == {"user": {"id": bob, "followsViewer": False}, "viewer": {"followerCount": 0}}


async def test_a_block_hides_the_one_and_lets_the_other_unblock(web: RunningServer) -> None:
    ada, bob = await account(web, "b_ada"), await account(web, "b_bob")
    await done(web, "b_bob", "followUser", userId=ada)
    for _ in range(2):
        payload = await done(
            web, "b_ada", "blockUser", "user { viewerIsBlocking followsViewer } viewer { id followerCount }", userId=bob
        )
        assert payload == {
            "user": {"viewerIsBlocking": True, "followsViewer": False},
            "viewer": {"id": ada, "followerCount": 0},
        }
    assert await seen(web, "b_bob", "b_ada") is None
    assert (await web.data("query ($i: ID!) { node(id: $i) { id } }", token_for("b_bob"), i=ada)) == {"node": None}
    assert await seen(web, "b_ada", "b_bob") == STRANGER | {"viewerIsBlocking": True}
    listed = await web.data("{ blockedUsers { nodes { id } edges { cursor } pageInfo { hasNextPage } } }", token_for("b_ada"))
    assert listed["blockedUsers"]["nodes"] == [{"id": bob}]
    for _ in range(2):
        payload = await done(web, "b_ada", "unblockUser", "user { viewerIsBlocking }", userId=bob)
        assert payload == {"user": {"viewerIsBlocking": False}}
    assert await seen(web, "b_bob", "b_ada") == STRANGER
    assert (await web.data("{ blockedUsers { nodes { id } } }", token_for("b_ada"))) == {"blockedUsers": {"nodes": []}}


async def test_mutes_with_and_without_an_end(web: RunningServer) -> None:
    bob = await account(web, "m_bob")
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    selection = "user { viewerIsMuting viewerMutedUntil }"
    for fields, until in (({"until": end}, end), ({"until": None}, None), ({"until": end}, end), ({}, None)):
        payload = await done(web, "m_ada", "muteUser", selection, userId=bob, **fields)
        assert payload == {"user": {"viewerIsMuting": True, "viewerMutedUntil": until}}
    assert (await web.data("{ mutedUsers { nodes { id } } }", token_for("m_ada"))) == {"mutedUsers": {"nodes": [{"id": bob}]}}
    assert (await web.data("{ mutedUsers { nodes { id } } }", token_for("m_bob"))) == {"mutedUsers": {"nodes": []}}
    for past in ("2001-02-03T04:05:06Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999+14:00"):
        assert await refused(web, "m_ada", "muteUser", userId=bob, until=past) == ("INVALID", ["until"])
    payload = await done(web, "m_ada", "muteUser", selection, userId=bob, until="9999-12-31T23:59:59.999999999Z")
    assert payload == {"user": {"viewerIsMuting": True, "viewerMutedUntil": "9999-12-31T23:59:59.999Z"}}
    for _ in range(2):
        payload = await done(web, "m_ada", "unmuteUser", selection, userId=bob)
        assert payload == {"user": {"viewerIsMuting": False, "viewerMutedUntil": None}}


@pytest.mark.parametrize(
    "until", ["tomorrow", "2030-01-01", "2030-01-01T00:00:00", "9999-12-31T23:59:59-12:00", 5, True, "", "2030-13-01T00:00:00Z"]
)
async def test_what_is_no_instant_is_refused_before_anything_is_done(web: RunningServer, until: object) -> None:
    query = "mutation ($input: MuteUserInput!) { muteUser(input: $input) { user { id } } }"
    fields = {"userId": await account(web, "i_bob"), "until": until}
    answer = (await web.post({"query": query, "variables": {"input": fields}}, token=token_for("i_ada"))).json()
    assert codes(answer) == ["BAD_USER_INPUT"]
    written = query.replace("($input: MuteUserInput!)", "").replace(
        "$input", f"{{userId: {json.dumps(fields['userId'])}, until: {json.dumps(until)}}}"
    )
    answer = (await web.post({"query": written}, token=token_for("i_ada"))).json()
    assert codes(answer) == ["GRAPHQL_VALIDATION_FAILED"]
    assert not (await seen(web, "i_ada", "i_bob"))["viewerIsMuting"]


@every_mutation
async def test_hidden_accounts_answer_as_if_they_did_not_exist(web: RunningServer, mutation: str) -> None:
    hidden = {why: await account(web, f"{mutation}_{why}") for why in ("blocker", "suspended", "banned")}
    viewer = await account(web, f"{mutation}_viewer")
    await done(web, f"{mutation}_blocker", "blockUser", userId=viewer)
    await execute(web, "UPDATE users SET suspended_at = now() WHERE id = $1", number_of(hidden["suspended"]))
    await execute(web, "UPDATE users SET shadow_banned_at = now() WHERE id = $1", number_of(hidden["banned"]))
    parts = "user { id username }" + (" viewer { id }" if mutation in VIEWER_TOO else "")
    query = (
        f"mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!) {{ {mutation}(input: $input) {{ {parts} {ERRORS} }} }}"
    )
    answers = set()
    for user_id in (
        *hidden.values(),
        UNKNOWN_ID,
        "",
        "nonsense",
        to_global_id("User", 0),
        to_global_id("Post", number_of(viewer)),
    ):
        fields = {"userId": user_id} | MUTATIONS[mutation]
        answer = await web.post({"query": query, "variables": {"input": fields}}, token=token_for(f"{mutation}_viewer"))
        assert answer.status_code == 200
        # What is left of the budget is the asker's own affair, and changes with every request.
        answers.add(answer.content.partition(b',"extensions":{"rateLimit":')[0])
    (same,) = answers
    assert b'"code":"NOT_FOUND"' in same
    assert b'"user":null' in same


@every_mutation
async def test_nobody_does_it_to_themselves_or_without_signing_in(web: RunningServer, mutation: str) -> None:
    viewer = await account(web, "s_viewer")
    fields = {"userId": viewer} | MUTATIONS[mutation]
    assert await refused(web, "s_viewer", mutation, **fields) == ("SELF_REFERENCE", ["userId"])
    query = f"mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!) {{ {mutation}(input: $input) {{ {ERRORS} }} }}"
    answer = (await web.post({"query": query, "variables": {"input": fields}})).json()
    assert (answer["data"], codes(answer)) == ({mutation: None}, ["UNAUTHENTICATED"])


async def test_own_rows_about_a_suspended_account_can_still_be_taken_back(web: RunningServer) -> None:
    bob = await account(web, "o_bob")
    for mutation in ("followUser", "muteUser"):
        await done(web, "o_ada", mutation, userId=bob)
    await done(web, "o_cat", "blockUser", userId=bob)
    await execute(web, "UPDATE users SET suspended_at = now() WHERE id = $1", number_of(bob))
    for viewer, mutation in (("o_ada", "unfollowUser"), ("o_ada", "unmuteUser"), ("o_cat", "unblockUser")):
        payload = await mutate(web, viewer, mutation, "user { id }", userId=bob)
        assert payload == {"user": None, "userErrors": []}
        assert await refused(web, viewer, mutation, userId=bob) == ("NOT_FOUND", ["userId"])
    await execute(web, "UPDATE users SET suspended_at = NULL WHERE id = $1", number_of(bob))
    assert await seen(web, "o_ada", "o_bob") == await seen(web, "o_cat", "o_bob") == STRANGER


@pytest.mark.parametrize("field", ["blockedUsers", "mutedUsers"])
async def test_lists_page_and_belong_to_their_viewer(web: RunningServer, field: str) -> None:
    names = [f"l_{number}" for number in range(5)]
    mutation = "blockUser" if field == "blockedUsers" else "muteUser"
    viewer = f"l_{mutation}"
    for name in names:
        await done(web, viewer, mutation, userId=await account(web, name))
    query = (
        f"query ($a: String) {{ {field}(first: 2, after: $a) {{ nodes {{ username }} pageInfo {{ hasNextPage endCursor }} }} }}"
    )
    found, cursors, cursor = [], [], None
    while True:
        page = (await web.data(query, token_for(viewer), a=cursor))[field]
        found += [node["username"] for node in page["nodes"]]
        cursor = page["pageInfo"]["endCursor"]
        cursors.append(cursor)
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == names[::-1]
    for token, after in ((token_for("l_0"), cursors[0]), (token_for(viewer), cursors[0][:-2] + "xx"), (token_for(viewer), "")):
        answer = (await web.post({"query": query, "variables": {"a": after}}, token=token)).json()
        assert codes(answer) == ["INVALID_CURSOR"]
    assert codes((await web.post({"query": query})).json()) == ["UNAUTHENTICATED"]
    too_many = (await web.post({"query": query.replace("first: 2", "first: 101")}, token=token_for(viewer))).json()
    assert codes(too_many) == ["BAD_USER_INPUT"]


async def test_anonymous_readers_stand_in_no_relation(web: RunningServer) -> None:
    await account(web, "a_ada")
    found = await web.data(f'{{ user(username: "a_ada") {{ {RELATION} }} }}')
    assert found["user"] == STRANGER | {"username": "a_ada"}
