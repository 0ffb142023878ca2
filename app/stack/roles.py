"""How the role processes are called: the one place that knows their command lines and what they are told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from app.stack.ports import LOOPBACK
from app.stack.supervisor import Role
from app.stack.urls import ServerUrls


def development_roles(*, port: int, workers: int, urls: ServerUrls, metrics_dir: Path) -> list[Role]:
    """API, relay and `workers` worker processes, in the order in which they are stopped."""
    env = {"TIDINGS_LOG_FORMAT": "console"} | os.environ | urls.as_environment()
    env["TIDINGS_METRICS_DIR"] = str(metrics_dir)
    tidings = (sys.executable, "-m", "app.cli")
    return [
        Role("serve", (*tidings, "serve", "--host", LOOPBACK, "--port", str(port)), env),
        Role("relay", (*tidings, "relay"), env),
        *(Role(f"worker {number}", (*tidings, "worker"), env) for number in range(1, workers + 1)),
    ]
