"""Rendered pages, kept in memory until something that they depend on changes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from threading import Lock
from typing import ParamSpec, cast

from cachetools import LRUCache
from flask import current_app, request
from werkzeug.wrappers import Response

from monitor.storage.revision import version
from web.request import visit

# Characters of pages: the busiest ones of a year fit several times over.
ROOM = 32_000_000
# No link of ours is as long. Longer addresses, such as with a query that means nothing, could fill the memory.
LONGEST = 500

Given = ParamSpec("Given")


class PageCache:
    """Pages by what they depend on; the least recently used go first. For several threads."""

    def __init__(self, room: int = ROOM) -> None:
        self._lock = Lock()
        self._pages: LRUCache[object, str] = LRUCache(room, getsizeof=len)

    def __len__(self) -> int:
        return len(self._pages)

    def get(self, key: object) -> str | None:
        """The page under a key, if it is still there."""
        with self._lock:
            return self._pages.get(key)

    def put(self, key: object, page: str) -> None:
        """Keep a page; others make room for it. One that is larger than all the room is not kept."""
        with self._lock, suppress(ValueError):
            self._pages[key] = page


def kept(view: Callable[Given, str | Response]) -> Callable[Given, str | Response]:
    """Keep the pages of a view that depend on its arguments, the address, the log, the date and troubles of checks.

    A check that finds nothing new leaves such a page as it was: a view that shows times of checks takes them as an
    argument. Only pages are kept, no redirects or errors.
    """

    @wraps(view)
    def answer(*args: Given.args, **kwargs: Given.kwargs) -> str | Response:
        if len(request.root_url) + len(request.full_path) > LONGEST:
            return view(*args, **kwargs)
        here = visit()
        troubles = tuple(f for f in here.freshness if f.trouble)
        given = args, tuple(sorted(kwargs.items()))
        key = request.root_url, request.full_path, given, version(here.store), here.today, troubles
        pages = cast(PageCache, current_app.extensions["page cache"])
        page = pages.get(key)
        if page is None:
            made = view(*args, **kwargs)
            if not isinstance(made, str):
                return made
            pages.put(key, page := made)
        return page

    return answer
