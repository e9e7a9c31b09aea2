"""Debian's Chromium, driven by Playwright, and everything it complains about."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Dialog, WebError, async_playwright

from tests.clients import require

OFF: Final = (
    # Each window would start a process for the pop-up of an address bar that nobody sees: half of its cost.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
    # Playwright turns these off, and our list replaces its own.
    *("AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync"),
    *("DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay"),
    *("MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch"),
    "ThirdPartyStoragePartitioning",
)

ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(OFF)}",
)

REPORT_VIOLATIONS: Final = """
addEventListener("securitypolicyviolation", ({violatedDirective, blockedURI, sample}) =>
  console.error(`Violation of ${violatedDirective} by ${blockedURI} ${sample}`));
"""

NO_NETWORK: Final = r"net::ERR_|WebSocket connection to .* failed|WebSocket is closed before"
"""What Chromium writes on the console when a server cannot be reached."""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser of the machine, never a download of Playwright's."""
    path = require("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS, timeout=30_000)
        try:
            yield browser
        finally:
            await browser.close()


class Watch:
    """What no page of ours may cause: console errors, uncaught errors, dialogs, violations of the policy."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._allowed: list[str] = []

    async def over(self, context: BrowserContext) -> None:
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("dialog", self._on_dialog)
        await context.add_init_script(REPORT_VIOLATIONS)

    def allow(self, pattern: str) -> None:
        """A test that breaks something on purpose says what it expects to be written about it."""
        self._allowed.append(pattern)

    @property
    def complaints(self) -> list[str]:
        return [line for line in self.seen if not any(re.search(each, line) for each in self._allowed)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.seen.append(f"console {message.type}: {message.text}")

    def _on_error(self, error: WebError) -> None:
        self.seen.append(f"uncaught: {error.error}")

    async def _on_dialog(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        await dialog.dismiss()
