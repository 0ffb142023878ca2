"""Random queries over our own schema and a small world in a real database, on both executors."""

from __future__ import annotations

import random

from domain.ids import to_global_id
from domain.records import Visibility
from graphql_compiler import CompiledOperations
from resolvers.context import OperationContext
from schema.build import build_schema
from services.accounts.find_people import load_visible_users
from services.graph.block_user import block_user
from services.hashtags.follow_hashtag import follow_hashtag
from tests.graphql_compiler.compare import check_same
from tests.graphql_compiler.random_operation import make_operation
from tests.graphql_compiler.random_runs import Tally
from tests.live_hub import idle_hub
from tests.world import World

PEOPLE = ("ada", "bob", "cat", "dan", "eve")
MOVING = frozenset({"asOf", "eventCursor", "missedFeedEvents", "uploadUrl"})
"""Fields that tell the moment."""


async def settle(world: World) -> list[str]:
    """Some people with posts, shares, hashtags and a block; ids and names that arguments are drawn from."""
    await world.add(*PEOPLE)
    await world.follow("ada", "bob", "cat", "dan")
    await world.follow("bob", "ada")
    posts = []
    for number in range(8):
        author = PEOPLE[number % 5]
        visibility = Visibility.PRIVATE if number == 6 else Visibility.PUBLIC
        posts.append(await world.post(author, f"No. {number} #tag{number % 3} @ada @nobody https://example.org/é", visibility))
    await world.share("bob", posts[2])
    await world.share("cat", posts[0], "words about it")
    await follow_hashtag(world.backends, viewer_id=world.ids["ada"], name="tag1")
    await block_user(world.backends, viewer_id=world.ids["ada"], user_id=world.ids["eve"])
    await world.drain()
    ids = [to_global_id("Post", each) for each in posts] + [to_global_id("User", world.ids[name]) for name in PEOPLE]
    return [*ids, *PEOPLE, "tag1", "no such thing", ""]


async def run_ours(world: World, strings: list[str], seed: int, count: int) -> Tally:
    """Compares queries of this seed. Raises AssertionError with what it was."""
    schema = build_schema()
    tally = Tally()
    for number in range(count):
        drawn = random.Random(f"ours {seed} {number}")
        operation = make_operation(schema._schema, f"ours {seed} {number}", strings=strings, leave_out=MOVING)
        viewer = None
        if drawn.randrange(5):
            viewer_id = world.ids[drawn.choice(PEOPLE)]
            viewer = (await load_visible_users(world.backends, [viewer_id], viewer_id=viewer_id))[viewer_id]

        def make_context(viewer: object = viewer) -> OperationContext:
            return OperationContext(world.backends, idle_hub(world.backends), viewer)  # type: ignore[arg-type]

        operations = CompiledOperations(schema, compile_at=1, hide_suggestions=True)
        try:
            answer = await check_same(
                schema,
                operation.document,
                make_context=make_context,
                variables=operation.variables,
                operations=operations,
                hide_suggestions=True,
                cancels_nothing=True,
                # The process keeps records: the third time what was rendered of them is spliced.
                rounds=3,
            )
        except Exception as failure:
            failure.add_note(f"run_ours({seed}), operation {number}\n{operation.text}\n{operation.variables}\n{viewer}")
            raise
        tally.add(Tally(1, bool(answer.errors), answer.data is None))
    return tally
