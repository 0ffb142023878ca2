"""Who may see what: the rules in plain words, on plain facts. Knows nothing of how the product decides it.

The law is the page on what is promised: 5 (the one visibility rule), 6 (shares), 9 (blocks, mutes), 10 (counts and lists).
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.matrix.truth import Secret, Truth

Viewer = int | None
"""None: an anonymous one."""


class Oracle:
    """The answers for one viewer at one moment."""

    def __init__(self, truth: Truth, viewer: Viewer) -> None:
        self.truth = truth
        self.viewer = viewer

    def follows(self, follower: Viewer, followee: int) -> bool:
        return (follower, followee) in self.truth.follows

    def blocks(self, user: int) -> bool:
        return (self.viewer, user) in self.truth.blocks

    def is_blocked_by(self, user: int) -> bool:
        return (user, self.viewer) in self.truth.blocks

    def mutes(self, user: int) -> bool:
        return (self.viewer, user) in self.truth.mutes

    # ------------------------------------------------------------ people

    def sees_account(self, user: int) -> bool:
        """A suspended account exists for nobody, a shadow-banned one for itself, one that blocks the viewer not for them."""
        account = self.truth.accounts[user]
        if account.is_suspended:
            return False
        return user == self.viewer or not (account.is_shadow_banned or self.is_blocked_by(user))

    def lists_account(self, user: int) -> bool:
        """Whoever blocks somebody finds them where they look them up and among the blocked, and in no other list."""
        return self.sees_account(user) and not self.blocks(user)

    def sees_lists_of(self, user: int) -> bool:
        """A private account's posts, followers and followed ones are for its followers."""
        is_private = self.truth.accounts[user].is_private
        return self.lists_account(user) and (user == self.viewer or not is_private or self.follows(self.viewer, user))

    # ------------------------------------------------------------ posts, comments, pictures, notifications, hashtags

    def sees_post(self, post_id: int) -> bool:
        post = self.truth.posts[post_id]
        if post.is_deleted or not self.sees_lists_of(post.author):
            return False
        if post.is_plain_share and not (post.shared in self.truth.posts and self.sees_post(post.shared)):
            return False
        if post.author == self.viewer or post.visibility == "PUBLIC":
            return True
        is_friend = self.follows(self.viewer, post.author) and self.follows_viewer(post.author)
        return post.visibility == "FRIENDS" and is_friend

    def follows_viewer(self, user: int) -> bool:
        return (user, self.viewer) in self.truth.follows

    def sees_comment(self, comment_id: int) -> bool:
        comment = self.truth.comments[comment_id]
        return not comment.is_deleted and self.sees_post(comment.post) and self.lists_account(comment.author)

    def sees_media(self, media_id: int) -> bool:
        post = self.truth.media_posts.get(media_id)
        return self.truth.media[media_id] == self.viewer or (post is not None and self.sees_post(post))

    def sees_notification(self, notification_id: int) -> bool:
        """Its recipient only; not of a post that they may not see; and not without anybody who may be named."""
        found = self.truth.notifications[notification_id]
        is_open = found.post is None or self.sees_post(found.post)
        return found.recipient == self.viewer and is_open and any(self._names_actor(*one) for one in found.actors)

    def _names_actor(self, actor: int, comment: int | None) -> bool:
        is_told = comment is None or self.sees_comment(comment)
        return self.lists_account(actor) and not self.mutes(actor) and is_told

    def sees_hashtag(self, hashtag_id: int) -> bool:
        """One that only hidden posts name is named by nothing that the viewer was shown."""
        named = any(self.sees_post(post) for post in self.truth.hashtag_posts.get(hashtag_id, ()))
        return named or (self.viewer, hashtag_id) in self.truth.hashtag_follows

    def sees(self, secret: Secret) -> bool:
        kind, number = secret
        judge = {
            "User": self.sees_account,
            "Post": self.sees_post,
            "Comment": self.sees_comment,
            "Media": self.sees_media,
            "Notification": self.sees_notification,
            "Hashtag": self.sees_hashtag,
        }
        return judge[kind](number)

    def hidden(self, secrets: Iterable[Secret]) -> set[Secret]:
        return {secret for secret in secrets if not self.sees(secret)}

    # ------------------------------------------------------------ whole lists

    def posts_of(self, author: int) -> set[int]:
        return {post_id for post_id, post in self.truth.posts.items() if post.author == author and self.sees_post(post_id)}

    def comments_on(self, post_id: int) -> set[int]:
        return {one for one, comment in self.truth.comments.items() if comment.post == post_id and self.sees_comment(one)}

    def likers_of(self, post_id: int) -> set[int]:
        return {user for user, post in self.truth.likes if post == post_id and self.lists_account(user)}

    def sharers_of(self, post_id: int) -> set[int]:
        """Of a share without words those of what it shares."""
        post = self.truth.posts[post_id]
        if post.is_plain_share and post.shared is not None:
            post_id = post.shared
        return {
            post.author
            for one, post in self.truth.posts.items()
            if post.is_plain_share and post.shared == post_id and self.sees_post(one)
        }

    def followers_of(self, user: int) -> set[int]:
        found = {follower for follower, followee in self.truth.follows if followee == user and self.lists_account(follower)}
        return found if self.sees_lists_of(user) else set()

    def followed_by(self, user: int) -> set[int]:
        found = {followee for follower, followee in self.truth.follows if follower == user and self.lists_account(followee)}
        return found if self.sees_lists_of(user) else set()
