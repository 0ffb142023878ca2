from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from domain.errors import RefusalCode, RefusedError
from domain.paging import PageRequest
from domain.records import PostRecord, Visibility
from services.accounts.update_profile import update_profile
from services.moderation.remove_post import remove_post
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from services.posts.find_shared_roots import find_shared_roots
from services.posts.list_sharers import list_sharers
from services.posts.list_user_posts import list_user_posts
from services.posts.load_visible_posts import load_visible_posts
from services.posts.share_post import share_post
from services.posts.unshare_post import unshare_post
from tests.services.posts.true_counts import wrong_post_counts
from tests.world import World


@pytest.fixture
async def three(world: World) -> World:
    await world.add("ada", "bob", "cat")
    return world


async def _share(world: World, name: str, post_id: int, body: str = "") -> PostRecord:
    return await share_post(world.backends, author_id=world.ids[name], post_id=post_id, body=body)


async def _unshare(world: World, name: str, post_id: int) -> PostRecord:
    return await unshare_post(world.backends, author_id=world.ids[name], post_id=post_id)


async def _delete(world: World, name: str, post_id: int) -> None:
    await delete_post(world.backends, author_id=world.ids[name], post_id=post_id)


async def _post(world: World, post_id: int) -> PostRecord:
    found = await load_visible_posts(world.backends, [post_id], viewer_id=None)
    return found[post_id].post


async def _code(work: object) -> tuple[RefusalCode, str, object]:
    with pytest.raises(RefusedError) as raised:
        await work  # type: ignore[misc]
    [refusal] = raised.value.refusals
    return refusal.code, refusal.message, refusal.field


NOT_FOUND = (RefusalCode.NOT_FOUND, "there is no such post", ("postId",))


async def test_a_share_without_words_is_one_row_however_often_it_is_asked_for(three: World) -> None:
    root = await three.post("ada")
    first = await _share(three, "bob", root, " \n\u200b ")
    assert (first.is_plain_share, first.shared_post_id, first.text, first.visibility) == (True, root, "", Visibility.PUBLIC)
    assert await _share(three, "bob", root) == first
    assert await _share(three, "bob", first.id) == first
    other = await _share(three, "cat", first.id)
    assert (other.shared_post_id, other.is_plain_share) == (root, True)
    assert (await _post(three, root)).share_count == 2
    async with three.backends.database.reading() as session:
        rows = list(await session.execute(text("SELECT kind, post_id FROM outbox ORDER BY id")))
    assert [tuple(row) for row in rows] == [("post_published", post) for post in (root, first.id, other.id)]
    assert await wrong_post_counts(three.backends) == []


async def test_two_at_once_get_the_same_share(three: World) -> None:
    root = await three.post("ada")
    made = await asyncio.gather(*(_share(three, "bob", root) for _ in range(5)))
    assert len({share.id for share in made}) == 1
    assert (await _post(three, root)).share_count == 1
    assert await wrong_post_counts(three.backends) == []


async def test_quotes_are_posts_of_their_own(three: World) -> None:
    root = await three.post("ada")
    quote = await _share(three, "bob", root, "see @ada #Fine")
    assert (quote.is_plain_share, quote.shared_post_id, quote.text) == (False, root, "see @ada #Fine")
    assert [row["t"] for row in quote.entity_rows] == ["@ada", "#Fine"]
    again = await _share(three, "bob", root, "see @ada #Fine")
    assert again.id != quote.id
    of_quote = await _share(three, "cat", quote.id, "well")
    assert of_quote.shared_post_id == quote.id
    plain = await _share(three, "cat", root)
    assert (await _share(three, "ada", plain.id, "me too")).shared_post_id == root
    assert (await _share(three, "ada", quote.id)).shared_post_id == quote.id
    assert [(await _post(three, post)).share_count for post in (root, quote.id)] == [4, 2]
    assert await wrong_post_counts(three.backends) == []


async def test_only_public_posts_of_public_accounts_are_shared(three: World) -> None:
    friends, private = await three.post("ada", "f", Visibility.FRIENDS), await three.post("ada", "p", Visibility.PRIVATE)
    public = await three.post("ada")
    await three.follow("bob", "ada")
    await three.follow("ada", "bob")
    not_allowed = RefusalCode.NOT_ALLOWED
    for body in ("", "words"):
        assert (await _code(_share(three, "ada", friends, body)))[0] is not_allowed
        assert (await _code(_share(three, "ada", private, body)))[0] is not_allowed
        assert (await _code(_share(three, "bob", friends, body)))[0] is not_allowed
        assert await _code(_share(three, "bob", private, body)) == NOT_FOUND
        assert await _code(_share(three, "cat", friends, body)) == NOT_FOUND
        assert await _code(_share(three, "cat", 12345, body)) == NOT_FOUND
    await update_profile(three.backends, user_id=three.ids["ada"], display_name=None, bio=None, is_private=True)
    assert (await _code(_share(three, "ada", public)))[0] is not_allowed
    assert (await _code(_share(three, "bob", public)))[0] is not_allowed
    assert await _code(_share(three, "cat", public)) == NOT_FOUND


async def test_what_is_wrong_with_words(three: World) -> None:
    root = await three.post("ada")
    assert (await _code(_share(three, "bob", root, "x" * 5_001)))[0] is RefusalCode.TOO_LONG
    assert (await _code(_share(three, "bob", root, "a\0b")))[0] is RefusalCode.INVALID
    quote = await _share(three, "bob", root, "words")
    edit = edit_post(three.backends, author_id=three.ids["bob"], post_id=quote.id, body=" ", visibility=None)
    assert (await _code(edit))[0] is RefusalCode.BLANK
    assert (await _post(three, root)).share_count == 1


async def test_unshare_by_the_original_or_by_the_share(three: World) -> None:
    root = await three.post("ada")
    for given in ("root", "share"):
        share = await _share(three, "bob", root)
        assert (await _unshare(three, "bob", root if given == "root" else share.id)).id == share.id
        assert await _code(_unshare(three, "bob", root)) == NOT_FOUND
        assert await _code(_unshare(three, "bob", share.id)) == NOT_FOUND
    await _share(three, "bob", root, "a quote is no share to take back")
    assert await _code(_unshare(three, "bob", root)) == NOT_FOUND
    assert await _code(_unshare(three, "cat", root)) == NOT_FOUND
    assert await _code(_unshare(three, "cat", 12345)) == NOT_FOUND
    assert (await _post(three, root)).share_count == 1
    assert await wrong_post_counts(three.backends) == []


async def test_deleting_and_changing_shares(three: World) -> None:
    root = await three.post("ada", "about #this")
    plain, quote = await _share(three, "bob", root), await _share(three, "bob", root, "about #that")
    edit = edit_post(three.backends, author_id=three.ids["bob"], post_id=plain.id, body="x", visibility=None)
    assert (await _code(edit))[0] is RefusalCode.NOT_ALLOWED
    await edit_post(three.backends, author_id=three.ids["bob"], post_id=quote.id, body=None, visibility=Visibility.PRIVATE)
    assert (await _post(three, root)).share_count == 2
    await _delete(three, "bob", plain.id)
    await _delete(three, "bob", quote.id)
    assert (await _post(three, root)).share_count == 0
    assert (await _share(three, "bob", root)).id > plain.id
    assert await wrong_post_counts(three.backends) == []


async def test_a_share_is_gone_with_its_original(three: World) -> None:
    root = await three.post("ada")
    share = await _share(three, "bob", root)
    quote = await _share(three, "bob", root, "words")
    await _delete(three, "ada", root)
    found = await load_visible_posts(three.backends, [share.id, quote.id], viewer_id=three.ids["bob"])
    assert list(found) == [quote.id]
    bob = three.ids["bob"]
    for given in (root, share.id):
        assert await _code(_unshare(three, "bob", given)) == NOT_FOUND
        assert await _code(_share(three, "bob", given)) == NOT_FOUND
    assert await _code(_delete(three, "bob", share.id)) == NOT_FOUND
    edit = edit_post(three.backends, author_id=bob, post_id=share.id, body="x", visibility=None)
    assert await _code(edit) == NOT_FOUND
    await _delete(three, "bob", quote.id)
    assert await wrong_post_counts(three.backends) == []


async def test_a_moderator_removes_any_of_them(three: World) -> None:
    root = await three.post("ada", "about #this")
    plain, quote = await _share(three, "bob", root), await _share(three, "bob", root, "about #that")
    for post_id in (plain.id, quote.id, root):
        assert [await remove_post(three.backends, post_id=post_id) for _ in range(2)] == [True, False]
        assert await wrong_post_counts(three.backends) == []
    assert not await remove_post(three.backends, post_id=12345)
    assert await load_visible_posts(three.backends, [root, plain.id, quote.id], viewer_id=three.ids["bob"]) == {}


async def test_a_block_in_either_direction_takes_shares_and_what_is_quoted(three: World) -> None:
    root = await three.post("ada")
    share, quote = await _share(three, "bob", root), await _share(three, "bob", root, "words")
    ids = three.ids
    for blocker, blocked in (("ada", "cat"), ("cat", "ada")):
        async with three.backends.database.writing() as session:
            await session.execute(text("DELETE FROM blocks"))
            await session.execute(text("INSERT INTO blocks VALUES (:a, :b)"), {"a": ids[blocker], "b": ids[blocked]})
        assert list(await load_visible_posts(three.backends, [root, share.id, quote.id], viewer_id=ids["cat"])) == [quote.id]
        page = await list_user_posts(three.backends, author_id=ids["bob"], viewer_id=ids["cat"], page=PageRequest(20, None))
        assert [item.post.id for item in page.nodes] == [quote.id]
        for given in (root, share.id):
            assert await _code(_share(three, "cat", given)) == NOT_FOUND
        assert (await _share(three, "cat", quote.id)).shared_post_id == quote.id


async def test_no_share_of_what_is_hidden_at_the_same_moment(three: World) -> None:
    for round_number in range(8):
        root = await three.post("ada", f"round {round_number}")
        by_ada = _delete(three, "ada", root) if round_number % 2 else _narrow(three, root)
        results = await asyncio.gather(
            by_ada, _share(three, "bob", root), _share(three, "cat", root, "words"), return_exceptions=True
        )
        assert results[0] is None
        shares = [result.id for result in results[1:] if isinstance(result, PostRecord)]
        changed_at = await _event_of(three, root, "post_deleted" if round_number % 2 else "post_edited")
        # Each wrote its event while it held the original.
        assert all([await _event_of(three, share, "post_published") < changed_at for share in shares])
    assert await wrong_post_counts(three.backends) == []


async def _event_of(world: World, post_id: int, kind: str) -> int:
    async with world.backends.database.reading() as session:
        rows = await session.execute(
            text("SELECT id FROM outbox WHERE post_id = :post_id AND kind = :kind"), {"post_id": post_id, "kind": kind}
        )
        return int(rows.scalar_one())


async def _narrow(world: World, post_id: int) -> None:
    await edit_post(world.backends, author_id=world.ids["ada"], post_id=post_id, body=None, visibility=Visibility.FRIENDS)


async def test_sharers_newest_first_and_what_the_viewer_has_shared(three: World) -> None:
    await three.add("dan")
    root, other = await three.post("ada"), await three.post("ada")
    for name in ("bob", "cat", "dan"):
        await _share(three, name, root)
    await _share(three, "bob", other, "a quote")
    ids = three.ids

    async def sharers(viewer: str | None, size: int = 20, cursor: str | None = None) -> tuple[list[int], str | None, bool]:
        page = await list_sharers(
            three.backends, root_id=root, viewer_id=ids[viewer] if viewer else None, page=PageRequest(size, cursor)
        )
        return [user.id for user in page.nodes], page.page_info.end_cursor, page.page_info.has_next_page

    assert (await sharers(None))[0] == [ids["dan"], ids["cat"], ids["bob"]]
    page, cursor, has_more = await sharers("ada", 2)
    assert (page, has_more) == ([ids["dan"], ids["cat"]], True)
    assert (await sharers("ada", 2, cursor))[0] == [ids["bob"]]
    await update_profile(three.backends, user_id=ids["cat"], display_name=None, bio=None, is_private=True)
    assert (await sharers(None))[0] == [ids["dan"], ids["bob"]]
    assert (await sharers("cat"))[0] == [ids["dan"], ids["cat"], ids["bob"]]
    async with three.backends.database.writing() as session:
        await session.execute(text("INSERT INTO blocks VALUES (:a, :b)"), {"a": ids["dan"], "b": ids["bob"]})
    assert (await sharers("dan"))[0] == [ids["dan"]]
    assert (await sharers("bob"))[0] == [ids["bob"]]
    assert await find_shared_roots(three.backends, [root, other], viewer_id=ids["bob"]) == {root: True, other: False}
    await _unshare(three, "bob", root)
    assert await find_shared_roots(three.backends, [root, other], viewer_id=ids["bob"]) == {root: False, other: False}
