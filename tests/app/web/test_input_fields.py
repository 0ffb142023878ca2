"""Every field of every input, and every argument, with what no client should send. Generated: a field added later is in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
)

from schema.build import graphql_core_schema
from tests.app.web.people_of_a_server import account, mutate
from tests.app.web.running_server import RunningServer, codes, token_for

BAD = ("\u0000", "a\u0000b", "\ud800", "x\udfff", "x" * 10_001, "\x1b[2J")
BLANK = ("", " ", "\u200b", "\u2800\n\t")
BY_SCALAR: dict[str, Any] = {
    "String": "words", "ID": "nonsense", "Int": 1, "Float": 1.0, "Boolean": True, "DateTime": "2039-01-01T00:00:00Z",
}  # fmt: skip
# With pictures a post needs no words; whether it has any is known of a post that is there.
MAY_BE_BLANK = {
    "UpdatePostInput.text",
    "SharePostInput.text",
    "UpdateProfileInput.bio",
    "ReportPostInput.comment",
    "CreateMediaUploadInput.altText",
}


def _inputs() -> Iterator[tuple[str, GraphQLInputObjectType]]:
    mutations = graphql_core_schema().mutation_type
    assert mutations is not None
    for name, field in mutations.fields.items():
        kind = get_named_type(field.args["input"].type)
        assert isinstance(kind, GraphQLInputObjectType)
        yield name, kind


def _strings(kind: GraphQLInputObjectType) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Path, scalar and `Input.field` of whatever a client can write text into."""
    for name, field in kind.fields.items():
        named = get_named_type(field.type)
        if isinstance(named, GraphQLInputObjectType):
            yield from (((name, *path), scalar, where) for path, scalar, where in _strings(named))
        elif named.name in {"String", "ID"}:
            yield (name,), named.name, f"{kind.name}.{name}"


CASES = [
    pytest.param(mutation, path, scalar, where, id=f"{mutation}.{'.'.join(path)}")
    for mutation, kind in _inputs()
    for path, scalar, where in _strings(kind)
]


def _value(kind: GraphQLInputType, own: dict[str, Any], name: str) -> Any:
    if name in own:
        return own[name]
    if isinstance(kind, GraphQLNonNull):
        return _value(kind.of_type, own, name)
    if isinstance(kind, GraphQLList):
        return [_value(kind.of_type, own, name)]
    if isinstance(kind, GraphQLInputObjectType):
        return {
            field_name: _value(field.type, own, field_name)
            for field_name, field in kind.fields.items()
            if isinstance(field.type, GraphQLNonNull)
        }
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    return BY_SCALAR[kind.name]


def _with(kind: GraphQLInputObjectType, path: tuple[str, ...], value: str, own: dict[str, Any]) -> dict[str, Any]:
    """A valid input but for this one field."""
    made: dict[str, Any] = _value(kind, own, "")
    head, *rest = path
    inner = kind.fields[head].type
    named = get_named_type(inner)
    bad: Any = _with(named, tuple(rest), value, own) if rest and isinstance(named, GraphQLInputObjectType) else value
    nullable = inner.of_type if isinstance(inner, GraphQLNonNull) else inner
    made[head] = [bad] if isinstance(nullable, GraphQLList) else bad
    return made


@pytest.fixture(scope="module")
async def own(web: RunningServer) -> dict[str, Any]:
    """What makes the rest of an input valid."""
    other = await account(web, "other")
    query = 'mutation { createPost(input: {text: "a post"}) { post { id } } }'
    post = (await web.data(query, token_for("other")))["createPost"]["post"]["id"]
    return {"userId": other, "postId": post, "text": "words", "contentType": "image/png", "byteSize": 100}


@pytest.mark.parametrize(("mutation", "path", "scalar", "where"), CASES)
async def test_bad_text_is_a_user_error(
    web: RunningServer, own: dict[str, Any], mutation: str, path: tuple[str, ...], scalar: str, where: str
) -> None:
    kind = dict(_inputs())[mutation]
    query = f"mutation ($input: {kind.name}!) {{ {mutation}(input: $input) {{ userErrors {{ code field message }} }} }}"
    bad = BAD if scalar == "ID" or where in MAY_BE_BLANK else (*BAD, *BLANK)
    for value in bad:
        sent = _with(kind, path, value, own)
        answer = await web.post({"query": query, "variables": {"input": sent}}, token=token_for("walker"))
        body = answer.json()
        assert answer.status_code == 200, (value, body)
        assert "errors" not in body, (value, body)
        refusals = body["data"][mutation]["userErrors"]
        assert refusals, (value, body)
        if scalar == "String":
            assert refusals[0]["field"][: len(path)] == list(path), (value, refusals)


def _questions() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What is asked, a query, and its variables, for each bad value of each argument."""
    queries = graphql_core_schema().query_type
    assert queries is not None
    for name, field in queries.fields.items():
        selection = "" if get_named_type(field.type).name in {"Int", "String", "Boolean", "ID"} else "{ __typename }"
        for argument, described in field.args.items():
            if get_named_type(described.type).name not in {"String", "ID"}:
                continue
            nullable = described.type.of_type if isinstance(described.type, GraphQLNonNull) else described.type
            others = {
                other: _value(one.type, {}, other)
                for other, one in field.args.items()
                if other != argument and isinstance(one.type, GraphQLNonNull)
            }
            declared = ", ".join(f"${one}: {field.args[one].type}" for one in (argument, *others))
            passed = ", ".join(f"{one}: ${one}" for one in (argument, *others))
            query = f"query ({declared}) {{ {name}({passed}) {selection} }}"
            for value in (*BAD, *BLANK):
                variables = {argument: [value] if isinstance(nullable, GraphQLList) else value, **others}
                yield f"{name}({argument}: {value[:9]!r})", query, variables


async def test_arguments_of_queries(web: RunningServer) -> None:
    questions = [*_questions()]
    assert questions
    for batch in (questions[start : start + 10] for start in range(0, len(questions), 10)):
        token = token_for("walker")
        sent = (web.post({"query": query, "variables": variables}, token=token) for _, query, variables in batch)
        for (what, _, _), answer in zip(batch, await asyncio.gather(*sent), strict=True):
            assert answer.status_code == 200, what
            body = answer.json()
            if "errors" in body:
                assert set(codes(body)) <= {"BAD_USER_INPUT", "INVALID_CURSOR"}, (what, body)


@pytest.mark.parametrize(
    ("location", "field"),
    [
        ({"name": "x", "latitude": 1e308, "longitude": 1}, ["location", "latitude"]),
        ({"name": "x", "latitude": -90.000001, "longitude": 1}, ["location", "latitude"]),
        ({"name": "x", "latitude": 1, "longitude": 180.000001}, ["location", "longitude"]),
        ({"name": "x", "latitude": 1, "longitude": -1e308}, ["location", "longitude"]),
        ({"name": "x", "latitude": 1}, ["location"]),
        ({"name": "x", "longitude": 1, "latitude": None}, ["location"]),
        ({"name": "x" * 201}, ["location", "name"]),
        ({"name": "two\nlines"}, ["location", "name"]),
    ],
)
async def test_places_that_are_none(web: RunningServer, location: dict[str, Any], field: list[str]) -> None:
    payload = await mutate(web, "walker", "createPost", "post { id }", text="words", location=location)
    assert payload["post"] is None
    assert [error["field"] for error in payload["userErrors"]] == [field]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_what_is_no_number_is_no_request(web: RunningServer, number: str) -> None:
    query = "mutation ($input: CreatePostInput!) { createPost(input: $input) { post { id } } }"
    sent = f'{{"text": "x", "location": {{"name": "x", "latitude": {number}, "longitude": 0}}}}'
    body = f'{{"query": "{query}", "variables": {{"input": {sent}}}}}'
    answer = await web.post(body.encode(), token=token_for("walker"))
    assert answer.status_code == 400


async def test_the_ends_of_the_earth(web: RunningServer) -> None:
    for place in (
        {"name": "pole", "latitude": 90, "longitude": -180.0},
        {"name": "nowhere"},
        {"name": "x", "latitude": -0.0, "longitude": 0},
    ):
        payload = await mutate(web, "walker", "createPost", "post { location { name } }", text=str(place), location=place)
        assert payload["userErrors"] == []
        assert payload["post"]["location"]["name"] == place["name"]
