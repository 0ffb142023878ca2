"""The feed as an endpoint written by hand in front of Tidings' own use cases: the same authentication, limits, visibility rule,
counts and cursors; no GraphQL. What it costs is what GraphQL may cost at most.

The process is Tidings' own (settings, lifespan, HTTP protocol); one path more is answered by hand.
"""

from __future__ import annotations

import argparse
from typing import Any

import orjson
import uvicorn
from starlette.datastructures import Headers

from app.authentication.bearer import bearer_token
from app.serve import server_config
from app.web import create_app
from app.web_state import STATE, WebState
from bench.peers.answer import read_variables, send_json
from domain.errors import TidingsError
from domain.feed import FeedEntry, FeedPage
from domain.ids import to_global_id
from domain.paging import two_way_page
from services.backends import Backends
from services.engagement.find_marks import find_marks
from services.feeds.read_home_feed import read_home_feed
from services.media.media_address import find_avatar_address
from services.protection.charge_operation import OperationKind, charge_operation
from settings import Settings

PATH = "/bench/feed"


class RuledEndpoint:
    """An ASGI application around Tidings' own."""

    def __init__(self, settings: Settings) -> None:
        self._tidings = create_app(settings)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._tidings(scope, receive, send)
            return
        state: WebState = scope["state"][STATE]
        token = bearer_token(Headers(scope=scope))
        assert token is not None, "the client sends one"
        claims = await state.verifier.verify(token)
        variables = await read_variables(receive)
        if state.backends.budgets is not None:
            await charge_operation(
                state.backends.budgets, kind=OperationKind.QUERY, root_fields={"feed": 1}, subject=claims.subject, address=None
            )
        recognised = await state.recognise(claims)
        assert recognised is not None, "the token names somebody"
        viewer_id = recognised.user.id
        wanted = two_way_page(variables["n"], variables.get("after"), None, None)
        try:
            page = await read_home_feed(state.backends, viewer_id=viewer_id, page=wanted, order=None, seen=recognised.seen)
        except TidingsError as error:
            await send_json(send, orjson.dumps({"errors": [str(error)]}), 400)
            return
        await send_json(send, await render_page(state.backends, viewer_id, page))


async def render_page(backends: Backends, viewer_id: int, page: FeedPage) -> bytes:
    """The answer to the feed query, written by hand."""
    if page.extras is not None:
        marks = page.extras.marks
    else:
        marks = await find_marks(backends, [edge.node.root_id for edge in page.edges], viewer_id=viewer_id)
    edges = [{"cursor": edge.cursor, "node": _node(backends, edge, marks)} for edge in page.edges]
    info = {"hasNextPage": page.page_info.has_next_page, "endCursor": page.page_info.end_cursor}
    return orjson.dumps({"data": {"feed": {"edges": edges, "pageInfo": info}}}, option=orjson.OPT_UTC_Z)


def _node(backends: Backends, edge: FeedEntry, marks: Any) -> dict[str, Any]:
    post, author = edge.node, edge.facts.author
    return {
        "id": to_global_id("Post", post.id),
        "text": post.text,
        "createdAt": post.created_at,
        "likeCount": post.like_count,
        "commentCount": post.comment_count,
        "viewerHasLiked": post.root_id in marks and marks[post.root_id].has_liked,
        "author": {
            "id": to_global_id("User", author.id),
            "username": author.username,
            "displayName": author.display_name,
            "avatarUrl": find_avatar_address(backends, author),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    settings = Settings()
    uvicorn.Server(server_config(settings, RuledEndpoint(settings), "127.0.0.1", parser.parse_args().port)).run()  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
