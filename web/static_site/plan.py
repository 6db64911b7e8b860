"""Pure: the files of the published edition: how each is called, and which are to be made or removed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# What a file server sends as it is, by what its name ends with; every other address is a page.
_FILE = re.compile(r"\.[a-z]{2,5}$")


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the site. `depends`: differs once what is there differs; "" where that is not known beforehand."""

    path: str
    depends: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done: addresses to be made, by the file that each becomes, and files to be removed."""

    make: Mapping[str, Address]
    remove: tuple[str, ...]


def file_of(path: str) -> str:
    """The file that an address becomes: nearly every file server answers /states/tx with states/tx/index.html."""
    if path.endswith("/"):
        return f"{path[1:]}index.html"
    return path[1:] if _FILE.search(path) else f"{path[1:]}/index.html"


def depends_on(*parts: object) -> str:
    """A hash of what a page is made from: values whose `repr` tells all of them."""
    found = hashlib.sha256()
    for part in parts:
        found.update(repr(part).encode("utf-8", "surrogatepass"))
        found.update(b"\0")
    return found.hexdigest()[:20]


def plan(addresses: Iterable[Address], made: Mapping[str, str]) -> Plan:
    """`made`: what each file that is there depended on when it was made."""
    wanted = {file_of(address.path): address for address in addresses}
    return Plan(
        {file: address for file, address in wanted.items() if not address.depends or made.get(file) != address.depends},
        tuple(sorted(file for file in made if file not in wanted)),
    )
