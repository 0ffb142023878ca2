"""The one visibility rule. Every way out goes through it: feed, node, connection, live event, cache or SQL.

Pure: it judges facts that were loaded with the page, never remembered ones.
"""

from __future__ import annotations

from enum import StrEnum

from domain.records import PostFacts, Relation, UserRecord, Visibility


class HiddenBecause(StrEnum):
    """The first rule that hides a post. Names a reason for `explain`, never shown to those who may not see the post."""

    BLOCKED_BY_AUTHOR = "BLOCKED_BY_AUTHOR"
    AUTHOR_SUSPENDED = "AUTHOR_SUSPENDED"
    AUTHOR_SHADOW_BANNED = "AUTHOR_SHADOW_BANNED"
    AUTHOR_BLOCKED = "AUTHOR_BLOCKED"
    ONLY_AUTHOR = "ONLY_AUTHOR"
    ONLY_FRIENDS = "ONLY_FRIENDS"
    ONLY_FOLLOWERS = "ONLY_FOLLOWERS"
    DELETED = "DELETED"


def why_post_is_hidden(facts: PostFacts, *, viewer_id: int | None) -> HiddenBecause | None:
    """The rule that hides a post from the viewer (None: an anonymous one), or None where the viewer may see it.

    An author sees everything of their own that is not deleted. A share without words exists only where what it shares does.
    """
    hidden = _why_itself_is_hidden(facts, viewer_id=viewer_id)
    if hidden is not None or not facts.post.is_plain_share:
        return hidden
    return _why_itself_is_hidden(facts.root, viewer_id=viewer_id) if facts.root is not None else HiddenBecause.DELETED


def _why_itself_is_hidden(facts: PostFacts, *, viewer_id: int | None) -> HiddenBecause | None:
    post, author, relation = facts.post, facts.author, facts.relation
    hidden = _why_author_hides(author, relation, viewer_id=viewer_id)
    if hidden is None and viewer_id != author.id:
        if post.visibility is Visibility.PRIVATE:
            hidden = HiddenBecause.ONLY_AUTHOR
        elif post.visibility is Visibility.FRIENDS and not (relation.follows and relation.is_followed_by):
            hidden = HiddenBecause.ONLY_FRIENDS
        elif author.is_private and not relation.follows:
            hidden = HiddenBecause.ONLY_FOLLOWERS
    # Last: that a post is deleted is told only to those who could have seen it.
    return hidden or (HiddenBecause.DELETED if post.is_deleted else None)


def _why_author_hides(author: UserRecord, relation: Relation, *, viewer_id: int | None) -> HiddenBecause | None:
    if author.is_suspended:
        return HiddenBecause.AUTHOR_SUSPENDED
    if author.id == viewer_id:
        return None
    if relation.is_blocked_by:
        return HiddenBecause.BLOCKED_BY_AUTHOR
    if author.is_shadow_banned:
        return HiddenBecause.AUTHOR_SHADOW_BANNED
    return HiddenBecause.AUTHOR_BLOCKED if relation.is_blocking else None


def can_see_account(user: UserRecord, relation: Relation, *, viewer_id: int | None) -> bool:
    """Whether the account itself exists for the viewer.

    A private account does: only its posts are kept back. So does one that the viewer blocks, or it could never be unblocked. It
    does not for those whom it blocks itself.
    """
    if user.is_suspended:
        return False
    return user.id == viewer_id or not (user.is_shadow_banned or relation.is_blocked_by)


def can_see_posts_of(user: UserRecord, relation: Relation, *, viewer_id: int | None) -> bool:
    """Whether the viewer may look at an account's lists (posts, followers, following) at all."""
    if not can_see_account(user, relation, viewer_id=viewer_id) or relation.is_blocking:
        return False
    return user.id == viewer_id or not user.is_private or relation.follows


def can_be_listed(user: UserRecord, relation: Relation, *, viewer_id: int | None) -> bool:
    """Whether the account stands in lists of people that the viewer looks at: not where either blocks the other."""
    return can_see_account(user, relation, viewer_id=viewer_id) and not relation.is_blocking
