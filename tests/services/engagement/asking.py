"""GraphQL as one of a world's people asks it, with a context of its own for each operation."""

from __future__ import annotations

from typing import Any

from domain.ids import to_global_id
from resolvers.context import OperationContext
from schema.execution import Engine
from services.accounts.find_people import load_visible_users
from tests.live_hub import idle_hub
from tests.world import World

_ENGINE = Engine(has_introspection=False)
NOT_FOUND = [{"field": ["postId"], "code": "NOT_FOUND", "message": "there is no such post"}]


def post_node(post_id: int) -> str:
    return to_global_id("Post", post_id)


async def answer(world: World, viewer: str | None, query: str, **variables: Any) -> dict[str, Any]:
    """The whole response."""
    user = None
    if viewer is not None:
        viewer_id = world.ids[viewer]
        user = (await load_visible_users(world.backends, [viewer_id], viewer_id=viewer_id))[viewer_id]
    context = OperationContext(world.backends, idle_hub(world.backends), user)
    return await _ENGINE.execute(_ENGINE.prepare(query, None, variables), context)


async def ask(world: World, viewer: str | None, query: str, **variables: Any) -> Any:
    """The data."""
    response = await answer(world, viewer, query, **variables)
    assert "errors" not in response, response
    return response["data"]


POST = "id likeCount commentCount viewerHasLiked viewerHasBookmarked"


async def mutate(world: World, viewer: str, mutation: str, fields: str = f"post {{ {POST} }}", **given: Any) -> Any:
    """The payload of one mutation, with its user errors."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation($i: {kind}!) {{ {mutation}(input: $i) {{ {fields} userErrors {{ field code message }} }} }}"
    return (await ask(world, viewer, query, i=given))[mutation]


async def see(world: World, viewer: str | None, post_id: int, fields: str = POST) -> Any:
    """A post by its id."""
    return (await ask(world, viewer, f"query($id: ID!) {{ post(id: $id) {{ {fields} }} }}", id=post_node(post_id)))["post"]
