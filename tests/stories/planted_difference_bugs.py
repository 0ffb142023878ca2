"""Mistakes in the difference between what clients were shown and their feeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from db import feed_changes, touched_posts
from services.feeds import touched_roots
from services.feeds.difference_case import Case, Told
from services.feeds.difference_facts import DifferenceFacts
from services.feeds.quick_differences import QuickDifferences
from tests.stories.planting import Patch, change_sql


def told_changes_forgotten(patch: Patch) -> None:
    """A row that was told is undone all the same."""
    patch.setattr(Told, "holds", lambda told, row: told._seen.sees(row.transaction_id))


def pending_rows_left_behind(patch: Patch) -> None:
    """Rows about the same posts that the log has not named yet are not told along."""
    patch.setattr(DifferenceFacts, "name_what_concerns", lambda *_: None)


def nothing_undone_about_posts(patch: Patch) -> None:
    patch.setattr(Case, "post_before", lambda _, post: post)


def nothing_undone_about_accounts(patch: Patch) -> None:
    patch.setattr(Case, "author_before", lambda _, user: user)


def later_note_wins(patch: Patch) -> None:
    """Of several changes of one relation the newest says what was before."""
    honest = Case._note_own

    def careless(case: Case, row_id: int, before: Any) -> None:
        case._first.clear()
        honest(case, row_id, before)

    patch.setattr(Case, "_note_own", careless)


def quotes_not_touched(patch: Patch) -> None:
    async def none(_: Any, pairs: Sequence[Any], **__: Any) -> list[list[int]]:
        return [[] for _ in pairs]

    patch.setattr(touched_roots, "load_quotes_of", none)


def days_not_counted_again(patch: Patch) -> None:
    async def none(*_: Any, **__: Any) -> dict[int, list[int]]:
        return {}

    patch.setattr(touched_roots, "load_later_roots", none)


def shares_that_are_gone_forgotten(patch: Patch) -> None:
    change_sql(patch, touched_posts, "_FEW_SHARES", "OR p.deleted_at >= :since", "OR (p.deleted_at >= :since) IS NULL")


def friends_not_noted(patch: Patch) -> None:
    """A follow that ends a friendship is noted for one feed alone."""
    change_sql(patch, feed_changes, "_FOLLOW", "OR rf.follower_id IS NOT NULL)", ")")


def quick_in_spite_of_changes(patch: Patch) -> None:
    """A publication is judged alone although the viewer's own changes are pending."""
    honest = QuickDifferences.__init__

    def careless(quick: QuickDifferences, policy: Any, preferences: Any, _: Any, transaction: int) -> None:
        honest(quick, policy, preferences, (), transaction)

    patch.setattr(QuickDifferences, "__init__", careless)


def accounts_compared_one_by_one(patch: Patch) -> None:
    """Relation and account are looked at as if only one of them could have changed."""
    patch.setattr(DifferenceFacts, "name_account_rows", lambda *_: None)


def only_the_ends_compared(patch: Patch) -> None:
    """What was for a while does not count."""
    patch.setattr(touched_roots, "_relation_before", lambda _: [])


BY_NAME: dict[str, Callable[[Patch], None]] = {
    plant.__name__: plant
    for plant in (
        told_changes_forgotten,
        pending_rows_left_behind,
        nothing_undone_about_posts,
        nothing_undone_about_accounts,
        later_note_wins,
        quotes_not_touched,
        days_not_counted_again,
        shares_that_are_gone_forgotten,
        friends_not_noted,
        quick_in_spite_of_changes,
        accounts_compared_one_by_one,
        only_the_ends_compared,
    )
}
