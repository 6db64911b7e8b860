"""Pure: the name and address of the document that a cell links to, safe to show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

from monitor.normalize import document


@dataclass(frozen=True, slots=True)
class Document:
    """What a MOA or ADDENDUM cell holds.

    `address`: safe to link to, or "" where the cell names no document on the web. `text`: what to show. `wrapper`: the
    host of a redirecting address, if the document's was wrapped in one. Outlook's safelinks contain the recipient's
    mailbox, so only the document's own address is shown.
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
    """The canonical address with the upper and lower case of the cell, which servers may need."""
    bare = canonical.removeprefix("https://")
    plain = unquote(unquote(cell))
    match = re.search(rf"(?:www\.)?{re.escape(bare)}", plain, re.IGNORECASE)
    written = match[0] if match else bare
    return "https://" + quote(written, safe="/:()_-.~!$&'*+,;=@")


def _host(address: str) -> str:
    """The host of an address. (urlsplit raises on brackets, which cells may contain.)"""
    authority = re.match(r"\s*(?:[a-z-]+:)?/+([^/?#\s]*)", address, re.IGNORECASE)
    return authority[1].casefold().rpartition("@")[2].removeprefix("www.") if authority else ""
