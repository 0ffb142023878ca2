"""The files of the embedded PostgreSQL: made once, whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from app.stack.binaries import postgres_program
from app.stack.errors import ServerStartError
from app.stack.identity import own_tree
from app.stack.processes import ChildProcess
from app.stack.server_log import open_log, written_since

USER = "tidings"
DATABASE = "tidings"
_INITDB_SECONDS = 120.0
_STAGING_PREFIX = "initdb-"

# TZ spares initdb the search for the machine's zone; LC_ALL keeps its messages readable for whoever quotes them.
SERVER_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def server_settings(*, port: int, mark: str, durable: bool) -> dict[str, str]:
    """What the server is started with: on the command line, so that an older cluster gets newer settings, too."""
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        # Socket paths are limited to 107 bytes and need a folder of the right owner; TCP with a password needs neither.
        "unix_socket_directories": "",
        # Shown in every backend's title: this is how orphans are known.
        "cluster_name": mark,
        "max_connections": "200",
        "shared_buffers": "256MB",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] ",
        "log_checkpoints": "off",
        # One call instead of an fsync for each of some thousand files before crash recovery.
        "recovery_init_sync_method": "syncfs",
        "fsync": "on",
        "synchronous_commit": "on",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return settings


def ensure_cluster(folder: Path, *, identity: str, durable: bool) -> Path:
    """The cluster's folder, made if missing. It appears when it is complete: a killed start leaves no half one."""
    cluster = folder / "cluster"
    for leftover in folder.glob(f"{_STAGING_PREFIX}*"):
        shutil.rmtree(leftover)
    if not cluster.exists():
        _make_cluster(folder, cluster, identity=identity, durable=durable)
    own_tree(cluster, identity)
    return cluster


def read_password(folder: Path) -> str:
    return (folder / "password").read_text(encoding="ascii").strip()


def _make_cluster(folder: Path, cluster: Path, *, identity: str, durable: bool) -> None:
    staging = Path(tempfile.mkdtemp(prefix=_STAGING_PREFIX, dir=folder))
    password_file = staging / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(secrets.token_hex(32), encoding="ascii")
    own_tree(staging, identity)
    argv = [
        str(postgres_program("initdb")),
        f"--pgdata={staging / 'cluster'}",
        f"--username={USER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        # The password is 256 random bits: stretching it protects nothing and costs each connection milliseconds.
        "--set=scram_iterations=1",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--data-checksums",
        "--sync-method=syncfs" if durable else "--no-sync",
        "--no-instructions",
    ]
    log = folder / "server.log"
    with open_log(log) as output:
        start = output.tell()
        child = ChildProcess(
            argv, name="initdb", env=SERVER_ENVIRONMENT, stdout=output, stderr=subprocess.STDOUT, identity=identity
        )
    with child:
        if not child.wait(_INITDB_SECONDS) or child.returncode != 0:
            raise ServerStartError(f"initdb failed:\n{written_since(log, start)}")
    os.chown(password_file, os.geteuid(), os.getegid())
    os.replace(password_file, folder / "password")
    os.replace(staging / "cluster", cluster)
    shutil.rmtree(staging)
