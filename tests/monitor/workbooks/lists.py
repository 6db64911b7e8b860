"""Rows of lists, as tests of reading put them into workbooks of every layout."""

from __future__ import annotations

import hashlib

from monitor.model import Fetched, Publication

QUILLMARSH = (
    *("GEORGIA", "Quillmarsh County Sheriff's Office", "County", "Quillmarsh County", "Task Force Model"),
    *("2025-02-14", "link pending"),
)
TIDEWRACK = (
    *("GEORGIA", "Tidewrack Police Department", "Municipality", "Harl County", "Task Force Model"),
    *("2025-03-05", "link pending"),
)


def many(rows: int, first: int = 0) -> list[tuple[str, ...]]:
    """So many rows of different agencies."""
    return [(QUILLMARSH[0], f"Agency Number {first + n} Police", *QUILLMARSH[2:]) for n in range(rows)]


def fetched(content: bytes) -> Fetched:
    """Bytes as a source gives them."""
    return Fetched("https://ice.test/list.xlsx", "list.xlsx", content, hashlib.sha256(content).hexdigest())


def names_of(publication: Publication) -> list[str]:
    """The agencies of a publication from top to bottom."""
    return [row.cells.agency for row in publication.listings]
