"""Runs the web process: uvicorn with uvloop and httptools, tuned to stop within two seconds."""

from __future__ import annotations

import os

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from app.metrics_environment import prepare_metrics
from app.protocols import LimitedHttpProtocol
from app.socket_protocol import SocketProtocol
from app.web import create_app
from logs import configure_logs
from settings import Settings

GRACE_SECONDS = 1
"""Requests under way when the process is told to stop get so long; sockets are closed with 1012 at once."""
KEEP_ALIVE_SECONDS = 15
BACKLOG = 2_048
WORKER_SECONDS = 30
"""One of several processes has so long to start, and to answer its supervisor: a busy machine takes more than uvicorn's 5 s."""


def run_server(settings: Settings, host: str, port: int, processes: int) -> None:
    """Serves until SIGTERM or SIGINT. Raises SystemExit with a status other than 0 where it cannot start.

    With several processes each reads the settings from the environment again, so `settings` must come from there.
    """
    settings = _with_own_address(settings, host, port)
    if processes > 1:
        config = server_config(settings, "app.serve:application", host, port, processes=processes)
        Multiprocess(config, sockets=[config.bind_socket()]).run()
        return
    server: uvicorn.Server | None = None

    def is_draining() -> bool:
        return server is not None and server.should_exit

    app = create_app(settings, is_draining=is_draining)
    server = uvicorn.Server(server_config(settings, app, host, port))
    server.run()
    if not server.started:
        raise SystemExit(3)


def _with_own_address(settings: Settings, host: str, port: int) -> Settings:
    """In development, clients are where the server is."""
    if settings.public_url or not settings.is_development:
        return settings
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    os.environ["TIDINGS_PUBLIC_URL"] = f"http://{name}:{port}"  # for further processes, too
    return settings.model_copy(update={"public_url": os.environ["TIDINGS_PUBLIC_URL"]})


def application() -> Starlette:
    """The application of one of several processes."""
    settings = Settings()
    configure_logs(settings)
    prepare_metrics(settings)
    return create_app(settings)


def server_config(settings: Settings, app: Starlette | str, host: str, port: int, *, processes: int = 1) -> uvicorn.Config:
    """How uvicorn is to run; the tests use the same."""
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        host=host,
        port=port,
        workers=processes,
        loop="uvloop",
        http=LimitedHttpProtocol,
        ws=SocketProtocol,
        access_log=False,
        log_config=None,
        server_header=False,
        # uvicorn reads the last of several X-Forwarded-For alone, and none for sockets: see app/client_address.py.
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_worker_healthcheck=WORKER_SECONDS,
        backlog=BACKLOG,
        lifespan="on",
    )
