"""Shows how far long work has come: a bar where a person is looking, a plain line now and then where not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import click

_T = TypeVar("_T")
_EVERY = 50  # items between two plain lines


def progress(
    items: Sequence[_T], what: str, *, ahead: Callable[[_T], None] = lambda _: None, depth: int = 0
) -> Iterator[_T]:
    """Yield `items`, saying how far it is on standard error; calls `ahead` for each, `depth` items before its turn."""
    for item in items[:depth]:
        ahead(item)
    for number, item in enumerate(_shown(items, what)):
        if number + depth < len(items):
            ahead(items[number + depth])
        yield item


def _shown(items: Sequence[_T], what: str) -> Iterator[_T]:
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track

        yield from track(items, description=what, console=Console(stderr=True))
        return
    for number, item in enumerate(items, start=1):
        yield item
        if number % _EVERY == 0 or number == len(items):
            click.echo(f"{what}: {number} of {len(items)}", err=True)
