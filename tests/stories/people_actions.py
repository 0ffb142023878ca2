"""What people of a random walk do to each other, and what moderators do to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.moderation import ModerationChange
from services.accounts.update_profile import update_profile
from services.graph.answer_follow_request import answer_follow_request
from services.graph.block_user import block_user
from services.graph.follow_user import follow_user
from services.graph.mute_user import mute_user
from services.graph.remove_follower import remove_follower
from services.graph.unblock_user import unblock_user
from services.graph.unfollow_user import unfollow_user
from services.graph.unmute_user import unmute_user
from services.graph.update_follow import update_follow
from services.hashtags.follow_hashtag import follow_hashtag
from services.hashtags.unfollow_hashtag import unfollow_hashtag
from services.moderation.moderate_account import moderate_account
from services.preferences.update_preferences import update_preferences
from tests.stories.scene import TAGS, WORDS, Scene

_CHANGES = (ModerationChange.SHADOW_BAN, ModerationChange.SUSPEND, ModerationChange.RESTORE, ModerationChange.RESTORE)


async def follow(scene: Scene, a: int, b: int, _: int) -> None:
    follower_id, followee_id = scene.two_ids(a, b)
    await follow_user(scene.backends, follower_id=follower_id, followee_id=followee_id)


async def unfollow(scene: Scene, a: int, b: int, c: int) -> None:
    follower_id, followee_id = await scene.follow_edge(a, b)
    await unfollow_user(scene.backends, follower_id=follower_id, followee_id=followee_id, keep_history=c % 2 == 1)


async def drop_follower(scene: Scene, a: int, b: int, _: int) -> None:
    follower_id, viewer_id = await scene.follow_edge(a, b)
    await remove_follower(scene.backends, viewer_id=viewer_id, follower_id=follower_id)


async def block(scene: Scene, a: int, b: int, c: int) -> None:
    """Taken back at once now and then: nothing of what it ended comes back."""
    viewer_id, user_id = scene.two_ids(a, b)
    await block_user(scene.backends, viewer_id=viewer_id, user_id=user_id)
    if c % 3 == 0:
        await unblock_user(scene.backends, viewer_id=viewer_id, user_id=user_id)


async def unblock(scene: Scene, a: int, _b: int, _c: int) -> None:
    blocks = await scene.sql("SELECT blocker_id, blocked_id FROM blocks ORDER BY 1, 2")
    if blocks:
        viewer_id, user_id = blocks[a % len(blocks)]
        await unblock_user(scene.backends, viewer_id=viewer_id, user_id=user_id)


async def mute(scene: Scene, a: int, b: int, c: int) -> None:
    viewer_id, user_id = scene.two_ids(a, b)
    until = datetime.now(UTC) + timedelta(hours=1) if c % 2 else None
    await mute_user(scene.backends, viewer_id=viewer_id, user_id=user_id, until=until)


async def unmute(scene: Scene, a: int, b: int, _: int) -> None:
    """By hand, or because its time is over."""
    mutes = await scene.sql("SELECT muter_id, muted_id FROM mutes ORDER BY 1, 2")
    if not mutes:
        return
    viewer_id, user_id = mutes[a % len(mutes)]
    if b % 2:
        await scene.sql(
            "UPDATE mutes SET until = now() - interval '1 s' WHERE muter_id = $1 AND muted_id = $2", viewer_id, user_id
        )
    else:
        await unmute_user(scene.backends, viewer_id=viewer_id, user_id=user_id)


async def change_follow(scene: Scene, a: int, b: int, c: int) -> None:
    follower_id, followee_id = await scene.follow_edge(a, b)
    await update_follow(
        scene.backends,
        follower_id=follower_id,
        followee_id=followee_id,
        close_friend=None,
        hide_shares=(None, True, False)[c % 3],
        daily_limit=(1, None, 2, 1, 3, 2, 0)[c // 3 % 7],
    )


async def tag(scene: Scene, a: int, b: int, c: int) -> None:
    """Follows a hashtag, or no longer."""
    change = unfollow_hashtag if c % 3 == 1 else follow_hashtag
    await change(scene.backends, viewer_id=scene.id(a), name=TAGS[b % len(TAGS)])


async def prefer(scene: Scene, a: int, b: int, c: int) -> None:
    await update_preferences(
        scene.backends,
        viewer_id=scene.id(a),
        default_order=None,
        muted_words=(None, [], [WORDS[c % 3]], [WORDS[c % 3], WORDS[c // 3 % 3]])[b % 4],
        hide_shares=(None, True, False, None, False)[b // 4 % 5],
        hide_seen=(True, None, True, False)[c // 9 % 4],
    )


async def set_private(scene: Scene, a: int, b: int, _: int) -> None:
    await update_profile(scene.backends, user_id=scene.id(a), display_name=None, bio=None, is_private=b % 2 == 0)


async def answer_request(scene: Scene, a: int, b: int, _: int) -> None:
    waiting = await scene.sql("SELECT follower_id, followee_id FROM follow_requests ORDER BY 1, 2")
    if waiting:
        follower_id, followee_id = waiting[a % len(waiting)]
        await answer_follow_request(scene.backends, viewer_id=followee_id, requester_id=follower_id, accept=b % 4 != 0)


async def moderate(scene: Scene, a: int, b: int, _: int) -> None:
    await moderate_account(scene.backends, username=scene.name(a), change=_CHANGES[b % 4])
