"""Where tokens are looked for, and what else stands there."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from app.authentication.bearer import bearer_from_connection_init, bearer_token
from app.authentication.errors import AuthenticationError


def headers(*values: str) -> Headers:
    return Headers(raw=[(b"host", b"x"), *((b"authorization", value.encode("latin-1")) for value in values)])


@pytest.mark.parametrize("value", ["Bearer a.b-c_d", "bearer a.b-c_d", "BEARER   a.b-c_d"])
def test_bearer(value: str) -> None:
    assert bearer_token(headers(value)) == "a.b-c_d"
    assert bearer_from_connection_init({"Authorization": value}) == "a.b-c_d"


WRONG = [
    "",
    " ",
    "Bearer",
    "Bearer ",
    "a.b.c",
    "Basic dTpw",
    "Bearer a b",
    "Bearer a, Bearer b",
    "Bearer a,",
    "Bearer\ta",
]
WRONG += [
    "Bearer a\n",
    "Bearer a\x00",
    "Bearer é",
    'Bearer "a"',
    "Bearer: a",
    " Bearer a",
    "Bearer a ",
    "Bearer =a",
    "Bearer a=b",
]


@pytest.mark.parametrize("value", WRONG)
def test_anything_else(value: str) -> None:
    with pytest.raises(AuthenticationError):
        bearer_token(headers(value))
    with pytest.raises(AuthenticationError):
        bearer_from_connection_init({"Authorization": value})


def test_no_credentials() -> None:
    assert bearer_token(headers()) is None


def test_two_headers_even_if_equal() -> None:
    with pytest.raises(AuthenticationError):
        bearer_token(headers("Bearer a", "Bearer a"))


@pytest.mark.parametrize("payload", [None, {}, {"other": 1}, {"Authorization": None}])
def test_no_credentials_in_connection_init(payload: object) -> None:
    assert bearer_from_connection_init(payload) is None


@pytest.mark.parametrize("key", ["authorization", "AUTHORIZATION", "Authorization"])
def test_connection_init_key_in_any_case(key: str) -> None:
    assert bearer_from_connection_init({key: "Bearer a", 1: 2}) == "a"


@pytest.mark.parametrize(
    "payload",
    [
        [],
        "Bearer a",
        1,
        {"Authorization": ["Bearer a"]},
        {"Authorization": 1},
        {"Authorization": "Bearer a", "authorization": "Bearer a"},
    ],
)
def test_connection_init_of_other_forms(payload: object) -> None:
    with pytest.raises(AuthenticationError):
        bearer_from_connection_init(payload)
