"""The world of the matrix: accounts of every kind, viewers in every relation to them, and something of everything in between.

Four authors: `ada` (public), `pat` (private), `sue` (suspended), `dan` (shadow-banned). Everybody else stands to ada and to pat as
the name says. Whatever has words carries a mark of its own. Rows are written where no use case would make them any more (a like by
somebody who was blocked since), and use cases make the posts, so that timelines, hashtags and counts are as they are in life.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import asyncpg

from domain.moderation import ModerationChange
from domain.records import Visibility
from services.hashtags.follow_hashtag import follow_hashtag
from services.moderation.moderate_account import moderate_account
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from tests.world import World

AUTHORS = ("ada", "pat", "sue", "dan")
RELATIONS = ("stranger", "follower", "friend", "requested", "blocked", "blocking", "muting", "removed")
"""To ada and pat: `blocked` by them, `blocking` them, `removed` by them from their followers."""
ANONYMOUS = "anonymous"
VIEWERS = ("ada", "pat", "dan", *RELATIONS, ANONYMOUS)
COMMON_WORD = "matrix"
_COMMENTERS = ("follower", "friend", "blocked", "blocking", "sue", "dan", "stranger")

_marks = itertools.count(0x1A2B3C4D5E)


def mark() -> str:
    """Words that stand nowhere else."""
    return f"zq{next(_marks) % (1 << 40):010x}"


class Cast:
    """Makes the world, once. `direct`: for what no use case does."""

    def __init__(self, world: World, direct: asyncpg.Connection) -> None:
        self.world = world
        self.direct = direct
        self.posts: dict[str, int] = {}
        """By name: `ada.PUBLIC`, `ada.deleted`, `ada.edited`, `stranger.quote`, …"""

    @property
    def ids(self) -> Mapping[str, int]:
        return self.world.ids

    async def make(self) -> None:
        everybody = (*AUTHORS, *RELATIONS)
        await self.world.add(*everybody)
        for name in everybody:
            await self.direct.execute(
                "UPDATE users SET display_name = $2, bio = $3 WHERE id = $1",
                self.ids[name], f"{name} {mark()}", f"{COMMON_WORD} {mark()}",
            )  # fmt: skip
        for author in AUTHORS:
            await self.world.follow("follower", author)
            await self.world.follow("friend", author)
            await self.world.follow(author, "friend")
            await self.world.follow("muting", author)
            await self.world.follow("removed", author)
            await self.world.follow("blocked", author)
        await self.world.follow("stranger", "friend")
        await self.world.follow("friend", "stranger")
        for author in AUTHORS:
            await self._write(author)
        await self._share()
        await self._engage()
        await self._notify()
        await self._fall_out()
        await follow_hashtag(self.world.backends, viewer_id=self.ids["stranger"], name="common")
        await self.world.drain()

    async def _write(self, author: str) -> None:
        """A post of each kind."""
        for visibility in Visibility:
            await self._post(author, visibility.name, visibility, tag=f"{author}_{visibility.name.lower()}")
        await self._post(author, "deleted", Visibility.PUBLIC)
        await delete_post(self.world.backends, author_id=self.ids[author], post_id=self.posts[f"{author}.deleted"])
        await self._post(author, "edited", Visibility.PUBLIC)
        await edit_post(
            self.world.backends,
            author_id=self.ids[author],
            post_id=self.posts[f"{author}.edited"],
            body=f"{COMMON_WORD} again {mark()}",
            visibility=None,
        )

    async def _post(self, author: str, name: str, visibility: Visibility, *, tag: str = "") -> None:
        words = f"{COMMON_WORD} {mark()} @ada @pat @sue @dan #common" + (f" #{tag}" if tag else "")
        made = await self.world.post(author, words, visibility)
        self.posts[f"{author}.{name}"] = made
        await self.direct.execute("UPDATE posts SET location_name = $2 WHERE id = $1", made, f"place {mark()}")
        media = await self.direct.fetchval(
            "INSERT INTO media (id, owner_id, kind, state, content_type, byte_size, alt_text, upload_key, public_key,"
            " thumbnail_key, width, height, finished_at)"
            " VALUES (next_id($1::bigint & 1023), $1, 'IMAGE', 'READY', 'image/png', 1, $2, $3, $4, $5, 1, 1, now()) RETURNING id",
            self.ids[author], f"picture {mark()}", f"u/{made}", f"p/{mark()}.png", f"t/{mark()}.png",
        )  # fmt: skip
        await self.direct.execute("INSERT INTO post_media (post_id, place, media_id) VALUES ($1, 0, $2)", made, media)

    async def _share(self) -> None:
        """Shares and quotes of everybody's public post, by some who will fall out with its author."""
        for author, sharers in (
            ("ada", ("follower", "stranger", "blocked", "sue", "dan")), ("pat", ("friend",)), ("dan", ("friend",)), ("sue", ("friend",))
        ):  # fmt: skip
            for sharer in sharers:
                for name, body in (("share", ""), ("quote", f"{COMMON_WORD} quoted {mark()}")):
                    made = await self.world.share(sharer, self.posts[f"{author}.PUBLIC"], body)
                    self.posts[f"{sharer}.{name} of {author}"] = made

    async def _engage(self) -> None:
        """Likes, comments and bookmarks by everybody, on everything."""
        for number, post in enumerate(self.posts.values()):
            if await self.direct.fetchval("SELECT is_plain_share FROM posts WHERE id = $1", post):
                continue
            for place in range(4):
                who = self.ids[_COMMENTERS[(number + place) % len(_COMMENTERS)]]
                await self.direct.execute(
                    "INSERT INTO comments (id, post_id, author_id, text, deleted_at)"
                    " VALUES (next_id($2::bigint & 1023), $1, $2, $3, CASE WHEN $4 THEN now() END)",
                    post, who, f"comment {mark()}", (number + place) % 7 == 6,
                )  # fmt: skip
            people = [self.ids[name] for name in (*RELATIONS, "sue", "dan")]
            await self.direct.execute("INSERT INTO likes (post_id, user_id) SELECT $1, unnest($2::bigint[])", post, people)
            await self.direct.execute(
                "INSERT INTO bookmarks (post_id, user_id) SELECT $1, unnest($2::bigint[])", post, people[number % 2 :]
            )
        await self.direct.execute(
            "UPDATE posts p SET like_count = (SELECT count(*) FROM likes WHERE post_id = p.id),"
            " comment_count = (SELECT count(*) FROM comments WHERE post_id = p.id AND deleted_at IS NULL)"
        )

    async def _notify(self) -> None:
        """Of each kind, to those who may know and to those who may not."""
        actors = [self.ids[name] for name in ("follower", "friend", "blocked", "blocking", "sue", "dan", "stranger")]
        for recipient in ("ada", "pat"):
            for kind in ("LIKE", "SHARE", "FOLLOW"):
                post = None if kind == "FOLLOW" else self.posts[f"{recipient}.PUBLIC"]
                await self._notification(recipient, kind, post, [(actor, None) for actor in actors])
            rows = await self.direct.fetch(
                "SELECT author_id, max(id) FROM comments WHERE post_id = $1 GROUP BY 1", self.posts[f"{recipient}.PUBLIC"]
            )
            await self._notification(recipient, "COMMENT", self.posts[f"{recipient}.PUBLIC"], [tuple(row) for row in rows])
        for recipient in (*RELATIONS, "dan"):
            for author, name in itertools.product(("ada", "pat", "sue", "dan"), ("PUBLIC", "FRIENDS", "PRIVATE", "deleted")):
                kind = "MENTION" if author in {"ada", "sue"} else "CLOSE_FRIEND_POST"
                await self._notification(recipient, kind, self.posts[f"{author}.{name}"], [(self.ids[author], None)])

    async def _notification(self, recipient: str, kind: str, post: int | None, actors: list[tuple[int, int | None]]) -> None:
        made = await self.direct.fetchval(
            "INSERT INTO notifications (id, recipient_id, kind, post_id, place)"
            " VALUES (next_id($1::bigint & 1023), $1, $2, $3, next_id($1::bigint & 1023)) RETURNING id",
            self.ids[recipient], kind, post,
        )  # fmt: skip
        await self.direct.executemany(
            "INSERT INTO notification_actors (notification_id, actor_id, comment_id) VALUES ($1, $2, $3)",
            [(made, actor, comment) for actor, comment in actors],
        )

    async def _fall_out(self) -> None:
        """How everybody stands to each other from now on; rows of before stay."""
        ids, ada, pat = self.ids, self.ids["ada"], self.ids["pat"]
        await self.direct.execute("UPDATE users SET is_private = true WHERE id = $1", pat)
        for author in (ada, pat):
            for blocker, blocked in ((author, ids["blocked"]), (ids["blocking"], author)):
                await self.direct.execute("INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)", blocker, blocked)
            await self.direct.execute("INSERT INTO mutes (muter_id, muted_id) VALUES ($1, $2)", ids["muting"], author)
            gone = [ids["blocked"], ids["removed"]]
            await self.direct.execute(
                "DELETE FROM follows WHERE followee_id = $1 AND follower_id = ANY($2::bigint[])", author, gone
            )
        await self.direct.execute(
            "INSERT INTO follow_requests (follower_id, followee_id) VALUES ($1, $2)", ids["requested"], pat
        )
        await self.direct.execute(
            "UPDATE users SET graph_version = graph_version + 1, audience_version = audience_version + 1,"
            " follower_count = (SELECT count(*) FROM follows WHERE followee_id = users.id),"
            " following_count = (SELECT count(*) FROM follows WHERE follower_id = users.id)"
        )
        await moderate_account(self.world.backends, username="sue", change=ModerationChange.SUSPEND)
        await moderate_account(self.world.backends, username="dan", change=ModerationChange.SHADOW_BAN)
