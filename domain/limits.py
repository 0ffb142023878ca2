"""How much anybody may do: the budgets, one for every mutation, and what is left of them.

A budget holds `burst` units and is refilled evenly with `count` units in `per_seconds`. What is charged is one root field of an
operation, so aliases multiply the charge. The bookkeeping is the generic cell rate algorithm (ITU-T I.371, the "virtual
scheduling" form): one number a budget, the instant at which it will be full again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

MICROSECONDS = 1_000_000
_HOUR = 3_600.0

ADDRESS_FACTOR = 10
"""What signed-in people behind one address may do together, in multiples of one person's: whole offices share one."""
LOCAL_SHARE = 4
"""While Redis is away each process admits one part in so many by its own count."""
NEWCOMER_SECONDS = _HOUR
"""An account is new for so long."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`burst` units at once, then `count` in `per_seconds`. The name is public: it stands in answers and metrics."""

    name: str
    burst: int
    count: float
    per_seconds: float

    @property
    def interval_us(self) -> int:
        """Microseconds until one unit is there again."""
        return max(1, round(self.per_seconds * MICROSECONDS / self.count))

    @property
    def capacity_us(self) -> int:
        """Microseconds in which an empty budget is full again."""
        return self.burst * self.interval_us

    def for_address(self) -> Budget:
        """The same for all signed-in people behind one address."""
        return replace(self, name=f"address.{self.name}", burst=self.burst * ADDRESS_FACTOR, count=self.count * ADDRESS_FACTOR)

    def for_one_process(self) -> Budget:
        """The part of it that a process admits by its own count."""
        return replace(self, burst=max(1, self.burst // LOCAL_SHARE), count=self.count / LOCAL_SHARE)


@dataclass(frozen=True, slots=True)
class Charge:
    """So many units of a budget that belongs to `owner`, who is a person, an address, or a pair of people."""

    owner: str
    budget: Budget
    cost: int = 1

    @property
    def account(self) -> str:
        """Under which name it is kept."""
        return f"{self.owner}:{self.budget.name}"


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """What is left after a charge. `reset_seconds`: until it is full again, rounded up."""

    budget: Budget
    remaining: int
    reset_seconds: int

    @classmethod
    def after(cls, budget: Budget, used_us: int) -> BudgetLeft:
        """`used_us`: microseconds until the budget is full again."""
        remaining = max(0, budget.capacity_us - used_us) // budget.interval_us
        return cls(budget, remaining, ceil(max(0, used_us) / MICROSECONDS))


def _hourly(name: str, burst: int, count: float | None = None) -> Budget:
    return Budget(name, burst, count if count is not None else burst, _HOUR)


QUERY = Budget("query", 2_000, 100, 1)
MUTATION = Budget("mutation", 3_000, 50, 1)
"""All mutations of a person together."""
SUBSCRIPTION = Budget("subscription", 2_000, 100, 1)
ANONYMOUS = Budget("anonymous", 1_000, 50, 1)
"""Of an address: everything without a token."""

_FAST = ("likePost", "unlikePost", "bookmarkPost", "unbookmarkPost", "markFeedSeen", "markNotificationsRead")
_PUBLISHING = {"createPost": 600, "sharePost": 600, "addComment": 600}
_OTHERS = (
    "updatePost", "deletePost", "unsharePost", "deleteComment", "unfollowUser", "updateFollow", "removeFollower",
    "followHashtag", "unfollowHashtag", "answerFollowRequest", "blockUser", "unblockUser", "muteUser", "unmuteUser",
    "updateProfile", "createMediaUpload", "finishMediaUpload", "updateFeedPreferences", "reportPost",
)  # fmt: skip

MUTATIONS: dict[str, Budget] = {
    **{name: Budget(name, 600, 2, 1) for name in _FAST},
    **{name: _hourly(name, 200, count) for name, count in _PUBLISHING.items()},
    "followUser": _hourly("followUser", 400),
    **{name: _hourly(name, 300, 1_200) for name in _OTHERS},
}
"""By root field. A mutation without one is a mistake that the test of the schema finds."""
QUERIES: dict[str, Budget] = {
    "missedFeedEvents": Budget("missedFeedEvents", 600, 10, 1),
    "searchUsers": Budget("searchUsers", 600, 10, 1),
    "searchPosts": Budget("searchPosts", 600, 10, 1),
}
"""Root fields that cost more than others: charged besides."""

FOLLOW_CHURN = _hourly("followChurn", 10)
"""Changes of one follow, either way: whoever follows and unfollows over and over only wants to be noticed."""
NEWCOMER_FOLLOW = _hourly("newcomerFollow", 200)
"""What a new account may follow."""
