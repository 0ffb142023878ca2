"""The page of GraphiQL: its files are built from web/graphiql by `make web` and served by this server alone."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from starlette.responses import HTMLResponse

from app.static_files import STATIC_FOLDER

_BUILT: Final = STATIC_FOLDER / "graphiql"
_ENTRY: Final = "src/main.jsx"

_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "worker-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # Monaco writes style elements while it runs
    "font-src": "'self'",
    "img-src": "'self' data:",  # Monaco's style sheets hold small images
    "connect-src": "'self'",  # requests, and the WebSocket of the same origin
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}

GRAPHIQL_HEADERS: Final = {
    "Content-Security-Policy": "; ".join(f"{directive} {sources}" for directive, sources in _POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",  # the page may hold a token
    "Vary": "Accept",  # the same path answers GraphQL requests
}

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>GraphiQL · Tidings</title>
<link rel="icon" href="/static/favicon.svg" type="image/svg+xml">
{assets}
</head>
<body>
<div id="graphiql"><p class="loading">Loading GraphiQL…</p></div>
<noscript>GraphiQL needs JavaScript.</noscript>
<script type="application/json" id="tidings-config">{config}</script>
</body>
</html>
"""


def graphiql_page(
    *, token: str | None, username: str | None, dev_login: bool, examples: bool = True, endpoint: str = "/graphql"
) -> HTMLResponse:
    """The page that answers a browser's `GET /graphql`.

    `token` fills the header editor, and thereby the WebSocket's connection_init; `username` is whom it stands for.
    `dev_login` shows the box that calls `POST /dev/login`: never in production. `examples` fills the tabs on the
    first visit. `endpoint` is a path on this server. Raises FileNotFoundError when the files have not been built.
    """
    config = {"endpoint": endpoint, "token": token, "username": username, "devLogin": dev_login, "examples": examples}
    return HTMLResponse(_PAGE.format(assets=_asset_tags(_BUILT), config=_json_for_script(config)), headers=GRAPHIQL_HEADERS)


@cache
def _asset_tags(folder: Path) -> str:
    """The entry script, its static imports and its style sheets, from Vite's manifest."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    entry = manifest[_ENTRY]
    tags = [f'<link rel="stylesheet" href="{_url(name)}">' for name in entry.get("css", [])]
    tags += [f'<link rel="modulepreload" href="{_url(manifest[name]["file"])}">' for name in entry.get("imports", [])]
    tags.append(f'<script type="module" src="{_url(entry["file"])}"></script>')
    return "\n".join(tags)


def _url(name: str) -> str:
    return f"/static/graphiql/{name}"


def _json_for_script(value: object) -> str:
    """JSON that no parser of HTML can take for markup: `</script>` and `<!--` cannot appear in it."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
