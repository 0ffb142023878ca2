"""What `/static/…` and the page of GraphiQL send, byte by byte: no browser needed."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.graphiql import GRAPHIQL_HEADERS, graphiql_page
from app.static_files import STATIC_FOLDER
from tests.app.graphiql_playground import open_playground

PUBLIC_CDN = re.compile(
    rb"https?://[\w.-]*\b(unpkg\.com|jsdelivr\.net|cdnjs\.cloudflare\.com|esm\.sh|skypack\.dev|googleapis\.com|gstatic\.com)"
)
HOSTILE = "</script><script>alert(1)</script><!-- & \u2028"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        open_playground(token=None, username=None) as playground,
        httpx.AsyncClient(base_url=playground.origin, timeout=5, trust_env=False) as client,
    ):
        yield client


def built_files() -> list[Path]:
    return [path for path in (STATIC_FOLDER / "graphiql").rglob("*") if path.is_file()]


def config_in(html: str) -> object:
    found = re.findall(r'<script type="application/json" id="tidings-config">(.*?)</script>', html, re.DOTALL)
    assert len(found) == 1
    return json.loads(found[0])


def test_built_files_name_no_public_cdn_and_no_source_map() -> None:
    files = built_files()
    assert len(files) > 10
    assert [path.name for path in files if PUBLIC_CDN.search(path.read_bytes())] == []
    assert [path.name for path in files if path.suffix == ".map"] == []


def test_page_states_its_configuration_as_data_only() -> None:
    html = bytes(graphiql_page(token=HOSTILE, username=HOSTILE, dev_login=False).body).decode()

    assert config_in(html) == {
        "endpoint": "/graphql",
        "token": HOSTILE,
        "username": HOSTILE,
        "devLogin": False,
        "examples": True,
    }
    assert "alert(1)</script>" not in html
    assert html.count("<!--") == 0


async def test_every_address_in_the_page_is_served_and_kept_for_ever(client: httpx.AsyncClient) -> None:
    page = await client.get("/graphql", headers={"accept": "text/html"})
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert {name: page.headers[name] for name in GRAPHIQL_HEADERS} == GRAPHIQL_HEADERS
    assert any(address.endswith(".js") for address in addresses)
    assert any(address.endswith(".css") for address in addresses)
    for address in addresses:
        response = await client.get(address)
        assert response.status_code == 200, address
        assert response.headers["x-content-type-options"] == "nosniff"
        is_kept = response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert is_kept == ("/assets/" in address)


async def test_files_without_a_hash_are_asked_for_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/static/favicon.svg")
    again = await client.get("/static/favicon.svg", headers={"if-none-match": first.headers["etag"]})

    assert first.headers["content-type"].startswith("image/svg+xml")
    assert first.headers["cache-control"] == "no-cache"
    assert again.status_code == 304
    assert again.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/static/", "/static/graphiql", "/static/nothing.js", "/static/%2e%2e/graphiql.py"])
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_favicon_where_browsers_look_for_it(client: httpx.AsyncClient) -> None:
    response = await client.get("/favicon.ico")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("image/svg+xml")
