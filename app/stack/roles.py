"""How the role processes are called: the one place that knows their command lines and what they are told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from app.stack.ports import LOOPBACK
from app.stack.supervisor import Role
from app.stack.urls import ServerUrls


def development_roles(
    *, port: int, workers: int, urls: ServerUrls, metrics_dir: Path, media_dir: Path | None = None
) -> list[Role]:
    """API, relay and `workers` worker processes, in the order in which they are stopped.

    `media_dir`: where pictures are kept unless the environment says where.
    """
    env = {"TIDINGS_LOG_FORMAT": "console"} | os.environ | urls.as_environment()
    env["TIDINGS_METRICS_DIR"] = str(metrics_dir)
    if media_dir is not None and not env.get("TIDINGS_MEDIA_URL"):
        env["TIDINGS_MEDIA_URL"] = media_dir.as_uri()
    tidings = (sys.executable, "-m", "app.cli")
    return [
        Role("serve", (*tidings, "serve", "--host", LOOPBACK, "--port", str(port)), env),
        Role("relay", (*tidings, "relay"), env),
        *(Role(f"worker {number}", (*tidings, "worker"), env) for number in range(1, workers + 1)),
    ]
