"""What a person does in GraphiQL: choose a tab, edit, run, read the result, watch a subscription, be somebody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from tests.browser import Browser
from tests.browser_page import POLL_SECONDS, WAIT_TIMEOUT_SECONDS, Page
from tests.devtools import BrowserError

EXAMPLE_TABS = ("HomeFeed", "CreatePost", "NewPosts", "FindUser")

Result = dict[str, Any]

EDIT_SETTLES_SECONDS = 0.25

_TAB = "[...document.querySelectorAll('.graphiql-tab button[role=tab], .graphiql-tab-button')]"
_RUN_BUTTON = "button.graphiql-execute-button"
_IS_RUNNING = f"document.querySelector('{_RUN_BUTTON}')?.ariaLabel.startsWith('Stop')"


class Graphiql:
    """GraphiQL in one page of the browser. Made by `open_graphiql`."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def wait_until_ready(self) -> None:
        """Waits for the editors and for the answer to the introspection."""
        await self.page.wait_for(f"!!globalThis.__MONACO && !!document.querySelector('{_RUN_BUTTON}')")
        await self.page.wait_for(f"!!{_model('operation.graphql')} && !!{_model('response.json')}")
        await self.page.wait_for("!document.querySelector('.graphiql-sidebar .graphiql-spinner')")
        await self.page.wait_for("!document.querySelector('[aria-label*=\"Re-fetch\"]')?.disabled")

    async def tab_titles(self) -> list[str]:
        return [str(title) for title in await self.page.evaluate(f"{_TAB}.map(tab => tab.textContent)")]

    async def select_tab(self, title: str) -> None:
        """Opens the tab of that title, which ends a subscription that runs in the one before.

        Raises BrowserError when there is no such tab.
        """
        position = (await self.tab_titles()).index(title) if title in await self.tab_titles() else -1
        if position < 0:
            raise BrowserError(f"no tab {title!r} among {await self.tab_titles()}")
        await self.page.click(f"#graphiql-session-tab-{position}")
        await self.page.wait_for(
            f"!!document.querySelector('#graphiql-session-tab-{position}').closest('.graphiql-tab-active')"
        )

    async def operation(self) -> str:
        return str(await self._text("operation.graphql"))

    async def set_operation(self, text: str) -> None:
        """Replaces what the open tab holds; its title follows the operation's name."""
        await self._set_text("operation.graphql", text)

    async def set_variables(self, variables: Result) -> None:
        await self._set_text("variables.json", json.dumps(variables))

    async def headers(self) -> dict[str, str]:
        """What the header editor says."""
        return dict(json.loads(await self._text("request-headers.json") or "{}"))

    async def set_headers(self, headers: dict[str, str]) -> None:
        """As if another token were pasted into the header editor."""
        await self._set_text("request-headers.json", json.dumps(headers))

    async def run(self, operation_name: str | None = None) -> None:
        """Presses the run button; with several operations in the tab, chooses `operation_name` from its menu."""
        await self.page.click(_RUN_BUTTON)
        if operation_name is not None:
            items = "[...document.querySelectorAll('[role=menuitem]')]"
            position = await self.page.wait_for(f"{items}.findIndex(e => e.textContent === {json.dumps(operation_name)}) + 1")
            await self.page.click(f"[role=menuitem]:nth-child({position})")

    async def run_operation(
        self, operation: str | None = None, *, variables: Result | None = None, operation_name: str | None = None
    ) -> Result:
        """Runs a query or mutation in the open tab, as it stands or with what is given; returns the result shown."""
        if operation is not None:
            await self.set_operation(operation)
        if variables is not None:
            await self.set_variables(variables)
        await self._set_text("response.json", "")
        await self.run(operation_name)
        return await self.wait_for_result(lambda _result: True)

    async def start_subscription(self, operation: str | None = None, *, variables: Result | None = None) -> None:
        """Runs a subscription in the open tab; returns when the browser has sent `subscribe`.

        The server may take a moment more to listen: give it a cursor to resume from, or wait for it on its side.
        """
        if operation is not None:
            await self.set_operation(operation)
        if variables is not None:
            await self.set_variables(variables)
        sent = self._subscribe_count()
        await self.run()
        await self.page.wait_until(lambda: self._subscribe_count() > sent, "a subscription is sent")

    async def stop_subscription(self) -> None:
        await self.page.click(_RUN_BUTTON)
        await self.page.wait_for(f"!{_IS_RUNNING}")

    async def is_running(self) -> bool:
        return bool(await self.page.evaluate(_IS_RUNNING))

    async def wait_for_result(self, accept: Callable[[Result], bool], *, timeout: float = WAIT_TIMEOUT_SECONDS) -> Result:
        """Waits, for at most `timeout` seconds, until the result pane shows what `accept` takes; returns that."""
        shown: Result | None = None
        try:
            async with asyncio.timeout(timeout):
                while shown is None or not accept(shown):
                    text = await self._text("response.json")
                    shown = json.loads(text) if text else None
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise BrowserError(
                f"no such result within {timeout:g} s; shown: {shown}; problems: {self.page.record.problems}"
            ) from None
        return shown

    async def sign_in_as(self, username: str) -> None:
        """Uses the page's own box; afterwards the headers carry that person's token."""
        await self.page.click(".person-bar input")
        await self.page.type_text(username)
        await self.page.press_enter()
        await self.page.wait_for(f"document.querySelector('.person-name b')?.textContent === {json.dumps(username)}")
        await self.wait_until_ready()

    async def signed_in_as(self) -> str | None:
        """Whom the page says the open tab's headers name."""
        name = await self.page.evaluate("document.querySelector('.person-name b')?.textContent ?? null")
        return None if name is None else str(name)

    async def _text(self, name: str) -> str:
        return str(await self.page.evaluate(f"{_model(name)}.getValue()"))

    async def _set_text(self, name: str, text: str) -> None:
        await self.page.evaluate(f"{_model(name)}.setValue({json.dumps(text)})")
        # GraphiQL takes an edit over into its tab's state after 100 ms of quiet.
        await asyncio.sleep(EDIT_SETTLES_SECONDS)

    def _subscribe_count(self) -> int:
        return sum(json.loads(frame).get("type") == "subscribe" for frame in self.page.record.sent_frames)


def _model(name: str) -> str:
    """An expression for the editor's text model; instances of GraphiQL put a prefix of their own before its name."""
    return f"globalThis.__MONACO.editor.getModels().find(model => model.uri.path.endsWith({json.dumps(name)}))"


async def open_graphiql(browser: Browser, url: str, *, context: str | None = None, dark: bool = False) -> Graphiql:
    """Opens GraphiQL at `url` and waits until it can be used. `context`: another page's, to share its localStorage."""
    graphiql = Graphiql(await browser.new_page(url, context=context, dark=dark))
    await graphiql.wait_until_ready()
    return graphiql
