"""Everything that may happen in a random walk, and how often."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.stories import machine_actions, people_actions, post_actions, reading_actions
from tests.stories.scene import Scene

Action = Callable[[Scene, int, int, int], Awaitable[None]]
ACTIONS: dict[Action, int] = {
    post_actions.post: 4,
    post_actions.burst: 2,
    post_actions.edit: 1,
    post_actions.hide_and_show: 1,
    post_actions.delete: 1,
    post_actions.share: 3,
    post_actions.share_by_many: 1,
    post_actions.unshare: 1,
    people_actions.follow: 2,
    people_actions.unfollow: 2,
    people_actions.drop_follower: 1,
    people_actions.block: 1,
    people_actions.unblock: 1,
    people_actions.mute: 1,
    people_actions.unmute: 1,
    people_actions.change_follow: 2,
    people_actions.tag: 2,
    people_actions.prefer: 2,
    people_actions.set_private: 1,
    people_actions.answer_request: 1,
    people_actions.moderate: 1,
    machine_actions.lease: 1,
    machine_actions.deliver: 2,
    machine_actions.lease_and_deliver: 2,
    machine_actions.deliver_twice_at_once: 1,
    machine_actions.crash: 1,
    machine_actions.drain: 1,
    machine_actions.threshold: 1,
    machine_actions.cap: 1,
    machine_actions.wipe: 1,
    machine_actions.evict: 1,
    machine_actions.save: 1,
    machine_actions.restart_with_older_state: 1,
    machine_actions.dead_builder: 1,
    reading_actions.read_page: 6,
    reading_actions.walk: 3,
    reading_actions.warm: 2,
    reading_actions.explain: 2,
    reading_actions.look_at_position: 1,
    reading_actions.mark_seen: 2,
    reading_actions.read_while_it_happens: 2,
}
"""Each action with its weight."""
