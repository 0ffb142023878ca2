"""Everything that may happen in a random walk, and how often."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from tests.stories import machine_actions, people_actions, post_actions, reading_actions
from tests.stories.scene import Scene

Action = Callable[[Scene, int, int, int], Coroutine[None, None, None]]

_POSTS: dict[Action, int] = {
    post_actions.post: 8,
    post_actions.burst: 2,
    post_actions.edit: 3,
    post_actions.hide_and_show: 2,
    post_actions.delete: 4,
    post_actions.share: 8,
    post_actions.share_by_many: 3,
    post_actions.unshare: 3,
}
_PEOPLE: dict[Action, int] = {
    people_actions.follow: 6,
    people_actions.unfollow: 5,
    people_actions.drop_follower: 1,
    people_actions.block: 2,
    people_actions.unblock: 1,
    people_actions.mute: 3,
    people_actions.unmute: 2,
    people_actions.change_follow: 6,
    people_actions.tag: 3,
    people_actions.prefer: 4,
    people_actions.set_private: 2,
    people_actions.answer_request: 2,
    people_actions.moderate: 1,
}
_MACHINES: dict[Action, int] = {
    machine_actions.lease: 3,
    machine_actions.deliver: 6,
    machine_actions.lease_and_deliver: 5,
    machine_actions.deliver_twice_at_once: 2,
    machine_actions.crash: 2,
    machine_actions.drain: 2,
    machine_actions.threshold: 2,
    machine_actions.cap: 2,
    machine_actions.wipe: 1,
    machine_actions.evict: 2,
    machine_actions.save: 1,
    machine_actions.restart_with_older_state: 1,
    machine_actions.dead_builder: 1,
}
_READING: dict[Action, int] = {
    reading_actions.read_page: 12,
    reading_actions.walk: 6,
    reading_actions.warm: 3,
    reading_actions.explain: 6,
    reading_actions.look_at_position: 2,
    reading_actions.mark_seen: 4,
    reading_actions.scroll_and_mark: 3,
    reading_actions.read_while_it_happens: 6,
}

ACTIONS: dict[str, Action] = {action.__name__: action for group in (_POSTS, _PEOPLE, _MACHINES, _READING) for action in group}

MOODS: dict[str, list[str]] = {
    mood: [
        action.__name__
        for group in (_POSTS, _PEOPLE, _MACHINES, _READING)
        for action, weight in group.items()
        for _ in range(weight * (3 if group is favoured else 1))
    ]
    for mood, favoured in (
        ("even", None),
        ("machines", _MACHINES),
        ("people", _PEOPLE),
        ("posts", _POSTS),
        ("reading", _READING),
    )
}
"""What a walk draws its steps from, by its mood: what is more likely is there more often."""
