"""Files for browsers, all of them our own: `/static/…` and the favicon."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC_FOLDER = Path(__file__).parent / "static"

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_ICON_MAX_AGE = "public, max-age=86400"


class _BuiltFiles(StaticFiles):
    """Files under an `assets` folder carry their content's hash in their names, so browsers may keep them for ever."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        is_hashed = "assets" in Path(full_path).relative_to(STATIC_FOLDER).parts[:-1]
        response.headers["Cache-Control"] = _FOR_EVER if is_hashed else _ASK_AGAIN
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


async def _favicon(_request: Request) -> Response:
    headers = {"Cache-Control": _ICON_MAX_AGE, "X-Content-Type-Options": "nosniff"}
    return FileResponse(STATIC_FOLDER / "favicon.svg", media_type="image/svg+xml", headers=headers)


def static_routes() -> list[BaseRoute]:
    """Routes for `/static/…` (app/static, beside this file) and `/favicon.ico`, which browsers ask for unasked."""
    return [
        Mount("/static", _BuiltFiles(directory=STATIC_FOLDER), name="static"),
        Route("/favicon.ico", _favicon, methods=["GET"]),
    ]
