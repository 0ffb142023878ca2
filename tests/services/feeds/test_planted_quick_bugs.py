"""Mistakes in the quick way to a page, each of which the comparison with the long way must find."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import pytest

from db import post_versions, shut_out, viewer_looks
from domain.records import PostFacts, Relation
from services.feeds import quick_candidates, remembered_facts
from services.memory import known_viewers
from services.memory.gathered_facts import GatheredFacts
from services.memory.memory import Memory
from tests.services.feeds.quick_world import STEPS, QuickWorld
from tests.stories.planting import Patch, change_sql
from tests.world import World


async def _nothing(*_: object, **__: object) -> None:
    return None


async def _no_ids(*_: object, **__: object) -> list[int]:
    return []


async def _no_shares(*_: object) -> Mapping[int, list[tuple[int, int]]]:
    return {}


def _versions_not_renewed(patch: Patch, _: Memory) -> None:
    patch.setattr(shut_out, "renew_rows", _nothing)


def _versions_not_compared(patch: Patch, _: Memory) -> None:
    patch.setattr(known_viewers, "_is_still", lambda *_: True)


def _pulled_version_not_compared(patch: Patch, _: Memory) -> None:
    patch.setattr(known_viewers, "_is_still", lambda known, look: known.version == look.version)


def _open_posts_forgotten(patch: Patch, _: Memory) -> None:
    patch.setattr(quick_candidates, "_open_ids", lambda *_: [])


def _own_posts_forgotten(patch: Patch, _: Memory) -> None:
    change_sql(patch, viewer_looks, "_LOOKS", "p.id < a.below", "p.id < 0")


def _own_posts_end_with_the_look(patch: Patch, _: Memory) -> None:
    patch.setattr(known_viewers, "OWN_SIZE", 1)
    change_sql(patch, viewer_looks, "_LOOKS", "LIMIT :own_size", "LIMIT :own_size - 1")


def _post_not_compared(patch: Patch, _: Memory) -> None:
    change_sql(patch, post_versions, "_CHANGED", "<> k.version", "< 0 * k.version")


def _counts_on_their_way_not_compared(patch: Patch, _: Memory) -> None:
    change_sql(patch, post_versions, "_CHANGED", "OR coalesce(q.likes, 0) <> coalesce(k.likes, 0)", "")


def _author_not_compared(patch: Patch, _: Memory) -> None:
    change_sql(patch, post_versions, "_CHANGED", "<< 32 | u.xmin::text::bigint)", "<< 32)")


def _authors_judged_once(patch: Patch, _: Memory) -> None:
    kept: dict[tuple[int, int], PostFacts] = {}

    def careless(known: post_versions.KnownPost, relation: Relation) -> PostFacts:
        return kept.setdefault((known.post.id, id(relation)), known.facts_for(relation))

    patch.setattr(post_versions.KnownPost, "plain_facts_for", careless)


def _tagged_forgotten(patch: Patch, _: Memory) -> None:
    patch.setattr(GatheredFacts, "tagged_ids", _no_ids)


def _shares_forgotten(patch: Patch, _: Memory) -> None:
    patch.setattr(GatheredFacts, "plain_shares", _no_shares)


def _strangers_are_nobody(patch: Patch, _: Memory) -> None:
    async def none(*_: object) -> dict[int, object]:
        return {}

    patch.setattr(GatheredFacts, "relations", none)


def _limits_forgotten(patch: Patch, _: Memory) -> None:
    async def first(_facts: object, post_ids: list[int]) -> dict[int, int]:
        return dict.fromkeys(post_ids, 0)

    patch.setattr(remembered_facts.RememberedFacts, "day_ranks", first)


PLANTS: dict[str, tuple[Callable[[Patch, Memory], None], str]] = {
    "versions_not_renewed": (_versions_not_renewed, "mute"),
    "versions_not_compared": (_versions_not_compared, "unfollow"),
    "pulled_version_not_compared": (_pulled_version_not_compared, "an author grows too large"),
    "open_posts_forgotten": (_open_posts_forgotten, "a post under way"),
    "own_posts_forgotten": (_own_posts_forgotten, "an own post"),
    "own_posts_end_with_the_look": (_own_posts_end_with_the_look, "an own post"),
    "post_not_compared": (_post_not_compared, "edited"),
    "counts_on_their_way_not_compared": (_counts_on_their_way_not_compared, "liked"),
    "author_not_compared": (_author_not_compared, "other name"),
    "authors_judged_once": (_authors_judged_once, "mute"),
    "tagged_forgotten": (_tagged_forgotten, "hashtag"),
    "shares_forgotten": (_shares_forgotten, "an old one shared"),
    "strangers_are_nobody": (_strangers_are_nobody, "shared and then blocked"),
    "limits_forgotten": (_limits_forgotten, "daily limit"),
}


@pytest.mark.parametrize("name", PLANTS)
async def test_a_mistake_is_found(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    quick = await QuickWorld.made(world)
    await quick.whole()
    assert quick.backends.memory is not None
    plant, step = PLANTS[name]
    plant(monkeypatch, quick.backends.memory)
    with pytest.raises(AssertionError):
        await _after(quick, STEPS[step])


async def _after(quick: QuickWorld, step: Callable[[QuickWorld], Awaitable[object]]) -> None:
    await quick.whole()
    await step(quick)
    await quick.whole()
    await quick.drain()
    await quick.whole()


async def test_without_a_mistake_nothing_is_found(world: World) -> None:
    quick = await QuickWorld.made(replace(world))
    for step in ("edited", "shared and then blocked", "an author grows too large"):
        await _after(quick, STEPS[step])
