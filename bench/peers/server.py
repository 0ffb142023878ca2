"""Serves a peer as Tidings is served: uvicorn with uvloop and httptools, one process, no access log."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import uvicorn

_KEEP_ALIVE_SECONDS = 15


def serve(make_app: Callable[[], Any]) -> None:
    """Until SIGTERM; `--port` is an argument of every peer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    serve_at(make_app(), parser.parse_known_args()[0].port)


def serve_at(app: Any, port: int) -> None:
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        lifespan="on",
    )
