"""Reports: who may report what, once, and what becomes of them."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from domain.errors import RefusalCode, RefusedError
from domain.moderation import ReportedPost, ReportReason
from domain.records import Visibility
from services.graph.block_user import block_user
from services.moderation.remove_post import remove_post
from services.posts.delete_post import delete_post
from services.reports.dismiss_reports import dismiss_reports
from services.reports.list_reported_posts import list_reported_posts
from services.reports.report_post import MAX_COMMENT_LENGTH, report_post
from tests.world import World


async def report(
    world: World, reporter: str, post_id: int, reason: ReportReason = ReportReason.SPAM, comment: str = ""
) -> None:
    await report_post(world.backends, reporter_id=world.ids[reporter], post_id=post_id, reason=reason, comment=comment)


async def reported(world: World, *, is_all: bool = False) -> list[ReportedPost]:
    return await list_reported_posts(world.backends, is_all=is_all, size=100)


async def refusal(world: World, reporter: str, post_id: int, comment: str = "") -> tuple[RefusalCode, tuple[str, ...] | None]:
    with pytest.raises(RefusedError) as refused:
        await report(world, reporter, post_id, comment=comment)
    (only,) = refused.value.refusals
    return only.code, only.field


async def test_reports_are_grouped_by_post_the_newest_first(world: World) -> None:
    await world.add("ada", "bob", "eve", "zoe")
    first, second = await world.post("ada", "one"), await world.post("bob", "two")
    await report(world, "bob", first, ReportReason.SPAM, "an advertisement")
    await report(world, "zoe", second, ReportReason.OTHER, " \n")
    await report(world, "eve", first, ReportReason.ABUSE)
    await report(world, "zoe", first, ReportReason.SPAM, "sent to me, too")
    one, two = await reported(world)
    assert (one.post_id, one.author, one.text, one.count, one.is_closed) == (first, "ada", "one", 3, False)
    assert one.reasons == {ReportReason.SPAM: 2, ReportReason.ABUSE: 1}
    assert one.comments == ["sent to me, too", "an advertisement"]
    assert one.first_at < one.newest_at
    assert (two.post_id, two.count, two.comments) == (second, 1, [])
    assert [post.post_id for post in await list_reported_posts(world.backends, is_all=False, size=1)] == [first]


async def test_a_second_report_changes_nothing(world: World) -> None:
    await world.add("ada", "bob")
    post_id = await world.post("ada")
    await asyncio.gather(*(report(world, "bob", post_id, reason) for reason in ReportReason))
    (before,) = await reported(world)
    await report(world, "bob", post_id, ReportReason.ILLEGAL, "more")
    assert await reported(world) == [before]
    assert before.count == 1


async def test_what_cannot_be_reported(world: World) -> None:
    await world.add("ada", "bob", "eve")
    public = await world.post("ada")
    private = await world.post("ada", visibility=Visibility.PRIVATE)
    friends = await world.post("ada", visibility=Visibility.FRIENDS)
    gone = await world.post("ada")
    await delete_post(world.backends, author_id=world.ids["ada"], post_id=gone)
    await block_user(world.backends, viewer_id=world.ids["ada"], user_id=world.ids["eve"])
    not_found = (RefusalCode.NOT_FOUND, ("postId",))
    for post_id in (private, friends, gone, 0, 5, (1 << 63) - 1):
        assert await refusal(world, "bob", post_id) == not_found
    assert await refusal(world, "eve", public) == not_found
    assert await refusal(world, "ada", public) == (RefusalCode.SELF_REFERENCE, ("postId",))
    assert await refusal(world, "bob", public, "x" * (MAX_COMMENT_LENGTH + 1)) == (RefusalCode.TOO_LONG, ("comment",))
    assert await refusal(world, "bob", public, "\0") == (RefusalCode.INVALID, ("comment",))
    assert await reported(world, is_all=True) == []
    await report(world, "bob", public, comment="x" * MAX_COMMENT_LENGTH)


async def test_of_a_share_without_words_the_original_is_reported(world: World) -> None:
    await world.add("ada", "bob", "eve")
    post_id = await world.post("ada")
    share, quote = await world.share("bob", post_id), await world.share("bob", post_id, "look")
    await report(world, "eve", share)
    await report(world, "bob", share)
    await report(world, "eve", quote)
    assert await refusal(world, "ada", share) == (RefusalCode.SELF_REFERENCE, ("postId",))
    assert [(post.post_id, post.count) for post in await reported(world)] == [(quote, 1), (post_id, 2)]


async def test_dismissed_and_removed_posts_are_off_the_list(world: World) -> None:
    await world.add("ada", "bob", "eve")
    posts = [await world.post("ada") for _ in range(3)]
    for post_id in posts:
        await report(world, "bob", post_id)
        await report(world, "eve", post_id)
    assert await dismiss_reports(world.backends, post_id=posts[0]) == 2
    assert await dismiss_reports(world.backends, post_id=posts[0]) == 0
    assert await remove_post(world.backends, post_id=posts[1])
    await delete_post(world.backends, author_id=world.ids["ada"], post_id=posts[2])
    await report(world, "bob", posts[0])
    assert await reported(world) == []
    listed = await reported(world, is_all=True)
    assert [(post.post_id, post.is_closed, post.is_deleted) for post in listed] == [
        (posts[2], True, True),
        (posts[1], True, True),
        (posts[0], True, False),
    ]
    async with world.backends.database.reading() as session:
        left = (await session.execute(text("SELECT count(*) FROM reports WHERE handled_at IS NULL"))).scalar_one()
    assert left == 2
    for unknown in (0, -1, 5, 1 << 63, 1 << 70):
        assert await dismiss_reports(world.backends, post_id=unknown) == 0
