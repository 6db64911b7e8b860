"""What a process keeps from one request to the next, for speed alone: addresses, and pages that nothing has changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache, wraps
from threading import Lock
from typing import Any, ParamSpec, cast

from flask import current_app, request, url_for
from werkzeug.wrappers import Response

from monitor.storage.revision import revision
from web.rendering import how_fresh
from web.request import visit

# Characters of pages: the busiest ones of a year fit several times over.
ROOM = 32_000_000
# No link of ours is as long. Whoever asks for longer ones, such as with a query that means nothing, would fill the
# memory with addresses.
LONGEST = 500

Given = ParamSpec("Given")


class KeptPages:
    """Pages by what they depend on; those that were asked for longest ago go first."""

    def __init__(self, room: int = ROOM) -> None:
        self._room, self._taken = room, 0
        self._lock = Lock()
        self._pages: OrderedDict[object, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pages)

    def get(self, key: object) -> str | None:
        """The page under a key, if it is still there."""
        with self._lock:
            if key in self._pages:
                self._pages.move_to_end(key)
            return self._pages.get(key)

    def put(self, key: object, page: str) -> None:
        """Keep a page; others make room for it."""
        with self._lock:
            self._taken += len(page) - len(self._pages.get(key, ""))
            self._pages[key] = page
            self._pages.move_to_end(key)
            while self._taken > self._room:
                _, gone = self._pages.popitem(last=False)
                self._taken -= len(gone)


def kept(view: Callable[Given, str | Response]) -> Callable[Given, str | Response]:
    """What follows from its arguments, the address, the log, the day that it is and what is wrong with the checks.

    A check that finds nothing leaves such a page as it was; one that tells of checks is handed them as an argument.
    Only pages are kept, no redirect and no refusal.
    """

    @wraps(view)
    def answer(*args: Given.args, **kwargs: Given.kwargs) -> str | Response:
        if len(request.root_url) + len(request.full_path) > LONGEST:
            return view(*args, **kwargs)
        here = visit()
        troubles = tuple(f for f in how_fresh(here) if f.trouble)
        given = args, tuple(sorted(kwargs.items()))
        key = request.root_url, request.full_path, given, revision(here.store), here.today, troubles
        pages = cast(KeptPages, current_app.extensions.setdefault("kept pages", KeptPages()))
        page = pages.get(key)
        if page is None:
            made = view(*args, **kwargs)
            if not isinstance(made, str):
                return made
            pages.put(key, page := made)
        return page

    return answer


def address_of(endpoint: str, **values: Any) -> str:
    """`url_for`, remembered: a state's page has hundreds of links, and building them is a third of its cost."""
    if endpoint.startswith(".") or any(name.startswith("_") for name in values):
        return url_for(endpoint, **values)
    return _address_of(request.script_root, endpoint, **values)


@lru_cache(maxsize=32_768)
def _address_of(script_root: str, endpoint: str, **values: Any) -> str:
    return url_for(endpoint, **values)
