"""Pure: the files of the published site: their names, and which to make or remove."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Addresses with such an ending are files of that name; every other address is a page.
_FILE = re.compile(r"\.[a-z]{2,5}$")


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the site. `depends`: a hash of what its content is made from; "" where it must be made to know."""

    path: str
    depends: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The work: addresses to make, by file name, and files to remove."""

    make: Mapping[str, Address]
    remove: tuple[str, ...]


def file_of(path: str) -> str:
    """The file for an address: nearly every file server answers /states/tx with states/tx/index.html."""
    if path.endswith("/"):
        return f"{path[1:]}index.html"
    return path[1:] if _FILE.search(path) else f"{path[1:]}/index.html"


def depends_on(*parts: object) -> str:
    """A hash of what a page is made from: values whose `repr` is complete."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part).encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.hexdigest()[:20]


def plan(addresses: Iterable[Address], made: Mapping[str, str]) -> Plan:
    """`made`: for each existing file, what it depended on when it was made."""
    wanted = {file_of(address.path): address for address in addresses}
    return Plan(
        {file: address for file, address in wanted.items() if not address.depends or made.get(file) != address.depends},
        tuple(sorted(file for file in made if file not in wanted)),
    )
