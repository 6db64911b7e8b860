"""Pure: works out from archived captures what was published on which list, when, and in which order.

Three things are evidence, and each is weak alone. A workbook's *saved time* says when it was made, often hours before
anybody could see it, and stays the same when ICE puts an old workbook up again. A *capture of a workbook* proves only
that it lay at its address by then. A *capture of the page* proves what was linked, and is stale now and then: it says
which list a workbook was, and whether it came again, but moves none that says itself when it was saved. (On the lists
of 2025 the saved times put all 141 participating lists into their order; pages that are an hour behind do not.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

from monitor.model import ListName

# ICE saves both lists one after the other and puts them up together: of the days of 2025 with both, nine in ten have
# them saved within so long of each other, and the next ones are a working day apart.
_TOGETHER = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Page:
    """What the page linked when it was captured: an address for each list that it named."""

    at: datetime
    links: Mapping[ListName, str]


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook that lay at an address when that was captured, and what it says of itself."""

    at: datetime
    address: str
    file: str
    sha256: str
    saved_at: datetime | None
    columns_of: ListName
    rows: int


@dataclass(frozen=True, slots=True)
class Appearance:
    """A workbook as it was published on a list: `published` is when, as we believe; by `proven` it certainly was."""

    list: ListName
    book: Book
    published: datetime
    proven: datetime


@dataclass(frozen=True, slots=True)
class _Linked:
    """The page began to link an address as a list: by this capture, and not yet in the one before."""

    list: ListName
    by: datetime


def appearances(pages: Iterable[Page], books: Iterable[Book]) -> tuple[Appearance, ...]:
    """What was published, in the order in which a check at each moment would have seen it.

    A page that links nothing is an error page, and proves nothing. The same workbook on the same list in direct
    succession is there once.
    """
    seen = sorted((page for page in pages if page.links), key=lambda page: page.at)
    found = sorted(_sightings(seen, books), key=lambda a: (a.proven, a.published, a.book.file))
    published = _in_order(_together(_once(found, seen)))
    last: dict[ListName, str] = {}
    kept = []
    for appearance in published:
        if last.get(appearance.list) != appearance.book.sha256:
            kept.append(appearance)
        last[appearance.list] = appearance.book.sha256
    return tuple(kept)


def address_key(address: str) -> str:
    """An address as the archive's index compares it: without scheme, `www.`, port, case and escapes."""
    parts = urlsplit(address if "//" in address else f"//{address}")
    query = f"?{parts.query}" if parts.query else ""
    return f"{(parts.hostname or '').removeprefix('www.')}{unquote(parts.path)}{query}".casefold()


def named_list(address: str) -> ListName | None:
    """The list that an address names; None if it names none, or both."""
    named = [list_ for list_ in ListName if list_ in address.casefold()]
    return named[0] if len(named) == 1 else None


def _sightings(pages: Sequence[Page], books: Iterable[Book]) -> Iterator[Appearance]:
    """Every time that a workbook came to an address, or the page to link it.

    Which list: as what the page linked it, else as what its address names it, and only then by its columns. On
    Sept. 22, 2025 ICE swapped the two workbooks: the columns would put each where it belongs, and nobody would learn
    that for a day the participating list was 42 applications. The guard judges that; this file does not.
    """
    linkings = _linkings(pages)
    at_address: defaultdict[str, list[Book]] = defaultdict(list)
    for book in sorted(books, key=lambda book: book.at):
        at_address[address_key(book.address)].append(book)
    for key, there in at_address.items():
        links = linkings.get(key, ())
        first = there[0]
        named = [link.list for link in links[:1]] or [named_list(first.address) or first.columns_of]
        yield _sighted(named[0], first, min([first.at, *(link.by for link in links[:1])]))
        for link in links[1:]:
            yield _sighted(link.list, _at(there, link.by), link.by)
        for book in there[1:]:
            # New content under the same name, as on July 3, 2025.
            linked = [link.list for link in links if link.by <= book.at]
            yield _sighted((linked or named)[-1], book, book.at)


def _linkings(pages: Sequence[Page]) -> Mapping[str, Sequence[_Linked]]:
    """For each address, when the page began to link it, oldest first."""
    found: defaultdict[str, list[_Linked]] = defaultdict(list)
    before: dict[ListName, str | None] = {}
    for page in pages:
        for list_ in ListName:
            now = address_key(page.links[list_]) if list_ in page.links else None
            if now is not None and now != before.get(list_):
                found[now].append(_Linked(list_, page.at))
            before[list_] = now
    return found


def _at(books: Sequence[Book], moment: datetime) -> Book:
    """What lay at an address at a moment: what was captured last before, else first after."""
    return next((book for book in reversed(books) if book.at <= moment), books[0])


def _sighted(list_: ListName, book: Book, proven: datetime) -> Appearance:
    """The time when it was saved counts, if that is not later than what is proven.

    The saved time of a workbook with the columns of the other list tells when it was published there.
    """
    saved = book.saved_at
    if saved is None or saved > proven or book.columns_of is not list_:
        return Appearance(list_, book, proven, proven)
    return Appearance(list_, book, saved, proven)


def _once(found: Sequence[Appearance], pages: Sequence[Page]) -> list[Appearance]:
    """Without the repeats that prove nothing: an old workbook is news again only if something else was in between.

    Its saved time is that of its first appearance, so that it counts from when it was proven. A workbook keeps lying at
    its address when it is no longer linked: where the page was captured in between, it must have linked this one.
    """
    kept: list[Appearance] = []
    for appearance in found:
        earlier = [k for k in kept if k.list is appearance.list and k.book.sha256 == appearance.book.sha256]
        if not earlier:
            kept.append(appearance)
            continue
        since = max(k.published for k in earlier)
        between = [
            other.published
            for other in found
            if other.list is appearance.list
            and other.book.sha256 != appearance.book.sha256
            and since < other.published < appearance.proven
        ]
        if between and _may_be_linked(appearance, min(between), pages):
            kept.append(replace(appearance, published=appearance.proven))
    return kept


def _may_be_linked(appearance: Appearance, since: datetime, pages: Sequence[Page]) -> bool:
    """Whether the page linked it when it was last captured; it may have, where it was not captured since."""
    key = address_key(appearance.book.address)
    links = [page.links.get(appearance.list, "") for page in pages if since < page.at <= appearance.proven]
    return not links or address_key(links[-1]) == key


def _together(found: Iterable[Appearance]) -> Iterator[Appearance]:
    """Let a pending list wait for the participating one that was saved soon after it.

    Both are put up together, and a check looks at the participating list first: else an application that became an
    agreement would be called dropped, for the minute between two saved times.
    """
    pending: list[Appearance] = []
    participating: list[datetime] = []
    for appearance in _in_order(found):
        if appearance.list is ListName.PENDING:
            pending.append(appearance)
        else:
            participating.append(appearance.published)
            yield appearance
    following: datetime | None = None  # when the pending list after this one was published, which it stays before
    for appearance in reversed(pending):
        latest = min(appearance.published + _TOGETHER, appearance.proven, following or appearance.proven)
        together = next((moment for moment in participating if appearance.published < moment <= latest), None)
        following = together or appearance.published
        yield replace(appearance, published=following)


def _in_order(found: Iterable[Appearance]) -> list[Appearance]:
    """By time, participating first; at one time by when they were saved, then by when they were proven."""
    return sorted(
        found,
        key=lambda a: (
            a.published,
            list(ListName).index(a.list),
            a.book.saved_at or a.published,
            a.proven,
            a.book.file,
        ),
    )
