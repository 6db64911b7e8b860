"""The addresses of pages: states in paths, and a faster `url_for`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import request, url_for

# A state that was not recognized, in an address.
UNKNOWN = "unknown"


def slug(code: str | None) -> str:
    """A state in an address: tx, or unknown."""
    return code.lower() if code else UNKNOWN


def address_of(endpoint: str, **values: Any) -> str:
    """`url_for` with a cache: a state's page has hundreds of links, and building them is a third of its cost."""
    if endpoint.startswith(".") or any(name.startswith("_") for name in values):
        return url_for(endpoint, **values)
    return _address_of(request.script_root, endpoint, **values)


@lru_cache(maxsize=32_768)
def _address_of(script_root: str, endpoint: str, **values: Any) -> str:
    return url_for(endpoint, **values)
