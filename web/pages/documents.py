"""Pure: the address of a document in a cell, as something that a page may link to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

from monitor.normalize import document


@dataclass(frozen=True, slots=True)
class Document:
    """What a MOA or ADDENDUM cell holds.

    `address` can be followed; it is "" where the cell names no document on the web. `text` is what the cell says.
    `wrapper` is the host that the address was pasted in with, if any: Outlook's safelinks carry the mailbox of whoever
    received them, so of such an address nothing is shown but the document's own.
    """

    address: str
    text: str
    wrapper: str = ""


@lru_cache(maxsize=4096)
def document_in(cell: str) -> Document:
    """The document in the text or link of a cell."""
    canonical = document(cell)
    if not canonical:
        return Document("", " ".join(cell.split()))
    address, outer = _as_published(cell, canonical), _host(cell)
    if outer == _host(canonical):
        return Document(address, " ".join(cell.split()))
    return Document(address, address, outer)


def _as_published(cell: str, canonical: str) -> str:
    """The canonical address in the letters of the cell: case is folded for comparing, and servers mind it."""
    bare = canonical.removeprefix("https://")
    plain = unquote(unquote(cell))
    found = re.search(rf"(?:www\.)?{re.escape(bare)}", plain, re.IGNORECASE)
    written = found[0] if found else bare
    return "https://" + quote(written, safe="/:()_-.~!$&'*+,;=@")


def _host(address: str) -> str:
    """Not by urlsplit, which refuses brackets that a cell may well hold."""
    authority = re.match(r"\s*(?:[a-z-]+:)?/+([^/?#\s]*)", address, re.IGNORECASE)
    return authority[1].casefold().rpartition("@")[2].removeprefix("www.") if authority else ""
