"""What is added to the schema is in the matrix by itself, or the matrix says what it must be told."""

from __future__ import annotations

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, get_named_type, parse, validate

from tests.matrix.arguments import Stock, UnknownArgumentError
from tests.matrix.asking import SCHEMA, calls
from tests.matrix.counts import unknown_numbers
from tests.matrix.mutations import mutations, target_of
from tests.matrix.selections import Selections

STOCK = Stock(
    ids={kind: ["one"] for kind in ("User", "Post", "Comment", "Media", "Notification", "Hashtag")},
    usernames=["ada"],
    hashtags=["red"],
    words=["word"],
)
TOY = """
  interface Node { id: ID! }
  type Query { post(id: ID!): Post  letters(first: Int = 20): LetterConnection %s }
  type Post implements Node { id: ID! text: String! replies(first: Int = 20): PostConnection! letter: Letter }
  type PostConnection { nodes: [Post!]! }
  type Letter implements Node { id: ID! secret: String! about: Post! stamps: Int! }
  type LetterConnection { nodes: [Letter!]! }
"""


def toy(more: str = "") -> GraphQLSchema:
    return build_schema(TOY % more)


def test_new_types_and_fields_are_asked_for() -> None:
    schema = toy()
    selections = Selections(schema)
    assert selections.things() == ["Letter", "Post"]
    text = selections.below(schema.type_map["Post"], 2)
    assert validate(schema, parse(f"{{ post(id: 1) {text} }}")) == []
    assert "replies(first: 20) { __typename nodes { __typename id text letter { __typename id secret stamps } } }" in text
    # Gone through once, not again on the same way.
    assert text.count("replies") == 1
    assert "replies" not in selections.below(schema.type_map["Post"], 0)


@pytest.mark.parametrize("more", ["nearby(radius: Float!): Post", "nearby(tone: String): Post", "nearby(place: Place!): Post"])
def test_an_argument_that_nobody_knows_fails(more: str) -> None:
    schema = toy(more + " } input Place { name: String! } type Unused { id: ID!")
    assert schema.query_type is not None
    with pytest.raises(UnknownArgumentError, match=r"does not know what to put into Query.nearby.*arguments\.py"):
        list(calls("Query.nearby", "nearby", schema.query_type.fields["nearby"], STOCK))


def test_an_argument_below_the_root_fails_too() -> None:
    schema = build_schema(TOY.replace("stamps: Int!", "stamps(colour: String): Int!") % "")
    with pytest.raises(UnknownArgumentError, match=r"Letter\.stamps"):
        Selections(schema).below(schema.type_map["Letter"], 0)


def test_a_number_that_nobody_knows_is_named() -> None:
    assert unknown_numbers(toy()) == ["Letter.stamps"]


def test_everything_in_our_schema_is_known() -> None:
    """The same for ours: every field of every root can be asked, every input filled, every number judged."""
    assert unknown_numbers(SCHEMA) == []
    selections = Selections(SCHEMA)
    for kind in (SCHEMA.query_type, SCHEMA.subscription_type):
        assert isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items():
            list(calls(f"{kind.name}.{name}", name, field, STOCK))
            selections.below(get_named_type(field.type), 3)
    for name, field in mutations().items():
        target_of(name, field)
