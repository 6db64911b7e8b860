"""Shows how far long work has come: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import track

_T = TypeVar("_T")
_EVERY = 50  # items between two plain lines


def progress(items: Iterable[_T], what: str, total: int) -> Iterator[_T]:
    """Yield `items`, of which there are `total`, and print on standard error how many are done."""
    if sys.stderr.isatty():
        yield from track(items, description=what, total=total, console=Console(stderr=True))
        return
    for number, item in enumerate(items, start=1):
        yield item
        if number % _EVERY == 0 or number == total:
            click.echo(f"{what}: {number} of {total}", err=True)
