"""What clients send and how they read what they get, for either subscription of the feed."""

from __future__ import annotations

from typing import Any

SUBSCRIPTIONS = {
    "newPosts": "subscription($after: String) { newPosts(after: $after) "
    "{ cursor __typename edge { node { id text author { username } } } } }",
    "feedEvents": "subscription($after: String) { feedEvents(after: $after) "
    "{ cursor __typename ... on PostAdded { edge { node { id text author { username } } } } } }",
}
"""By field. The same fields of a post for both; the cursor comes first."""

SUBPROTOCOL = "graphql-transport-ws"


def init_message(token: str) -> dict[str, Any]:
    return {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}


def subscribe_message(field: str, after: str | None) -> dict[str, Any]:
    payload = {"query": SUBSCRIPTIONS[field], "variables": {"after": after}}
    return {"id": "1", "type": "subscribe", "payload": payload}


def first_code(errors: Any) -> str:
    """The code of the first of some GraphQL errors."""
    return str(errors[0].get("extensions", {}).get("code")) if errors else "none"
