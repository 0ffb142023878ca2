"""A client that reads home feeds through GraphQL over HTTP, page by page, and believes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from app.authentication.development_token import mint_development_token
from domain.ids import local_id
from settings import DEVELOPMENT_JWT_SECRET

PAGE_SIZE = 50
_TOKEN_LIFE = timedelta(hours=2)
_QUERY = f"""
query Page($after: String) {{
  feed(first: {PAGE_SIZE}, after: $after) {{
    edges {{ cursor node {{ id }} }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
    status {{ state complete order degradations }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it came. `post_ids`: numbers, in the page's order."""

    post_ids: list[int]
    cursors: list[str]
    info: dict[str, Any]
    status: dict[str, Any]


class FeedClient:
    """Reads as the account whose `sub` is given."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def page(self, subject: str, after: str | None = None) -> Page:
        token = mint_development_token(DEVELOPMENT_JWT_SECRET, subject, username=f"u{subject}", ttl=_TOKEN_LIFE)
        response = await self._client.post(
            "/graphql",
            json={"query": _QUERY, "variables": {"after": after}},
            headers={"Authorization": f"Bearer {token}"},
        )
        answer = response.json()
        assert response.status_code == 200, answer
        assert "errors" not in answer, answer["errors"]
        feed = answer["data"]["feed"]
        ids = [local_id(edge["node"]["id"], "Post") for edge in feed["edges"]]
        assert None not in ids
        return Page([i for i in ids if i], [edge["cursor"] for edge in feed["edges"]], feed["pageInfo"], feed["status"])

    async def walk(self, subject: str) -> list[Page]:
        """Every page from the newest to the end."""
        pages = [await self.page(subject)]
        while pages[-1].info["hasNextPage"]:
            after = pages[-1].info["endCursor"]
            assert not pages[:-1] or after != pages[-2].info["endCursor"], "the cursor stands still"
            pages.append(await self.page(subject, after))
        return pages


def check_walk(pages: list[Page], expected: list[int], *, degradations: list[str]) -> None:
    """Asserts that the pages are exactly the feed: each entry once and in order, full pages, true flags, true states."""
    assert [post_id for page in pages for post_id in page.post_ids] == expected
    for number, page in enumerate(pages):
        is_last = number == len(pages) - 1
        assert len(page.post_ids) == (len(expected) - number * PAGE_SIZE if is_last else PAGE_SIZE)
        assert page.info["hasNextPage"] is not is_last
        assert page.info["hasPreviousPage"] is (number > 0)
        if page.cursors:
            assert (page.info["startCursor"], page.info["endCursor"]) == (page.cursors[0], page.cursors[-1])
        assert page.status["complete"] is True
        assert page.status["order"] == "LATEST"
        assert page.status["degradations"] == degradations
        if expected:
            assert page.status["state"] == ("END_OF_FEED" if is_last else "READY")
        else:
            assert page.status["state"] in {"EMPTY_NO_FOLLOWS", "EMPTY_NO_POSTS"}
