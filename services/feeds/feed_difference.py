"""The exact difference between what clients have been shown of their feeds, and their feeds as they are now.

All looks are answered together from one snapshot of PostgreSQL, with a number of statements that does not grow with them.
Both sides are judged by the one feed rule: the feed of now on the facts of now, the client's feed on the same facts with every
row undone that the client has not been told of (`services.feeds.difference_case`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from db.change_rows import ChangeRow, load_concerned, load_missed, load_rows, load_rows_of_accounts
from db.database import ReadSession
from db.live_events import take_moment
from db.relation_groups import load_awake_groups
from domain.preferences import FeedPreferences
from services.backends import Backends, FeedPolicy
from services.feeds.difference_case import Case, Difference, Look, Present, Told, groups_of_rows, parse_snapshot
from services.feeds.difference_facts import DifferenceFacts
from services.feeds.feed_cursors import Moment
from services.feeds.feed_events import Added, FeedChange, FeedResetReason, Removed
from services.feeds.judge_difference import DifferenceJudge
from services.feeds.quick_differences import QuickDifferences
from services.feeds.touched_roots import follow_rows

__all__ = ["Difference", "Look", "find_concerned", "find_differences"]

MAX_MISSED = 1_000
"""Rows that are looked at for a client that comes back; whoever missed more reads the feed again."""
MAX_TOLD = 50
"""Entries that one change may add, change or remove; the client reads the feed again where it is more."""
_ROUNDS = 6
"""Rows that take others with them; more rounds than that is a tangle that is not worth untangling."""
_RETENTION_MARGIN = timedelta(hours=1)
_LONGEST_TRANSACTION = timedelta(hours=1)
"""Far beyond the deadline of any transaction: what was deleted so long before a snapshot was deleted for it."""


async def find_differences(backends: Backends, looks: Sequence[Look]) -> list[Difference]:
    """One answer a look, in their order. Entries in `Added` have an empty cursor: it is sealed for each viewer by the caller.

    Raises UnavailableError.
    """
    if not looks:
        return []
    async with backends.database.snapshot_reading() as session:
        present = Present(*await take_moment(session))
        return await _Answering(session, backends.policy, present, looks).run()


async def find_concerned(session: ReadSession, event_ids: Iterable[int], viewer_ids: Iterable[int]) -> dict[int, set[int]]:
    """For each row of the shared log those of the viewers whom it may concern; rows that concern nobody are missing."""
    return await load_concerned(session, event_ids, viewer_ids)


class _Answering:
    """One batch of looks on its way to answers."""

    def __init__(self, session: ReadSession, policy: FeedPolicy, present: Present, looks: Sequence[Look]) -> None:
        self._session = session
        self._policy = policy
        self._present = present
        self._now = Moment(present.snapshot, present.as_of)
        self._looks = looks
        self._answers: list[Difference | None] = [None] * len(looks)

    async def run(self) -> list[Difference]:
        open_looks = self._refuse_unusable()
        if open_looks:
            moments = [look.moment for look in open_looks.values()]
            self._transaction = min(parse_snapshot(moment.seen).xmin for moment in moments)
            self._since = min(moment.as_of for moment in moments) - _LONGEST_TRANSACTION
            await self._answer(open_looks)
        assert all(answer is not None for answer in self._answers), "every look has an answer"
        return [answer for answer in self._answers if answer is not None]

    def _refuse_unusable(self) -> dict[int, Look]:
        """The looks that can be answered, by their number."""
        oldest = self._present.as_of - (self._policy.outbox_retention - _RETENTION_MARGIN)
        end = parse_snapshot(self._present.snapshot).xmax
        usable: dict[int, Look] = {}
        for number, look in enumerate(self._looks):
            if look.moment.as_of < oldest:
                self._answers[number] = self._reset(FeedResetReason.WINDOW_EXPIRED)
            elif parse_snapshot(look.moment.seen).xmax > end:
                self._answers[number] = self._reset(FeedResetReason.EPOCH_CHANGED)
            else:
                usable[number] = look
        return usable

    async def _answer(self, looks: Mapping[int, Look]) -> None:
        named = await self._load_named(looks)
        viewer_ids = {look.viewer_id for look in looks.values()}
        awake = await load_awake_groups(self._session, viewer_ids)
        rows = {row.id: row for several in named.values() for row in several}
        accounts = viewer_ids | {row.author_id for row in rows.values()}
        pending: dict[int, list[ChangeRow]] = {}
        for row in await load_rows_of_accounts(self._session, accounts, since=self._transaction):
            pending.setdefault(row.author_id, []).append(row)
        quick = QuickDifferences(self._policy, awake, pending.keys(), self._transaction)
        await quick.load(self._session, rows.values(), viewer_ids)
        cases: dict[int, Case] = {}
        for number, look in looks.items():
            if self._answers[number] is not None:
                continue
            reached = self._now if look.event_ids is None else None
            answer = quick.answer(look, named[number], reached)
            if answer is not None:
                self._answers[number] = answer
                continue
            case = self._open(number, look, awake.get(look.viewer_id), named[number], pending.get(look.viewer_id, ()))
            if case is not None:
                cases[number] = case
        if cases:
            await self._work_out(cases)

    async def _load_named(self, looks: Mapping[int, Look]) -> dict[int, Sequence[ChangeRow]]:
        missed = [(number, look) for number, look in looks.items() if look.event_ids is None]
        ids: dict[int, Sequence[int]] = {
            number: list(look.event_ids) for number, look in looks.items() if look.event_ids is not None
        }
        if missed:
            found = await load_missed(
                self._session, [(look.viewer_id, look.moment.seen) for _, look in missed], since=self._transaction
            )
            for (number, _), row_ids in zip(missed, found, strict=True):
                if len(row_ids) > MAX_MISSED:
                    self._answers[number] = self._reset(FeedResetReason.WINDOW_EXPIRED)
                    row_ids = []
                ids[number] = row_ids
        rows = await load_rows(self._session, set().union(*ids.values()))
        return {number: [rows[row_id] for row_id in row_ids if row_id in rows] for number, row_ids in ids.items()}

    def _open(
        self,
        number: int,
        look: Look,
        preferences: FeedPreferences | None,
        rows: Sequence[ChangeRow],
        own_rows: Sequence[ChangeRow],
    ) -> Case | None:
        """The case of a look that something may have happened to."""
        if preferences is None:
            # Suspended: sees nothing, and reads the feed again afterwards.
            self._answers[number] = Difference([], look.moment if look.event_ids is not None else self._now, None)
            return None
        case = Case(look, Told(look.moment), preferences)
        for row in rows:
            case.name(row)
        if not case.named:
            self._answers[number] = self._difference(case, [], ())
            return None
        for row in own_rows:
            case.name(row)
        return case

    async def _work_out(self, cases: Mapping[int, Case]) -> None:
        viewer_ids = {case.viewer_id for case in cases.values()}
        facts = DifferenceFacts(self._session, self._policy, viewer_ids, self._since, self._transaction)
        await self._follow_all(facts, cases)
        await facts.foretell()
        judge = DifferenceJudge(facts)
        for number, case in cases.items():
            self._answers[number] = self._conclude(case, judge)

    async def _follow_all(self, facts: DifferenceFacts, cases: Mapping[int, Case]) -> None:
        """Names, for every case, all pending rows on which the posts depend that the named ones touch."""
        going = list(cases.values())
        for _ in range(_ROUNDS):
            await follow_rows(facts, going)
            going = [case for case in going if case.reset is None]
            former = {account_id for case in going for account_id in case.relations_before}
            await facts.add_roots({root_id for case in going for root_id in case.roots}, former)
            await facts.add_limited(
                {reason for case in going for root_id in case.roots for reason in facts.limited_reasons(case, root_id)}
            )
            for case in going:
                for root_id in case.roots:
                    facts.name_what_concerns(case, root_id)
            going = [case for case in going if case.fresh]
            if not going:
                return
        for case in going:
            case.reset = FeedResetReason.FEED_CHANGED

    def _conclude(self, case: Case, judge: DifferenceJudge) -> Difference:
        if case.reset is not None:
            return self._reset(case.reset)
        changes: list[tuple[FeedChange, frozenset[int]]] = []
        groups = groups_of_rows(case.roots)
        for root_id in case.roots:
            changes += [(change, groups[root_id]) for change in judge.changes(case, root_id)]
        counted = Counter(change.event_id for change, _ in changes if not (isinstance(change, Added) and change.is_publication))
        if any(count > MAX_TOLD for count in counted.values()):
            return self._reset(FeedResetReason.FEED_CHANGED)
        changes.sort(key=lambda one: (one[0].event_id, not isinstance(one[0], Removed)))
        # All or nothing: a row that is told alone, of two that concern one post, would leave a feed that the client never had.
        return self._difference(case, changes, case.named if changes else ())

    def _difference(self, case: Case, found: Sequence[tuple[FeedChange, frozenset[int]]], told: Collection[int]) -> Difference:
        moment = case.look.moment
        changes, rows = [change for change, _ in found], [rows for _, rows in found]
        transactions = {row_id: case.named[row_id].transaction_id for row_id in told}
        if case.look.event_ids is None:
            return Difference(changes, self._now, None, rows, transactions)
        reached = replace(moment, told=moment.told.union(told)) if told else moment
        return Difference(changes, reached, None, rows, transactions)

    def _reset(self, reason: FeedResetReason) -> Difference:
        return Difference([], self._now, reason)
