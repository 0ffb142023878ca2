"""The quick way to a page and the long one are one way as far as anybody can see, at once after every change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.feed import FeedPage, FeedReasonKind, FeedRule
from domain.feed_rule import FeedRules, Reason, judge_reason, shows_all_public_posts
from domain.ids import MAX_ID
from domain.records import PostFacts, PostRecord, Relation, UserRecord, Visibility
from services.feeds import read_home_feed
from tests.services.feeds.quick_world import STEPS, QuickWorld, mute
from tests.world import World, ids

SOON = timedelta(seconds=3)
DAY = timedelta(days=1)


@pytest.fixture
async def quick(world: World) -> QuickWorld:
    return await QuickWorld.made(world)


@pytest.fixture
def no_long_way(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    async def never(*_: object) -> FeedPage:
        raise AssertionError("the long way was taken")

    return lambda: monkeypatch.setattr(read_home_feed, "_read_primary", never)


async def test_the_usual_page_is_read_the_quick_way(quick: QuickWorld, no_long_way: Callable[[], None]) -> None:
    expected = await quick.whole()
    assert len(expected) == 25
    no_long_way()
    page = await quick.page("vera", 4)
    found = ids(page)
    while page.page_info.has_next_page:
        page = await quick.page("vera", 4, page.page_info.end_cursor)
        found += ids(page)
    assert found == expected


@pytest.mark.parametrize("name", ["shared", "hashtag", "daily limit", "every word muted", "mute", "for friends now", "deleted"])
async def test_what_is_less_usual_is_read_the_quick_way_too(
    quick: QuickWorld, no_long_way: Callable[[], None], name: str
) -> None:
    await STEPS[name](quick)
    await quick.drain()
    expected = await quick.whole()
    no_long_way()
    assert ids(await quick.page("vera", 10)) == expected[:10]


@pytest.mark.parametrize("name", STEPS)
async def test_both_ways_agree_at_once_after_every_change(quick: QuickWorld, name: str) -> None:
    await quick.whole()
    await STEPS[name](quick)
    first = await quick.both()
    whole = await quick.whole()
    assert ids(first) == whole[:20]
    await quick.drain()
    assert await quick.whole() == whole


async def test_a_mute_ends_by_time_alone(quick: QuickWorld) -> None:
    before = await quick.whole()
    await mute("ada", SOON)(quick)
    muted = await quick.both()
    assert quick.ids["ada"] not in {entry.node.author_id for entry in muted.edges}
    await asyncio.sleep(SOON.total_seconds())
    assert await quick.whole() == before


_USERS = st.builds(
    UserRecord,
    id=st.just(2),
    external_id=st.just("a"),
    username=st.just("ada"),
    display_name=st.just("Ada"),
    bio=st.just(""),
    avatar_url=st.none(),
    is_verified=st.booleans(),
    is_private=st.booleans(),
    is_suspended=st.booleans(),
    is_shadow_banned=st.booleans(),
    created_at=st.just(datetime(2020, 1, 1, tzinfo=UTC)),
    follower_count=st.just(0),
    following_count=st.just(0),
    post_count=st.just(0),
)
_RELATIONS = st.builds(
    Relation,
    follows=st.booleans(),
    is_followed_by=st.booleans(),
    has_requested=st.booleans(),
    is_blocking=st.booleans(),
    is_blocked_by=st.booleans(),
    is_muting=st.booleans(),
    close_friend=st.booleans(),
    hide_shares=st.booleans(),
    daily_limit=st.none() | st.integers(1, 3),
    kept_until=st.none() | st.just(MAX_ID),
)


@given(_USERS, _RELATIONS, st.integers(0, 3))
def test_of_whom_all_public_posts_are_shown_each_is(author: UserRecord, relation: Relation, day_rank: int) -> None:
    """The short question is the rule's own answer, wherever it is yes."""
    post = PostRecord(
        id=1 << 40,
        author_id=author.id,
        text="words",
        entity_rows=[],
        location=None,
        visibility=Visibility.PUBLIC,
        created_at=author.created_at,
        edited_at=None,
        is_deleted=False,
        like_count=0,
        comment_count=0,
        share_count=0,
        delivery=None,
        shared_post_id=None,
        is_plain_share=False,
    )
    verdict = judge_reason(Reason(PostFacts(post, author, relation), day_rank=day_rank), FeedRules(1, DAY))
    for_friends = replace(post, visibility=Visibility.FRIENDS)
    as_friend = judge_reason(Reason(PostFacts(for_friends, author, relation), day_rank=day_rank), FeedRules(1, DAY))
    if shows_all_public_posts(author, relation):
        assert verdict.rule is FeedRule.SHOWN
        assert verdict.kinds == (FeedReasonKind.FOLLOWED_AUTHOR,)
        assert (as_friend.rule is FeedRule.SHOWN) == relation.is_followed_by
    elif relation.follows and relation.daily_limit is None:
        assert verdict.rule is not FeedRule.SHOWN, "no more are left to the long question than must be"
