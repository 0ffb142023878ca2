"""When an explanation may be given: for each rule, a condition without which it would be wrong, in plain SQL."""

from __future__ import annotations

from domain.feed import FeedRule
from tests.oracle import is_valid_reason
from tests.stories.scene import Scene

# `own` is the post asked about, `about` whatever it may be about: itself, what it shares, and all shares of that.
_ABOUT = """
  WITH own AS (SELECT * FROM posts WHERE id = $2),
  root AS (SELECT p.* FROM posts p, own WHERE p.id = CASE WHEN own.is_plain_share THEN own.shared_post_id ELSE own.id END),
  about AS (
    SELECT * FROM root UNION SELECT * FROM own
    UNION SELECT p.* FROM posts p, root WHERE p.shared_post_id = root.id AND p.is_plain_share AND p.deleted_at IS NULL
  )
"""
_FOLLOWED = (
    "SELECT 1 FROM about JOIN feed_sources s ON s.author_id = about.author_id AND about.id <= s.until_id WHERE s.viewer_id = $1"
)
_OWN = """
  SELECT 1 FROM posts p JOIN users u ON u.id = p.author_id
  WHERE p.id = $2 AND p.author_id = $1 AND NOT p.is_plain_share AND u.suspended_at IS NULL
"""
_PUBLIC = """
  SELECT 1 FROM own JOIN users u ON u.id = own.author_id
  WHERE own.visibility = 'PUBLIC' AND own.deleted_at IS NULL AND NOT own.is_plain_share
    AND NOT u.is_private AND u.suspended_at IS NULL AND u.shadow_banned_at IS NULL
    AND NOT EXISTS (SELECT FROM blocks WHERE $1 IN (blocker_id, blocked_id) AND u.id IN (blocker_id, blocked_id))
"""
_CONDITIONS = {
    FeedRule.DELETED: "SELECT 1 FROM about WHERE deleted_at IS NOT NULL AND $1 > 0",
    FeedRule.BLOCKED: "SELECT 1 FROM about JOIN blocks ON blocked_id = author_id WHERE blocker_id = $1",
    FeedRule.MUTED: (
        "SELECT 1 FROM about JOIN mutes ON muted_id = author_id WHERE muter_id = $1 AND (until IS NULL OR until > now())"
    ),
    FeedRule.MUTED_WORD: (
        "SELECT 1 FROM root, users u, jsonb_array_elements_text(u.settings -> 'muted_words') AS w(word)"
        " WHERE u.id = $1 AND position(w.word IN root.text) > 0"
    ),
    FeedRule.SHARES_HIDDEN: (
        "SELECT 1 FROM about WHERE is_plain_share AND (EXISTS (SELECT FROM users WHERE id = $1 AND settings ? 'hide_shares')"
        " OR EXISTS (SELECT FROM follows WHERE follower_id = $1 AND followee_id = about.author_id AND hide_shares))"
    ),
    FeedRule.DAILY_LIMIT: (
        "SELECT 1 FROM about JOIN follows ON followee_id = author_id WHERE follower_id = $1 AND daily_limit IS NOT NULL"
    ),
}


async def is_consistent(scene: Scene, rule: FeedRule, viewer_id: int, post_id: int) -> bool:
    """Whether the rule may be the answer for a post that is not shown, or, with SHOWN, for one that is."""
    is_valid = await is_valid_reason(scene.backends, viewer_id, post_id)
    if rule is FeedRule.SHOWN:
        return True
    if rule is FeedRule.REPEATED:
        return is_valid
    if is_valid:
        return False  # valid and not shown is a repetition, whatever else holds
    if await scene.sql(_OWN, viewer_id, post_id):
        gone = await scene.sql("SELECT 1 FROM posts WHERE id = $1 AND deleted_at IS NOT NULL", post_id)
        return rule is (FeedRule.DELETED if gone else FeedRule.MUTED_WORD)
    if rule is FeedRule.NOT_FOLLOWING:
        return not await scene.sql(f"{_ABOUT} {_FOLLOWED} AND about.id = $2", viewer_id, post_id)
    if rule is FeedRule.NOT_VISIBLE:
        return not await scene.sql(f"{_ABOUT} {_PUBLIC}", viewer_id, post_id)
    return bool(await scene.sql(f"{_ABOUT} {_CONDITIONS[rule]}", viewer_id, post_id))
