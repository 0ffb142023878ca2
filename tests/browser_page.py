"""One page of the browser: scripts, waiting, mouse and keyboard, and a record of its requests and complaints."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.devtools import BrowserError, Connection, Params

WAIT_TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 0.03
_WITHOUT_NETWORK = ("data:", "blob:", "about:")


@dataclass
class PageRecord:
    """What happened in a page and its workers since it was opened, in order."""

    requested_urls: list[str] = field(default_factory=list)
    """Every address asked for, WebSockets included, except `data:`, `blob:` and `about:`, which touch no network."""
    problems: list[str] = field(default_factory=list)
    """Errors and warnings in the console, uncaught exceptions, failed loads, breaches of the content policy."""
    sent_frames: list[str] = field(default_factory=list)
    """Payloads that the page sent through WebSockets."""

    def foreign_urls(self, origin: str) -> list[str]:
        """Those addresses that are not of `origin` (`http://host:port`)."""
        own = (origin + "/", origin.replace("http", "ws", 1) + "/")
        return [url for url in self.requested_urls if not url.startswith(own)]

    def take(self, method: str, params: Params) -> None:
        """Notes one event of the protocol."""
        match method:
            case "Network.requestWillBeSent":
                self._take_url(params["request"]["url"])
            case "Network.webSocketCreated":
                self._take_url(params["url"])
            case "Network.webSocketFrameSent":
                self.sent_frames.append(params["response"]["payloadData"])
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                self.problems.append(details.get("exception", {}).get("description") or details["text"])
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                values = [str(value.get("value", value.get("description", ""))) for value in params["args"]]
                self.problems.append(f"console.{params['type']}: {' '.join(values)}")
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                entry = params["entry"]
                self.problems.append(f"{entry['source']}: {entry['text']} {entry.get('url', '')}".rstrip())

    def _take_url(self, url: str) -> None:
        if not url.startswith(_WITHOUT_NETWORK):
            self.requested_urls.append(url)


class Page:
    """One page. Made by `Browser.new_page`."""

    def __init__(self, connection: Connection, *, session_id: str, target_id: str, context: str) -> None:
        self._connection = connection
        self._session_id = session_id
        self._target_id = target_id
        self.context = context
        self.record = PageRecord()

    async def prepare(self, *, dark: bool) -> None:
        """Listens to everything before the first address is opened, in workers too."""
        self._connection.listen(self._session_id, self._on_event)
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self._command(f"{domain}.enable")
        await self._command("Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True})
        await self._command("Emulation.setFocusEmulationEnabled", {"enabled": True})
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self._command("Emulation.setEmulatedMedia", {"features": [scheme]})

    async def open(self, url: str) -> None:
        """Navigates. Raises BrowserError when the address cannot be loaded."""
        result = await self._command("Page.navigate", {"url": url})
        if "errorText" in result:
            raise BrowserError(f"{url}: {result['errorText']}")

    async def reload(self) -> None:
        """Loads the same address again; the marker makes sure that no later wait sees the old document."""
        await self.evaluate("window.__isOldDocument = true")
        await self._command("Page.reload")
        await self.wait_for("!window.__isOldDocument && document.readyState === 'complete'")

    async def close(self) -> None:
        await self._connection.command("Target.closeTarget", {"targetId": self._target_id})

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, as JSON; a promise is awaited. Raises BrowserError when it throws."""
        result = await self._command(
            "Runtime.evaluate",
            {"expression": expression, "awaitPromise": True, "returnByValue": True, "userGesture": True},
        )
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return result["result"].get("value")

    async def wait_for(self, expression: str, *, timeout: float = WAIT_TIMEOUT_SECONDS) -> Any:
        """Waits until the expression is truthy, for at most `timeout` seconds, and returns its value."""
        last: object = None
        try:
            async with asyncio.timeout(timeout):
                while True:
                    try:
                        if last := await self.evaluate(expression):
                            return last
                    except BrowserError as error:  # the document may be changing under us
                        last = error
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise BrowserError(
                f"not true within {timeout:g} s: {expression}\nlast: {last}\nproblems: {self.record.problems}"
            ) from None

    async def wait_until(self, is_true: Callable[[], bool], what: str, *, timeout: float = WAIT_TIMEOUT_SECONDS) -> None:
        """Waits for something in `record`, for at most `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                while not is_true():
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise BrowserError(f"not within {timeout:g} s: {what}; problems: {self.record.problems}") from None

    async def click(self, selector: str, *, timeout: float = WAIT_TIMEOUT_SECONDS) -> None:
        """Clicks into the middle of the first element that fits the selector, once it is there."""
        box = f"document.querySelector({json.dumps(selector)})?.getBoundingClientRect()"
        middle = f"(box => box?.width && [box.x + box.width / 2, box.y + box.height / 2])({box})"
        x, y = await self.wait_for(middle, timeout=timeout)
        await self._command("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})
        for kind in ("mousePressed", "mouseReleased"):
            await self._command("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1})

    async def type_text(self, text: str) -> None:
        """Puts text where the focus is, as an input method does."""
        await self._command("Input.insertText", {"text": text})

    async def press_enter(self) -> None:
        for kind in ("keyDown", "keyUp"):
            key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
            await self._command("Input.dispatchKeyEvent", {"type": kind, **key})

    async def screenshot(self, path: Path) -> None:
        """Writes what is visible as a PNG."""
        result = await self._command("Page.captureScreenshot", {"format": "png"})
        path.write_bytes(base64.b64decode(result["data"]))

    async def _command(self, method: str, params: Params | None = None) -> Params:
        return await self._connection.command(method, params, session_id=self._session_id)

    def _on_event(self, method: str, params: Params) -> None:
        if method == "Target.attachedToTarget":
            self._watch_worker(params["sessionId"])
        else:
            self.record.take(method, params)

    def _watch_worker(self, session_id: str) -> None:
        """Workers ask for addresses too; they wait until they are watched."""
        self._connection.listen(session_id, self.record.take)
        for method in ("Runtime.enable", "Network.enable", "Runtime.runIfWaitingForDebugger"):
            self._connection.command_soon(method, session_id=session_id)
