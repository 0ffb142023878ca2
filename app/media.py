"""Pictures over HTTP, where they are kept in a folder: `PUT /media/upload/…` takes them, `GET /media/public/…` serves them.

Neither asks who somebody is. Who may upload was decided when the address was signed; who may see a picture, when its address,
which nobody can guess, was given out. With a bucket both happen there, and these paths answer 404.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from app.answers import refusal
from app.web_state import WebState, web_state
from domain.errors import UnavailableError
from domain.media import CONTENT_TYPES
from domain.upload_addresses import UploadClaim
from schema.errors import UNAVAILABLE
from services.media.folder_store import FolderStore, UploadIncompleteError
from services.media.media_store import FOR_EVER, PUBLIC, PUBLIC_KEY, UPLOAD_KEY, UPLOADS, UploadTooLargeError
from services.media.receive_upload import (
    UploadClosedError,
    UploadForbiddenError,
    check_claim,
    check_is_awaited,
    receive_upload,
)

UPLOAD_SECONDS = 120.0
"""For the whole content: 10 MB at 0.7 Mbit/s."""
IDLE_SECONDS = 15.0
"""Without a single byte."""
_MAX_AT_ONCE = 50
"""Uploads of one process that are under way; further ones come again."""
# Whoever has the address may use it, wherever their page is from: nothing else counts here, cookies least of all.
_ANYWHERE = {"Access-Control-Allow-Origin": "*", "Access-Control-Max-Age": "600"}
_ALLOWED = _ANYWHERE | {"Access-Control-Allow-Methods": "PUT", "Access-Control-Allow-Headers": "content-type"}
_SERVED = {
    "Cache-Control": FOR_EVER,
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class _SlowUploadError(Exception):
    pass


def media_routes() -> list[BaseRoute]:
    slots = asyncio.Semaphore(_MAX_AT_ONCE)

    async def upload(request: Request) -> Response:
        return await _upload(request, slots)

    return [
        Route("/media/upload/{name}", upload, methods=["PUT", "OPTIONS"]),
        Route("/media/public/{shard}/{name}", _serve, methods=["GET"]),
    ]


def _folder(request: Request) -> tuple[WebState, FolderStore | None]:
    state = web_state(request)
    store = state.backends.media.store
    return state, store if isinstance(store, FolderStore) else None


# ---------------------------------------------------------------- taking


async def _upload(request: Request, slots: asyncio.Semaphore) -> Response:
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=_ALLOWED)
    answer = await _take(request, slots)
    answer.headers.update(_ANYWHERE)
    return answer


async def _take(request: Request, slots: asyncio.Semaphore) -> Response:
    state, store = _folder(request)
    claim = _claim_of(request)
    if store is None or claim is None:
        return refusal("there is no such address", status=404)
    try:
        check_claim(store, claim, request.query_params.get("signature", ""))
        problem = _why_not(request, claim)
        if problem is not None:
            return problem
        if slots.locked():
            return refusal("too many uploads at once", UNAVAILABLE, status=503, headers={"Retry-After": "2"})
        async with slots:
            await state.deadline.run(check_is_awaited(state.backends, claim))
            async with asyncio.timeout(UPLOAD_SECONDS):
                await receive_upload(store, claim, _chunks(request))
    except UploadForbiddenError as error:
        return refusal(str(error), status=403)
    except UploadClosedError:
        return refusal("the upload is finished, or is awaited no longer", status=409)
    except UploadTooLargeError:
        return refusal("this is more than was announced", status=413)
    except (UploadIncompleteError, ClientDisconnect):
        return refusal("this is less than was announced", status=400)
    except (TimeoutError, _SlowUploadError):
        return refusal("the content did not arrive in time", status=408)
    except UnavailableError as error:
        return refusal(str(error), UNAVAILABLE, status=503)
    return Response(status_code=200, headers={"Cache-Control": "no-store"})


def _claim_of(request: Request) -> UploadClaim | None:
    key = f"{UPLOADS}{request.path_params['name']}"
    query = request.query_params
    size, expires = query.get("size", ""), query.get("expires", "")
    if not UPLOAD_KEY.fullmatch(key) or not all(one.isascii() and one.isdigit() and len(one) < 12 for one in (size, expires)):
        return None
    return UploadClaim(key, query.get("type", ""), int(size), int(expires))


def _why_not(request: Request, claim: UploadClaim) -> Response | None:
    """What the head of the request says already."""
    headers = request.headers
    if headers.get("content-type", "") != claim.content_type or headers.get("content-encoding", "identity") != "identity":
        return refusal(f"this address takes {claim.content_type}, as it is", status=415)
    announced = headers.get("content-length")
    if announced is None or not announced.isdecimal():
        return None
    if int(announced[:20]) > claim.byte_size:
        return refusal("this is more than was announced", status=413)
    return refusal("this is less than was announced", status=400) if int(announced) < claim.byte_size else None


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise _SlowUploadError from None
        yield chunk


# ---------------------------------------------------------------- serving


async def _serve(request: Request) -> Response:
    """Also parts of it (Range). What stands under a name never changes, so the name is the strongest of tags."""
    _, store = _folder(request)
    key = f"{PUBLIC}{request.path_params['shard']}/{request.path_params['name']}"
    parts = PUBLIC_KEY.fullmatch(key)
    try:
        found = await store.find_public(key) if store is not None and parts is not None else None
    except UnavailableError as error:
        return refusal(str(error), UNAVAILABLE, status=503)
    if found is None or parts is None:
        return Response("Not Found", 404, media_type="text/plain", headers={"Cache-Control": "no-store"})
    headers = _SERVED | {"ETag": f'"{request.path_params["name"]}"'}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if known & {headers["ETag"], "*"}:
        return Response(status_code=304, headers=headers)
    path, facts = found
    return FileResponse(path, headers=headers, media_type=CONTENT_TYPES[parts[2]], stat_result=facts)
