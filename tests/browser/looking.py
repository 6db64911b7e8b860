"""One page in a real browser: everything that it does while it loads, and what is wrong with it, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request, Response

AXE = Axe().axe_script  # `Axe.run` would send its half megabyte again for each look
LOOK = (Path(__file__).parent / "look.js").read_text()
SERIOUS = ("serious", "critical")
# Blue ink may well do on white paper and not on black.
CONTRAST = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
# What hostile text would do first (tests/hostile.py) leaves its mark here.
TRAP = "Object.defineProperty(window, '__pwned', {set(by) {console.error('hostile text was executed: ' + by)}})"

Facts = dict[str, Any]


@dataclass
class Witness:
    """What a browser does beside showing a page: requests, complaints, dialogs."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def attend(self, context: BrowserContext) -> None:
        """Be told of everything that any page of a context does."""
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.complaints.append(f"error in a script: {error.error}"))
        context.on("dialog", self._interrupted)

    def forget(self) -> None:
        self.requests.clear()
        self.complaints.clear()

    def faults(self, site: str) -> list[str]:
        """What should not have happened while a page of a site was shown."""
        elsewhere = [url for url in self.requests if not url.startswith((f"{site}/", "data:"))]
        return [*(f"asks another host: {url}" for url in elsewhere), *self.complaints]

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            self.complaints.append(f"answered with {response.status}: {response.url}")

    def _said(self, message: ConsoleMessage) -> None:
        # A breach of the content security policy is an error here too.
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _interrupted(self, dialog: Dialog) -> None:
        self.complaints.append(f"opened a dialog: {dialog.message}")
        dialog.dismiss()


@contextmanager
def witnessed(context: BrowserContext) -> Iterator[tuple[Page, Witness]]:
    """A page of a context, trapped, and the witness of what it does."""
    witness = Witness()
    context.add_init_script(TRAP)
    witness.attend(context)
    yield context.new_page(), witness


def facts(page: Page) -> Facts:
    """What can be read off the page that is open."""
    found: Facts = page.evaluate(LOOK)
    return found


def faults_of_form(seen: Facts) -> list[str]:
    """What is wrong with a page as it stands."""
    faults = [f"could run: {what}" for what in seen["acting"]]
    if not seen["title"]:
        faults.append("has no title")
    if seen["lang"] != "en":
        faults.append(f"is in the language {seen['lang']!r}")
    if seen["headings"] != 1:
        faults.append(f"has {seen['headings']} headings of the first rank")
    if seen["width"] > seen["window"]:
        faults.append(f"is {seen['width']} wide in a window of {seen['window']}: {', '.join(seen['wide'])}")
    faults += [f"leads to {place} on itself, which is not there" for place in seen["astray"]]
    faults += [f"has the id {name!r} twice" for name in seen["repeated"]]
    return faults


def faults_of_skip_link(page: Page) -> list[str]:
    """Whether the first key pressed offers the way past the navigation, visibly, and the second takes it."""
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    if link.count() != 1 or link.get_attribute("href") != "#main":
        return ["has no skip link where the first press of Tab leads"]
    box = link.bounding_box()
    if box is None or box["x"] < 0 or box["y"] < 0 or box["width"] < 1:
        return ["keeps its skip link out of sight when it has the focus"]
    page.keyboard.press("Enter")
    if page.evaluate("document.activeElement.id") != "main":
        return ["has a skip link that does not move the focus"]
    return []


def faults_of_access(page: Page) -> list[str]:
    """What axe calls serious or critical, in light and in dark. A script of its own: scripts must be on."""
    page.emulate_media(color_scheme="light")
    page.evaluate(AXE)
    found = _violations(page, "", {"resultTypes": ["violations"]})
    page.emulate_media(color_scheme="dark")
    return found + _violations(page, "in the dark, ", CONTRAST)


def _violations(page: Page, where: str, options: dict[str, Any]) -> list[str]:
    """What axe finds on a page that has its script. Only violations cross over from the browser: the rest is long."""
    violations = page.evaluate("options => axe.run(options).then(results => results.violations)", options)
    return [
        f"axe: {where}{violation['id']} ({violation['impact']}): {node['html'][:160]}; {node.get('failureSummary')}"
        for violation in violations
        if violation["impact"] in SERIOUS
        for node in violation["nodes"][:3]
    ]


def path_of(url: str) -> str:
    """An address without its host and its place on the page."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
