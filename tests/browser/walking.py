"""Goes through a site by following links from its first page: a new page is walked as soon as one leads to it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from urllib.parse import parse_qs, urlsplit

import requests
from playwright.sync_api import Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, RequestRedirect

from monitor.settings import Settings
from tests.browser.looking import Witness, facts, faults_of_form, path_of
from web.app import create_app

SECONDS = 30
# A day is like the next day: so many pages of one kind are enough.
OF_A_KIND = 2

Look = Callable[[Page], list[str]]


@dataclass
class Walk:
    """What was met: pages and files by path, each with its kind; and the faults of each that has any."""

    pages: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def routes(self) -> set[str]:
        """The names of the routes that were met."""
        return {kind.partition(" ")[0] for kind in (*self.pages.values(), *self.files.values())}


@cache
def addresses() -> Map:
    """The addresses that the application knows."""
    return create_app(Settings(), lambda: datetime.min.replace(tzinfo=UTC)).url_map


def kinds_to_read() -> set[str]:
    """The names of all routes at which something can be read."""
    return {rule.endpoint for rule in addresses().iter_rules() if "GET" in (rule.methods or ())}


def kind_of(path: str, known: Map) -> str:
    """What kind of page is at a path: the name of its route, and the names of what is asked of it."""
    parts = urlsplit(path)
    try:
        endpoint, _ = known.bind("127.0.0.1").match(parts.path)
    except RequestRedirect:
        endpoint = "redirect"
    except HTTPException:
        endpoint = "nothing"
    return " ".join([endpoint, *sorted(parse_qs(parts.query, keep_blank_values=True))])


def walk(page: Page, witness: Witness, site: str, *more: Look, of_a_kind: int = OF_A_KIND) -> Walk:
    """Open every kind of page that links lead to from the first, and look at each, in the ways of `more` too."""
    known, met, walked = addresses(), {"/"}, Walk()
    ahead, taken = deque(["/"]), Counter[str]()
    while ahead:
        path = ahead.popleft()
        kind = kind_of(path, known)
        if taken[kind] == of_a_kind:
            continue
        taken[kind] += 1
        head = requests.head(site + path, timeout=SECONDS, allow_redirects=True)
        if head.headers.get("Content-Type", "").startswith("text/html"):
            walked.pages[path] = kind
            faults, links = _look_at(page, witness, site, path, more)
            new = [link for link in links if link not in met]
            met.update(new)
            ahead.extend(new)
        else:
            walked.files[path] = kind
            faults = [] if head.status_code == 200 else [f"answers {head.status_code}"]
        if faults:
            walked.faults[path] = faults
    return walked


def _look_at(page: Page, witness: Witness, site: str, path: str, more: tuple[Look, ...]) -> tuple[list[str], list[str]]:
    """What is wrong with a page, and where it leads on the site, each place once."""
    witness.forget()
    answer = page.goto(site + path)
    seen = facts(page)
    faults = faults_of_form(seen)
    if answer is None or answer.status != 200:
        faults.append(f"answers {answer.status if answer else 'nothing'}")
    for look in more:
        faults += look(page)
    faults += witness.faults(site)
    links = [path_of(url) for url in seen["links"] + seen["forms"] if url.startswith(f"{site}/")]
    return faults, list(dict.fromkeys(links))
