"""Debian's chromium, headless, driven without any further package: start, pages, clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import tempfile
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.browser_page import Page
from tests.devtools import BrowserError, Connection, open_connection

START_TIMEOUT_SECONDS = 20.0
STOP_TIMEOUT_SECONDS = 5.0

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1  # prctl(2)

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-proxy-server",
    "--password-store=basic",
    "--force-color-profile=srgb",
    "--window-size=1440,900",
    "--remote-debugging-port=0",
    # Nothing but this machine can be reached: a page that needs another server fails at once, on any network.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def find_chromium() -> str | None:
    """The path of the browser; None when there is none, and the test should skip: `apt-get install chromium`."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """A running browser. Pages of one context share cookies and storage; unless told, a page gets one of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def new_context(self) -> str:
        """A fresh profile: no storage, no cookies. Returns its id for `new_page`."""
        result = await self._connection.command("Target.createBrowserContext")
        return str(result["browserContextId"])

    async def new_page(self, url: str, *, context: str | None = None, dark: bool = False) -> Page:
        """Opens `url`; returns once navigation has begun: wait for what the page should show."""
        context = context or await self.new_context()
        target = await self._connection.command(
            "Target.createTarget", {"url": "about:blank", "browserContextId": context, "newWindow": True}
        )
        attached = await self._connection.command("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        page = Page(self._connection, session_id=attached["sessionId"], target_id=target["targetId"], context=context)
        await page.prepare(dark=dark)
        await page.open(url)
        return page


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Starts the browser, and stops it with all its processes. Raises BrowserError when it cannot be started."""
    path = find_chromium()
    if path is None:
        raise BrowserError("chromium is not installed")
    with tempfile.TemporaryDirectory(prefix="tidings-browser-", ignore_cleanup_errors=True) as profile:
        process = await create_subprocess_exec(
            path,
            *FLAGS,
            f"--user-data-dir={profile}",
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        try:
            address = await _devtools_address(process, Path(profile))
            async with open_connection(address) as connection:
                yield Browser(connection)
        finally:
            await _stop(process)


def _end_with_parent() -> None:
    """A test run that is killed leaves no browser behind."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def _devtools_address(process: Process, profile: Path) -> str:
    """The browser writes its port and path into its profile as soon as it listens."""
    port_file = profile / "DevToolsActivePort"
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            while process.returncode is None:
                lines = port_file.read_text().splitlines() if port_file.exists() else []
                if len(lines) == 2:
                    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
                await asyncio.sleep(0.02)
    raise BrowserError(f"chromium did not start (exit code {process.returncode})")


async def _stop(process: Process) -> None:
    """Asks the browser to end, then kills whatever is left of its process group."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
