"""The one visibility rule. Every way out goes through it: feed, node, connection, live event, cache or SQL.

Pure: it judges facts that were loaded with the page, never remembered ones.
"""

from __future__ import annotations

from enum import StrEnum

from domain.records import PostRecord, Relation, UserRecord, Visibility


class HiddenBecause(StrEnum):
    """The first rule that hides a post. Names a reason for `explain`, never shown to those who may not see the post."""

    DELETED = "DELETED"
    AUTHOR_SUSPENDED = "AUTHOR_SUSPENDED"
    AUTHOR_SHADOW_BANNED = "AUTHOR_SHADOW_BANNED"
    ONLY_AUTHOR = "ONLY_AUTHOR"
    ONLY_FRIENDS = "ONLY_FRIENDS"
    ONLY_FOLLOWERS = "ONLY_FOLLOWERS"


def why_post_is_hidden(
    post: PostRecord, author: UserRecord, relation: Relation, *, viewer_id: int | None
) -> HiddenBecause | None:
    """The rule that hides `post` from the viewer (None: an anonymous one), or None where the viewer may see it.

    `relation` is the viewer's to the author. An author sees everything of their own that is not deleted.
    """
    is_own = viewer_id == author.id
    if post.is_deleted:
        return HiddenBecause.DELETED
    if author.is_suspended:
        return HiddenBecause.AUTHOR_SUSPENDED
    if is_own:
        return None
    if author.is_shadow_banned:
        return HiddenBecause.AUTHOR_SHADOW_BANNED
    if post.visibility is Visibility.PRIVATE:
        return HiddenBecause.ONLY_AUTHOR
    if post.visibility is Visibility.FRIENDS and not (relation.follows and relation.is_followed_by):
        return HiddenBecause.ONLY_FRIENDS
    if author.is_private and not relation.follows:
        return HiddenBecause.ONLY_FOLLOWERS
    return None


def can_see_account(user: UserRecord, *, viewer_id: int | None) -> bool:
    """Whether the account itself exists for the viewer. A private account does: only its posts are kept back."""
    if user.is_suspended:
        return False
    return not user.is_shadow_banned or user.id == viewer_id


def can_see_posts_of(user: UserRecord, relation: Relation, *, viewer_id: int | None) -> bool:
    """Whether the viewer may look at an account's lists (posts, followers, following) at all."""
    if not can_see_account(user, viewer_id=viewer_id):
        return False
    return user.id == viewer_id or not user.is_private or relation.follows


def is_in_home_feed(post: PostRecord, relation: Relation, *, viewer_id: int) -> bool:
    """Whether a *visible* post belongs into the viewer's home feed: an own one, or a followed author's.

    Checked again at every read: a timeline in the cache, or an event in flight, may be older than an unfollow.
    """
    return post.author_id == viewer_id or relation.follows
