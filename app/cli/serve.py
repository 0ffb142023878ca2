"""`tidings serve`: the web process."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("serve")(serve)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen at.")] = 8000,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the port.")] = 1,
) -> None:
    """Answer HTTP and WebSocket until SIGTERM; the servers are named by the environment."""
    from app.metrics_environment import prepare_metrics
    from settings import Settings

    settings = Settings()
    # Before anything imports prometheus_client.
    prepare_metrics(settings)
    from app.serve import run_server
    from logs import configure_logs

    configure_logs(settings)
    run_server(settings, host, port, processes)
