"""`GET /`: says what answers here, and where to go on."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.web_state import web_state

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Tidings</title>
<style>
  :root {{ color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif }}
  body {{ max-width: 36rem; margin: 12vh auto; padding: 0 1.5rem }}
  h1 {{ font-size: 1.6rem; margin-bottom: .25rem }}
  dt {{ font-weight: 600; margin-top: .75rem }}
  dd {{ margin: 0 }}
  code {{ font-size: .95em }}
</style>
<h1>Tidings</h1>
<p>A home-feed server: a GraphQL API with live updates.</p>
<dl>
{entries}
</dl>
</html>
"""
_GRAPHIQL = '<dt><a href="/graphql">GraphiQL</a></dt><dd>Try queries, mutations and subscriptions in the browser.</dd>'
_ENTRIES = """<dt><code>POST /graphql</code></dt><dd>GraphQL over HTTP, JSON in and out.</dd>
<dt><code>WS /graphql</code></dt><dd>Every operation, live ones too, over <code>graphql-transport-ws</code>.</dd>
<dt><a href="/readyz">/readyz</a></dt><dd>Whether this server can work, and what it lacks.</dd>"""


async def front_page(request: Request) -> HTMLResponse:
    """A page for people who open the address in a browser."""
    entries = f"{_GRAPHIQL}\n{_ENTRIES}" if web_state(request).settings.has_graphiql else _ENTRIES
    return HTMLResponse(_PAGE.format(entries=entries), headers=_HEADERS)
