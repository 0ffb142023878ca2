"""`tidings dev` with the real servers and supervisor, and small processes in the place of the roles.

`python -m tests.app.stack.staged_dev dev DATA_DIR [--port N] [--given URL]` runs it; the roles are this module, too.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from app.stack.development import Options, Steps, run
from app.stack.errors import StackError
from app.stack.supervisor import Role
from app.stack.urls import ServerUrls

MODULE = "tests.app.stack.staged_dev"


async def migrate(database_url: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(database_url, timeout=5)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS starts (at timestamptz DEFAULT now())")
        await connection.execute("INSERT INTO starts DEFAULT VALUES")
    finally:
        await connection.close(timeout=5)


async def seed(urls: ServerUrls) -> None:
    print(f"seeded with {urls}", file=sys.stderr, flush=True)


async def token(urls: ServerUrls) -> tuple[str, str]:
    return "ada", "a-token"


def roles_of(port: int, urls: ServerUrls, metrics_dir: Path) -> Sequence[Role]:
    env = dict(os.environ) | urls.as_environment() | {"TIDINGS_METRICS_DIR": str(metrics_dir)}
    python = (sys.executable, "-m", MODULE)
    serve = "broken" if "STAGED_BROKEN" in os.environ else "serve"
    # The folder on the command line lets the tests find them.
    return [
        Role("serve", (*python, serve, str(metrics_dir), "--port", str(port)), env),
        Role("relay", (*python, "idle", str(metrics_dir)), env),
        Role("worker 1", (*python, os.environ.get("STAGED_WORKER", "idle"), str(metrics_dir)), env),
    ]


def serve(port: int) -> None:
    """Ready a moment after it listens, as the real one is."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    ready_at = time.monotonic() + 0.2

    async def readyz(request: Request) -> JSONResponse:
        return JSONResponse({"pid": os.getpid()}, 200 if time.monotonic() > ready_at else 503)

    app = Starlette(routes=[Route("/readyz", readyz)])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1)


def idle(*, stubborn: bool) -> None:
    print("output of a role", flush=True)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if stubborn else signal.SIG_DFL)
    while True:
        time.sleep(60)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int)
    parser.add_argument("--given", default="")
    call = parser.parse_args()
    match call.what:
        case "serve":
            serve(call.port)
        case "broken":
            sys.exit("a broken role")
        case "idle" | "stubborn":
            idle(stubborn=call.what == "stubborn")
        case "dev":
            logging.basicConfig(stream=sys.stderr, level=logging.INFO)
            options = Options(call.folder, port=call.port, given=ServerUrls(database_url=call.given))
            try:
                asyncio.run(run(options, Steps(migrate, seed, token), roles_of=roles_of))
            except StackError as error:
                sys.exit(f"tidings dev: {error}")


if __name__ == "__main__":
    main()
