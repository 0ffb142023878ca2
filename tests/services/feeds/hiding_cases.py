"""A small world in which much is shown to vera, and everything that may hide part of it from her, one case a way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from domain.ids import to_global_id
from domain.moderation import ModerationChange
from domain.preferences import FeedPreferences
from domain.records import Visibility
from resolvers.context import OperationContext
from schema.execution import Engine
from services.accounts.find_people import load_visible_users
from services.accounts.update_profile import update_profile
from services.engagement.add_comment import add_comment
from services.engagement.like_post import like_post
from services.graph.block_user import block_user
from services.graph.follow_user import follow_user
from services.graph.mute_user import mute_user
from services.hashtags.follow_hashtag import follow_hashtag
from services.media.finish_upload import finish_upload
from services.moderation.moderate_account import moderate_account
from services.moderation.remove_post import remove_post
from services.posts.share_post import share_post
from services.preferences.update_preferences import update_preferences
from tests.live_hub import idle_hub
from tests.pictures import png, upload
from tests.world import World

_ENGINE = Engine(has_introspection=False)


@dataclass
class HidingWorld(World):
    """`posts`: by name."""

    posts: dict[str, int] = field(default_factory=dict)

    async def fill(self) -> None:
        await self.add("vera", "ada", "bob", "rita", "cora", "fred", "hal", "zoe")
        await self.follow("vera", "ada", "bob", "cora", "fred")
        await self.follow("fred", "vera")
        await follow_hashtag(self.backends, viewer_id=self.ids["vera"], name="news")
        await self.make_private("cora")
        for name, author, body, visibility in (
            ("quoted", "rita", "quoted", Visibility.PUBLIC),
            ("by rita", "rita", "by rita", Visibility.PUBLIC),
            ("by ada", "ada", "by ada", Visibility.PUBLIC),
            ("sword", "ada", "a sword", Visibility.PUBLIC),
            ("by cora", "cora", "by cora", Visibility.PUBLIC),
            ("by fred", "fred", "by fred", Visibility.FRIENDS),
            ("#news", "hal", "#news", Visibility.PUBLIC),
            ("by vera", "vera", "by vera", Visibility.PUBLIC),
        ):
            self.posts[name] = await self.post(author, body, visibility)
        await self.pass_on("bob", "by rita", "")
        await self.pass_on("fred", "by rita", "")
        self.posts["quoting"] = await self.pass_on("ada", "quoted", "quoting")

    async def pass_on(self, sharer: str, post: str, body: str) -> int:
        made = await share_post(self.backends, author_id=self.ids[sharer], post_id=self.posts[post], body=body)
        return made.id

    async def make_private(self, name: str) -> None:
        await update_profile(self.backends, user_id=self.ids[name], display_name=None, bio=None, is_private=True)

    async def prefer(self, **changes: Any) -> FeedPreferences:
        unset: dict[str, Any] = dict.fromkeys(("default_order", "muted_words", "hide_shares", "hide_seen"))
        return await update_preferences(self.backends, viewer_id=self.ids["vera"], **unset | changes)

    async def mutate(self, actor: str, mutation: str, fields: dict[str, Any]) -> None:
        """As a client does it; refusals are no part of any case."""
        users = await load_visible_users(self.backends, [self.ids[actor]], viewer_id=self.ids[actor])
        context = OperationContext(self.backends, idle_hub(self.backends), users[self.ids[actor]])
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}"
        answer = await _ENGINE.execute(_ENGINE.prepare(query, None, {"input": fields}), context)
        assert answer == {"data": {mutation: {"userErrors": []}}}, answer

    def user(self, name: str) -> str:
        return to_global_id("User", self.ids[name])

    def node(self, name: str) -> str:
        return to_global_id("Post", self.posts[name])


Step = Callable[[HidingWorld], Awaitable[Any]]
ALL = frozenset({"by rita", "by ada", "a sword", "by cora", "by fred", "#news", "by vera", "quoting"})
RITA = {"by rita", "quoting"}
ADA = {"by ada", "a sword", "quoting"}


@dataclass(frozen=True)
class Case:
    """`gone`: the entries that a copy must not show after the step. More may be missing; ALL: there is no page."""

    name: str
    step: Step
    gone: frozenset[str]
    before: Step | None = None


def _mutation(
    mutation: str,
    actor: str,
    gone: set[str] | frozenset[str] = frozenset(),
    *,
    before: Step | None = None,
    note: str = "",
    of: Callable[[HidingWorld], dict[str, Any]],
) -> Case:
    async def step(world: HidingWorld) -> None:
        await world.mutate(actor, mutation, of(world))

    return Case(f"{mutation}{note and ' ' + note}", step, frozenset(gone), before)


def _user(name: str, **more: Any) -> Callable[[HidingWorld], dict[str, Any]]:
    return lambda world: {"userId": world.user(name)} | more


def _post(name: str, **more: Any) -> Callable[[HidingWorld], dict[str, Any]]:
    return lambda world: {"postId": world.node(name)} | more


def _just(**fields: Any) -> Callable[[HidingWorld], dict[str, Any]]:
    return lambda _world: fields


async def _seen(world: HidingWorld) -> None:
    await world.prefer(hide_seen=True)


async def _cursor_step(world: HidingWorld) -> None:
    page = await world.page("vera", 20)
    await world.mutate("vera", "markFeedSeen", {"cursor": page.edges[0].cursor})


async def _ask_cora(world: HidingWorld) -> None:
    await follow_user(world.backends, follower_id=world.ids["zoe"], followee_id=world.ids["cora"])


async def _block_zoe(world: HidingWorld) -> None:
    await block_user(world.backends, viewer_id=world.ids["vera"], user_id=world.ids["zoe"])


async def _mute_zoe(world: HidingWorld) -> None:
    await mute_user(world.backends, viewer_id=world.ids["vera"], user_id=world.ids["zoe"], until=None)


async def _like(world: HidingWorld) -> None:
    await like_post(world.backends, viewer_id=world.ids["vera"], post_id=world.posts["by ada"])


async def _say(world: HidingWorld) -> None:
    edge, _ = await add_comment(world.backends, viewer_id=world.ids["vera"], post_id=world.posts["by ada"], body="words")
    assert edge is not None
    world.posts["words"] = edge.node.id


def _comment(world: HidingWorld) -> dict[str, Any]:
    return {"commentId": to_global_id("Comment", world.posts["words"])}


def _moderate(name: str, change: ModerationChange) -> Step:
    async def step(world: HidingWorld) -> None:
        assert await moderate_account(world.backends, username=name, change=change)

    return step


async def _remove(world: HidingWorld) -> None:
    assert await remove_post(world.backends, post_id=world.posts["by ada"])


async def _finish_upload(world: HidingWorld) -> None:
    media_id = await upload(world, "ada", png())
    await finish_upload(world.backends, owner_id=world.ids["ada"], media_id=media_id)


MUTATIONS = [
    _mutation("createPost", "ada", of=_just(text="new")),
    _mutation("updatePost", "ada", {"by ada"}, of=_post("by ada", text="other words"), note="text"),
    _mutation("updatePost", "ada", {"by ada"}, of=_post("by ada", visibility="PRIVATE"), note="to private"),
    _mutation("updatePost", "rita", {"by rita"}, of=_post("by rita", visibility="PRIVATE"), note="of what is shared"),
    _mutation("updatePost", "rita", {"quoting"}, of=_post("quoted", visibility="FRIENDS"), note="of what is quoted"),
    _mutation("deletePost", "ada", {"by ada"}, of=_post("by ada")),
    _mutation("deletePost", "rita", {"by rita"}, of=_post("by rita"), note="of what is shared"),
    _mutation("sharePost", "ada", of=_post("by rita")),
    _mutation("unsharePost", "bob", {"by rita"}, of=_post("by rita")),
    _mutation("unsharePost", "fred", {"by rita"}, of=_post("by rita"), note="by the second sharer"),
    _mutation("followUser", "vera", RITA, of=_user("rita")),
    _mutation("unfollowUser", "vera", ADA, of=_user("ada")),
    _mutation("unfollowUser", "vera", {"by fred"}, of=_user("fred", keepHistory=True), note="keeping history"),
    _mutation("unfollowUser", "fred", {"by fred"}, of=_user("vera"), note="by a friend"),
    _mutation("updateFollow", "vera", {"by rita"}, of=_user("bob", hideShares=True), note="hiding shares"),
    _mutation("updateFollow", "vera", {"a sword", "quoting"}, of=_user("ada", dailyLimit=1), note="with a limit"),
    _mutation("removeFollower", "cora", {"by cora"}, of=_user("vera")),
    _mutation("answerFollowRequest", "cora", of=_user("zoe", accept=True), before=_ask_cora),
    _mutation("blockUser", "ada", ADA, of=_user("vera"), note="the viewer"),
    _mutation("blockUser", "vera", RITA, of=_user("rita"), note="by the viewer"),
    _mutation("unblockUser", "vera", of=_user("zoe"), before=_block_zoe),
    _mutation("muteUser", "vera", {"by rita"}, of=_user("bob")),
    _mutation("muteUser", "vera", {"by rita"}, of=_user("rita"), note="whose post is shared"),
    _mutation("unmuteUser", "vera", of=_user("zoe"), before=_mute_zoe),
    _mutation("updateProfile", "rita", RITA, of=_just(isPrivate=True)),
    _mutation("followHashtag", "vera", of=_just(name="other")),
    _mutation("unfollowHashtag", "vera", {"#news"}, of=_just(name="news")),
    _mutation("createMediaUpload", "ada", of=_just(contentType="image/png", byteSize=100)),
    Case("finishMediaUpload", _finish_upload, frozenset()),
    _mutation("updateFeedPreferences", "vera", ALL, of=_just(mutedWords=["sword"]), note="words"),
    _mutation("updateFeedPreferences", "vera", ALL, of=_just(hideShares=True), note="shares"),
    _mutation("likePost", "vera", {"by rita"}, of=_post("by rita")),
    _mutation("likePost", "vera", {"quoting"}, of=_post("quoted"), note="of what is quoted"),
    _mutation("likePost", "zoe", of=_post("by ada"), note="by somebody else"),
    _mutation("unlikePost", "vera", {"by ada"}, of=_post("by ada"), before=_like),
    _mutation("bookmarkPost", "vera", {"by vera"}, of=_post("by vera")),
    _mutation("unbookmarkPost", "vera", {"by ada"}, of=_post("by ada")),
    _mutation("addComment", "vera", {"by ada"}, of=_post("by ada", text="words")),
    _mutation("deleteComment", "vera", {"by ada"}, of=_comment, before=_say),
    Case("markFeedSeen", _cursor_step, frozenset()),
    Case("markFeedSeen hiding what was seen", _cursor_step, ALL, _seen),
]
MODERATION = [
    Case("moderate_account suspend", _moderate("ada", ModerationChange.SUSPEND), frozenset(ADA)),
    Case("moderate_account shadow-ban", _moderate("rita", ModerationChange.SHADOW_BAN), frozenset(RITA)),
    Case("remove_post", _remove, frozenset({"by ada"})),
]
