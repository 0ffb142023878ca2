from __future__ import annotations

from random import Random

from bench.feed.world_shape import DEFAULT, SMALL, draw_shape, follower_counts


def test_follows_add_up_and_nobody_follows_twice_or_themselves() -> None:
    shape = draw_shape(SMALL, Random(1))
    counts = [len(shape.followers[author]) for author in shape.ranked]
    assert abs(sum(counts) - SMALL.follows) <= SMALL.users
    assert counts == sorted(counts, reverse=True)
    assert counts[0] <= SMALL.users // 2
    for author, followers in shape.followers.items():
        assert len(set(followers)) == len(followers)
        assert author not in followers
    assert abs(sum(shape.post_counts.values()) - SMALL.posts) <= SMALL.users


def test_the_same_seed_draws_the_same_world() -> None:
    assert draw_shape(SMALL, Random(7)) == draw_shape(SMALL, Random(7))
    assert draw_shape(SMALL, Random(7)) != draw_shape(SMALL, Random(8))


def test_the_default_world_has_as_many_large_authors_as_are_pulled() -> None:
    large = [count for count in follower_counts(DEFAULT) if count > 3_000]
    assert DEFAULT.pulled <= len(large) <= DEFAULT.pulled + 5
