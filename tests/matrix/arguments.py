"""What is put into the arguments of fields and into the members of inputs: known by name, never guessed.

Whoever adds an argument with a name that is not here is told so by a failing test. There is no default on purpose: a field that
is asked with nothing sensible shows nothing, and would pass for safe.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLArgument, GraphQLEnumType, GraphQLInputField, GraphQLInputObjectType, get_named_type

LEFT_OUT = object()
PAGE = 100
INNER_PAGE = 20

_numbers = itertools.count(1)


class UnknownArgumentError(AssertionError):
    """The matrix does not know what to put somewhere."""

    def __init__(self, place: str, kind: object) -> None:
        super().__init__(
            f"the visibility matrix does not know what to put into {place}: {kind}. Say it in tests/matrix/arguments.py: ids of "
            "things under IDS, whatever else of a query under VALUES, of an input under INPUT_VALUES"
        )


@dataclass(frozen=True)
class Stock:
    """What there is to ask with, for one viewer at one moment."""

    ids: Mapping[str, Sequence[str]]
    """Global ids by type, one of each type that nothing has."""
    usernames: Sequence[str]
    hashtags: Sequence[str]
    words: Sequence[str]
    """What to search for."""
    cursors: Mapping[str, str] = field(default_factory=dict)
    """By root field (its endCursor) and by `Type.field` of a leaf: what the viewer was given at an earlier moment."""


IDS = {
    "id": None,
    "ids": None,
    "postId": "Post",
    "postIds": "Post",
    "userId": "User",
    "commentId": "Comment",
    "mediaId": "Media",
    "mediaIds": "Media",
    "avatarMediaId": "Media",
    "notificationId": "Notification",
    "hashtagId": "Hashtag",
}
"""Arguments that name things: of which type; None: of every type."""

VALUES: dict[str, Callable[[Stock], Sequence[Any]]] = {
    "username": lambda stock: stock.usernames,
    "name": lambda stock: stock.hashtags,
    "query": lambda stock: stock.words,
    "first": lambda _: [PAGE],
    # Towards newer ones: goes with `before`, which is asked for apart.
    "last": lambda _: [LEFT_OUT],
    "after": lambda _: [LEFT_OUT],
    "before": lambda _: [LEFT_OUT],
}
EVENT_CURSOR_FIELDS = {"missedFeedEvents"}
"""Their `after` is an eventCursor."""

INPUT_VALUES: dict[str, Callable[[Stock], Sequence[Any]]] = {
    "name": lambda stock: stock.hashtags,
    "text": lambda _: [f"words number {next(_numbers)} of the matrix"],
    "comment": lambda _: ["what is wrong with it"],
    "idempotencyKey": lambda _: [None, "the one key"],
    "keepHistory": lambda _: [False, True],
    "accept": lambda _: [True, False],
    "until": lambda _: [None, "2100-01-01T00:00:00Z"],
    "displayName": lambda _: [LEFT_OUT],
    "bio": lambda _: [LEFT_OUT],
    "isPrivate": lambda _: [True, False],
    "closeFriend": lambda _: [True],
    "hideShares": lambda _: [False],
    "hideSeen": lambda _: [False],
    "dailyLimit": lambda _: [0],
    "mutedWords": lambda _: [[]],
    "location": lambda _: [None, {"name": "somewhere"}],
    "cursor": lambda stock: [stock.cursors.get("FeedEdge.cursor", "none was given out")],
    "contentType": lambda _: ["image/png"],
    "byteSize": lambda _: [1_000],
    "altText": lambda _: ["words about a picture"],
}


def values_of(place: str, name: str, argument: GraphQLArgument | GraphQLInputField, stock: Stock) -> list[Any]:
    """What to ask with, one after the other. Raises UnknownArgumentError for an argument that nobody has thought of.

    `place`: `Query.post` or `LikePostInput`, for the message and for arguments that mean different things.
    """
    kind = get_named_type(argument.type)
    is_input = isinstance(argument, GraphQLInputField)
    is_list = "[" in str(argument.type)
    if name in IDS and kind.name == "ID":
        of_type = IDS[name]
        known = [one for type_name, ids in stock.ids.items() if of_type in (None, type_name) for one in ids]
        if not is_list:
            return known
        # Inputs name few things at once, and what they name they change.
        chunks = [known[start : start + PAGE] for start in range(0, len(known), PAGE)]
        return [[]] if is_input else chunks
    if name == "after" and place.rpartition(".")[2] in EVENT_CURSOR_FIELDS:
        return [stock.cursors[cursor] for cursor in ("FeedConnection.eventCursor",) if cursor in stock.cursors]
    if isinstance(kind, GraphQLEnumType):
        return list(kind.values)
    known_values = (INPUT_VALUES if is_input else VALUES).get(name)
    if known_values is None or (isinstance(kind, GraphQLInputObjectType) and not is_input):
        raise UnknownArgumentError(f"{place}({name})", argument.type)
    return list(known_values(stock))
