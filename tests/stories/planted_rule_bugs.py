"""Mistakes in what is shown, and why: reasons, shares, hashtags, limits, the reader's place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from db import audiences, feed_candidates, feed_facts, feed_positions, follows, posts
from db.database import WriteSession
from domain import feed_rule, visibility
from domain.feed import FeedRule
from domain.feed_rule import FeedRules, Reason, Verdict
from domain.ids import first_id_at, milliseconds_of
from domain.records import PostFacts, PostRecord, Relation, UserRecord
from services.feeds import feed_entry, feed_position, judge_reasons, read_home_feed, reason_facts
from services.posts import unshare_post
from services.posts.remove_post import remove_post_in
from tests.stories.planting import Patch, change_sql
from tests.world import World


def _judge_other_facts(patch: Patch, change: Any) -> None:
    honest = feed_rule.judge_reason

    def judge(reason: Reason, rules: FeedRules) -> Verdict:
        return replace(honest(replace(reason, facts=change(reason.facts)), rules), reason=reason)

    patch.setattr(judge_reasons, "judge_reason", judge)


def repeat_window_ignored(patch: Patch, _: World) -> None:
    patch.setattr(judge_reasons, "is_repetition", lambda *_: False)


def repeat_window_without_its_edge(patch: Patch, _: World) -> None:
    patch.setattr(
        FeedRules,
        "window_start",
        lambda rules, reason_id: first_id_at(milliseconds_of(reason_id) - int(rules.repeat_window.total_seconds() * 1_000) + 1),
    )


def sibling_shares_not_loaded(patch: Patch, _: World) -> None:
    async def nothing(*_: Any, **__: Any) -> list[PostFacts]:
        return []

    patch.setattr(reason_facts, "load_sibling_shares", nothing)


def mute_of_the_roots_author_ignored(patch: Patch, _: World) -> None:
    def change(facts: PostFacts) -> PostFacts:
        root = facts.root
        return facts if root is None else replace(facts, root=replace(root, relation=replace(root.relation, is_muting=False)))

    _judge_other_facts(patch, change)


def block_checked_one_way(patch: Patch, _: World) -> None:
    honest = visibility._why_author_hides

    def careless(author: UserRecord, relation: Relation, *, viewer_id: int | None) -> Any:
        return honest(author, replace(relation, is_blocked_by=False), viewer_id=viewer_id)

    patch.setattr(visibility, "_why_author_hides", careless)


def kept_history_without_its_limit(patch: Patch, _: World) -> None:
    patch.setattr(feed_rule, "is_source", lambda relation, _: relation.follows or relation.kept_until is not None)
    for name in ("_UNLISTED_BOTH", "_ALL_BOTH"):
        change_sql(patch, feed_candidates, name, "AND id <= s.until_id", "")


def kept_viewers_left_out_of_fan_out(patch: Patch, _: World) -> None:
    for module, name in ((audiences, "_RECEIVERS"), (follows, "_FOLLOWER_CHUNK")):
        change_sql(patch, module, name, "WHERE author_id = :author_id", "WHERE false AND author_id = :author_id")


def hashtag_reasons_only_of_the_followed(patch: Patch, _: World) -> None:
    honest = feed_rule._kinds

    def careless(reason: Reason, viewer_id: int) -> Any:
        kinds = honest(reason, viewer_id)
        return kinds if feed_rule.is_source(reason.facts.relation, reason.id) or reason.facts.author.id == viewer_id else ()

    patch.setattr(feed_rule, "_kinds", careless)


def hashtags_not_merged_into_timelines(patch: Patch, _: World) -> None:
    change_sql(
        patch, feed_candidates, "_UNLISTED_BOTH", "FROM hashtag_follows h", "FROM (SELECT * FROM hashtag_follows LIMIT 0) h"
    )


def daily_limit_counts_what_is_there(patch: Patch, _: World) -> None:
    change_sql(
        patch, feed_facts, "_DAY_RANKS", "d.author_id = w.author_id", "d.author_id = w.author_id AND d.deleted_at IS NULL"
    )


def daily_limit_of_the_last_24_hours(patch: Patch, _: World) -> None:
    change_sql(patch, feed_facts, "_DAY_RANKS", "/ 86400000 * 86400000", "- 86400000")


def daily_limit_on_hashtags_too(patch: Patch, _: World) -> None:
    _judge_with(patch, lambda verdict: bool(verdict.reason.day_rank) and _beyond_limit(verdict))


def _beyond_limit(verdict: Verdict) -> bool:
    limit = verdict.reason.facts.relation.daily_limit
    return limit is not None and verdict.reason.day_rank >= limit


def _judge_with(patch: Patch, refuses: Any) -> None:
    honest = feed_rule.judge_reason

    def judge(reason: Reason, rules: FeedRules) -> Verdict:
        verdict = honest(reason, rules)
        return replace(verdict, rule=FeedRule.DAILY_LIMIT) if verdict.is_valid and refuses(verdict) else verdict

    patch.setattr(judge_reasons, "judge_reason", judge)


def hide_seen_by_the_present_place(patch: Patch, _: World) -> None:
    patch.setattr(read_home_feed, "floor_of", lambda viewer, place: viewer.position if viewer.preferences.hide_seen else 0)


def the_last_mark_wins(patch: Patch, _: World) -> None:
    change_sql(patch, feed_positions, "_MOVE", "WHERE f.position_id < EXCLUDED.position_id", "")


def unseen_counts_the_place_itself(patch: Patch, _: World) -> None:
    honest = feed_position._count_unseen

    async def careless(backends: Any, session: Any, viewer_id: int, viewer: Any) -> int:
        return await honest(backends, session, viewer_id, viewer._replace(position=max(0, viewer.position - 1)))

    patch.setattr(feed_position, "_count_unseen", careless)


def unshare_removes_other_shares(patch: Patch, _: World) -> None:
    honest = remove_post_in

    async def careless(session: WriteSession, share: PostRecord) -> None:
        await honest(session, share)
        for row in await session.execute(
            text("SELECT id FROM posts WHERE shared_post_id = :root AND is_plain_share AND deleted_at IS NULL LIMIT 1"),
            {"root": share.shared_post_id},
        ):
            await posts.mark_post_deleted(session, row[0])

    patch.setattr(unshare_post, "remove_post_in", careless)


def shares_outlive_the_original(patch: Patch, _: World) -> None:
    def change(facts: PostFacts) -> PostFacts:
        root = facts.root
        return facts if root is None else replace(facts, root=replace(root, post=replace(root.post, is_deleted=False)))

    _judge_other_facts(patch, change)


def muted_words_of_the_share_itself(patch: Patch, _: World) -> None:
    honest = feed_rule.judge_reason

    def judge(reason: Reason, rules: FeedRules) -> Verdict:
        if reason.facts.post.is_plain_share:
            rules = replace(rules, preferences=replace(rules.preferences, muted_words=()))
        return honest(reason, rules)

    patch.setattr(judge_reasons, "judge_reason", judge)


def reasons_beyond_the_window(patch: Patch, _: World) -> None:
    def careless(_id: int, verdicts: Sequence[Verdict], _rules: FeedRules) -> list[Verdict]:
        return sorted((one for one in verdicts if one.is_valid), key=lambda one: one.reason.id)

    patch.setattr(judge_reasons, "reasons_of_entry", careless)


def oldest_sharers_named(patch: Patch, _: World) -> None:
    honest = feed_entry.reasons_of
    patch.setattr(feed_entry, "reasons_of", lambda named: honest(list(reversed(named))))


ALL = (
    repeat_window_ignored,
    repeat_window_without_its_edge,
    sibling_shares_not_loaded,
    mute_of_the_roots_author_ignored,
    block_checked_one_way,
    kept_history_without_its_limit,
    kept_viewers_left_out_of_fan_out,
    hashtag_reasons_only_of_the_followed,
    hashtags_not_merged_into_timelines,
    daily_limit_counts_what_is_there,
    daily_limit_of_the_last_24_hours,
    daily_limit_on_hashtags_too,
    hide_seen_by_the_present_place,
    the_last_mark_wins,
    unseen_counts_the_place_itself,
    unshare_removes_other_shares,
    shares_outlive_the_original,
    muted_words_of_the_share_itself,
    reasons_beyond_the_window,
    oldest_sharers_named,
)
