"""Charging operations and follows: who pays, what is said to whoever cannot, and what happens without Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
from sqlalchemy import text

from cache.rate_limits import RateLimits
from domain.errors import RateLimitedError
from domain.ids import make_id
from domain.limits import FOLLOW_CHURN, MUTATION, MUTATIONS, NEWCOMER_FOLLOW, QUERIES, QUERY, Budget, Charge
from services.backends import Backends
from services.graph.follow_user import follow_user
from services.graph.unfollow_user import unfollow_user
from services.observer import SilentObserver
from services.protection import charge_operation as charging
from services.protection.budgets import Budgets
from services.protection.charge_operation import OperationKind, charge_operation
from services.protection.local_budgets import LocalBudgets
from settings import Settings
from tests.databases import backends_with
from tests.services.graph.facts import query
from tests.world import World

_people = count()


class CountingObserver(SilentObserver):
    def __init__(self) -> None:
        self.exhausted: list[str] = []

    def budget_was_exhausted(self, *, budget: str) -> None:
        self.exhausted.append(budget)


@pytest.fixture
async def limited(settings: Settings) -> AsyncIterator[Backends]:
    async with backends_with(settings, limits="on") as opened:
        yield opened


@pytest.fixture
def subject() -> str:
    return f"somebody {id(_people)} {next(_people)}"


@pytest.fixture
def address() -> str:
    return f"address {id(_people)} {next(_people)}"


async def charge(
    budgets: Budgets | None, kind: OperationKind, subject: str | None, address: str | None, **fields: int
) -> dict[str, int]:
    assert budgets is not None
    left = await charge_operation(budgets, kind=kind, root_fields=fields, subject=subject, address=address)
    return {one.budget.name: one.remaining for one in left}


async def test_each_root_field_has_a_budget_of_its_own(limited: Backends, subject: str, address: str) -> None:
    kind = OperationKind.MUTATION
    assert await charge(limited.budgets, kind, subject, address, createPost=2, likePost=1) == {
        "createPost": 198,
        "likePost": 599,
        "mutation": 2_997,
    }
    assert (await charge(limited.budgets, kind, subject, address, createPost=1))["createPost"] == 197
    assert await charge(limited.budgets, kind, subject + "'", address, createPost=1) == {"createPost": 199, "mutation": 2_999}


async def test_nothing_is_charged_for_what_is_refused(limited: Backends, subject: str, address: str) -> None:
    kind = OperationKind.MUTATION
    await charge(limited.budgets, kind, subject, address, createPost=200)
    with pytest.raises(RateLimitedError) as refused:
        await charge(limited.budgets, kind, subject, address, createPost=1, likePost=4)
    assert refused.value.budget == "createPost"
    assert refused.value.extensions == {"retryAfter": refused.value.retry_after_seconds, "budget": "createPost"}
    assert 0 < refused.value.retry_after_seconds <= 6
    assert (await charge(limited.budgets, kind, subject, address, likePost=1))["likePost"] == 599


async def test_all_people_of_an_address_share_one_budget(
    limited: Backends, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The real ones are refilled faster than a test can look.
    monkeypatch.setitem(charging._WHOLE, OperationKind.QUERY, Budget("query", 20, 20, 3_600))
    for person in range(10):
        await charge(limited.budgets, OperationKind.QUERY, f"{address} {person}", address, viewer=20)
    with pytest.raises(RateLimitedError) as refused:
        await charge(limited.budgets, OperationKind.QUERY, f"{address} 11", address, viewer=1)
    assert refused.value.budget == "address.query"
    assert await charge(limited.budgets, OperationKind.QUERY, f"{address} 11", None, viewer=1) == {"query": 19}


async def test_without_a_token_the_address_pays_for_everything(
    limited: Backends, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charging, "ANONYMOUS", Budget("anonymous", 10, 10, 3_600))
    for kind, cost in ((OperationKind.QUERY, 5), (OperationKind.MUTATION, 3), (OperationKind.SUBSCRIPTION, 2)):
        assert await charge(limited.budgets, kind, None, address, anything=cost) == {}
    with pytest.raises(RateLimitedError) as refused:
        await charge(limited.budgets, OperationKind.QUERY, None, address, viewer=1)
    assert refused.value.budget == "anonymous"


async def test_dear_queries_are_charged_besides(limited: Backends, subject: str, address: str) -> None:
    left = await charge(limited.budgets, OperationKind.QUERY, subject, address, missedFeedEvents=1, viewer=1)
    assert left == {"missedFeedEvents": QUERIES["missedFeedEvents"].burst - 1, "query": QUERY.burst - 2}


async def test_five_hundred_operations_at_once(limited: Backends, subject: str, address: str) -> None:
    async def one() -> bool:
        try:
            await charge(limited.budgets, OperationKind.MUTATION, subject, address, createPost=1)
        except RateLimitedError:
            return False
        return True

    assert sum(await asyncio.gather(*(one() for _ in range(500)))) == MUTATIONS["createPost"].burst


# ---------------------------------------------------------------- without Redis


async def test_without_redis_a_quarter_is_left(limited: Backends, subject: str, address: str) -> None:
    observer = CountingObserver()
    budgets = Budgets(RateLimits(limited.redis), observer)
    limited.redis._closed_until = float("inf")
    for remaining in reversed(range(MUTATIONS["createPost"].burst // 4)):
        left = await charge(budgets, OperationKind.MUTATION, subject, address, createPost=1)
        assert left["createPost"] == remaining
    with pytest.raises(RateLimitedError) as refused:
        await charge(budgets, OperationKind.MUTATION, subject, address, createPost=1)
    assert 0 < refused.value.retry_after_seconds <= 24
    assert observer.exhausted == ["createPost"]
    assert await charge(budgets, OperationKind.QUERY, subject, address, viewer=1_000) == {"query": 0}


def test_local_budgets_charge_all_or_none() -> None:
    local = LocalBudgets()
    narrow, wide = Budget("narrow", 4, 1, 3_600), Budget("wide", 400, 1, 3_600)
    assert isinstance(local.take([Charge("a", narrow)]), list)
    assert not isinstance(local.take([Charge("a", wide, 50), Charge("a", narrow)]), list)
    answer = local.take([Charge("a", wide)])
    assert isinstance(answer, list)
    assert answer[0].remaining == 99


# ---------------------------------------------------------------- follows


async def test_following_back_and_forth_ends(limited: Backends) -> None:
    world = World(limited)
    await world.add("ada", "bob", "eve")
    for _ in range(FOLLOW_CHURN.burst // 2):
        await world.follow("ada", "bob")
        # What changes nothing costs nothing.
        await world.follow("ada", "bob")
        await world.unfollow("ada", "bob")
    with pytest.raises(RateLimitedError) as refused:
        await world.follow("ada", "bob")
    assert refused.value.budget == "followChurn"
    assert await query(world, "SELECT count(*) FROM follows") == [(0,)]
    assert await query(world, "SELECT following_count FROM users WHERE username = 'ada'") == [(0,)]
    await world.follow("ada", "eve")
    await world.follow("bob", "ada")


async def test_requests_count_as_follows(limited: Backends) -> None:
    world = World(limited)
    await world.add("ada", "bob")
    async with limited.database.writing() as session:
        await session.execute(text("UPDATE users SET is_private = true WHERE username = 'bob'"))
    for _ in range(FOLLOW_CHURN.burst // 2):
        await world.follow("ada", "bob")
        await world.unfollow("ada", "bob")
    with pytest.raises(RateLimitedError):
        await world.follow("ada", "bob")
    assert await query(world, "SELECT count(*) FROM follow_requests") == [(0,)]


async def test_many_at_once_follow_once(limited: Backends) -> None:
    world = World(limited)
    await world.add("ada", "bob")
    ada, bob = world.ids["ada"], world.ids["bob"]
    await asyncio.gather(*(follow_user(limited, follower_id=ada, followee_id=bob) for _ in range(40)))
    assert await query(world, "SELECT count(*) FROM follows") == [(1,)]
    await unfollow_user(limited, follower_id=ada, followee_id=bob)


async def test_newcomers_follow_fewer(limited: Backends) -> None:
    world = World(limited)
    await world.add("ada", "bob", "old")
    assert limited.budgets is not None
    await limited.budgets.charge([Charge(f"n{world.ids['ada']}", NEWCOMER_FOLLOW, 200)])
    with pytest.raises(RateLimitedError) as refused:
        await world.follow("ada", "bob")
    assert refused.value.budget == "newcomerFollow"
    # An account's id tells since when it exists.
    async with limited.database.writing() as session:
        old = make_id(milliseconds=1_600_000_000_000, sequence=1, shard=1)
        await session.execute(text("UPDATE users SET id = :id WHERE username = 'old'"), {"id": old})
    await limited.budgets.charge([Charge(f"n{old}", NEWCOMER_FOLLOW, 200)])
    await follow_user(limited, follower_id=old, followee_id=world.ids["bob"])


def test_newcomers_may_still_do_a_lot() -> None:
    assert NEWCOMER_FOLLOW.burst >= 200
    assert MUTATION.burst >= 3_000
