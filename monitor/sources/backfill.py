"""Downloads what the Internet Archive has seen of the lists into a folder that `replay` can follow.

The folder holds the captures as they were archived, `captures.csv` that says which is which, and in the end
`manifest.csv`. Whatever happens in between, a file that is listed is whole, and nothing that is listed is asked for
again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from urllib.parse import unquote, urlsplit

from monitor.errors import ManifestError, SourceError, WorkbookError
from monitor.model import Fetched, ListName
from monitor.sources.chronology import Appearance, Book, Page, address_key, appearances
from monitor.sources.ice import find_links, is_workbook, may_be_workbook
from monitor.sources.internet_archive import Archive, Capture, digest_of
from monitor.workbooks.sandbox import Reader

MANIFEST = "manifest.csv"
_CAPTURES = "captures.csv"
_COLUMNS = ("captured", "address", "digest", "file", "sha256", "passed_over")
_MANIFEST_COLUMNS = ("published", "link", "file", "url_name", "sha256", "rows")
_LONGEST_NAME = 100  # characters; with the time before it, any file system takes it

# Wraps captures to show how far the work has come: (captures, what is done with them, how many there are).
Progress = Callable[[Iterable[Capture], str, int], Iterable[Capture]]


def download(
    archive: Archive, folder: Path, reader: Reader, progress: Progress, *, page: str, workbooks: str, since: datetime
) -> tuple[str, ...]:
    """Fetch what was captured of the page and of the workbooks since a time, and write the manifest.

    `workbooks` is how their addresses begin; others are looked for if the page linked them. Returns what was passed
    over, in words: captures that cannot be had, and bytes that cannot be read. Raises SourceError where the archive
    does not answer for now (what was fetched until then is kept), ManifestError where there is nothing to replay or
    the folder cannot be written.
    """
    kept = Kept(folder)
    # The page differs from one minute to the next in things that do not matter; one an hour is enough.
    pages = list(_pages(archive, kept, progress, archive.captures(page, "exact", "timestamp:10", since)))
    found = list(archive.captures(workbooks, "prefix", "digest", since))
    for address in _elsewhere(pages, workbooks):
        found += archive.captures(address, "exact", "digest", since)
    wanted = to_fetch(found)
    for capture in progress(wanted, "Workbooks", len(wanted)):
        _fetch(archive, kept, capture, file_name(capture))
    books, unreadable = _read(kept, wanted, reader, progress)
    published = appearances(pages, books)
    if not published:
        raise ManifestError(
            folder, f"the archive gave no workbook that was captured since {since:%Y-%m-%d} and can be read"
        )
    kept.write_manifest(published)
    return (*kept.passed_over(), *unreadable)


def to_fetch(captures: Iterable[Capture]) -> list[Capture]:
    """The captures that may be workbooks, oldest first; of equal ones in succession at an address the first."""
    last: dict[str, str] = {}
    wanted = []
    for capture in sorted(captures, key=lambda capture: (capture.at, capture.original)):
        if not _is_address(capture.original) or not may_be_workbook(capture.original):
            continue
        key = address_key(capture.original)
        if last.get(key) != capture.digest:
            wanted.append(capture)
        last[key] = capture.digest
    return wanted


def _is_address(text: str) -> bool:
    """Whether it can be asked for at all: there are captures of "http://[" in the archive, and of worse."""
    try:
        return bool(urlsplit(text).hostname) and text.isprintable() and " " not in text
    except ValueError:
        return False


def file_name(capture: Capture) -> str:
    """What a captured workbook is called in the folder: when it was captured, and its name in the address."""
    return f"{capture.timestamp}-{re.sub(r'[^A-Za-z0-9._~-]', '_', _url_name(capture.original))[-_LONGEST_NAME:]}"


def _url_name(address: str) -> str:
    return unquote(urlsplit(address).path).rstrip("/").rpartition("/")[2]


def _elsewhere(pages: Iterable[Page], workbooks: str) -> list[str]:
    """The addresses that the page linked and that do not begin as the workbooks' do, each once."""
    prefix = address_key(workbooks)
    linked = {address_key(url): url for page in pages for url in page.links.values()}
    return [url for key, url in linked.items() if not key.startswith(prefix)]


def _pages(archive: Archive, kept: Kept, progress: Progress, captures: Sequence[Capture]) -> Iterator[Page]:
    wanted = [capture for capture in captures if _is_address(capture.original)]
    for capture in progress(wanted, "Pages", len(wanted)):
        content = _fetch(archive, kept, capture, f"pages/{capture.timestamp}.html")
        if content is not None:
            yield Page(capture.at, find_links(content.decode("utf-8", "replace"), capture.original))


def _fetch(archive: Archive, kept: Kept, capture: Capture, file: str) -> bytes | None:
    """The bytes of a capture, from the folder if they are there; None if it cannot be had, which is written down."""
    if kept.is_passed_over(capture):
        return None
    if (content := kept.content(capture)) is not None:
        return content
    if (content := kept.same_bytes(capture)) is None:
        try:
            content = archive.fetch(capture)
        except SourceError as exc:
            if not exc.permanent:
                raise
            kept.pass_over(capture, str(exc))
            return None
    if file.startswith("pages/") or is_workbook(content):
        kept.keep(capture, file, content)
        return content
    # ICE answers some networks with an HTML page under a workbook's address, the archive's among them.
    kept.pass_over(capture, f"{capture.original}: what was captured {capture.at:%Y-%m-%d %H:%M} UTC is no workbook")
    return None


def _read(kept: Kept, captures: Sequence[Capture], reader: Reader, progress: Progress) -> tuple[list[Book], list[str]]:
    """What each workbook says of itself; and, in words, which cannot be read."""
    books: list[Book] = []
    unreadable: list[str] = []

    def fetched(capture: Capture) -> Fetched:
        content = kept.content(capture) or b""
        file = kept.file(capture)
        return Fetched(capture.original, file, content, hashlib.sha256(content).hexdigest())

    kept_captures = [capture for capture in captures if kept.file(capture)]
    for capture in progress(reader.ahead_of(kept_captures, fetched, 4), "Reading", len(kept_captures)):
        book = fetched(capture)
        try:
            list_, said = reader.read(book, capture.at)
        except WorkbookError as exc:
            unreadable.append(f"{book.file}: {exc}")
            continue
        books.append(Book(capture.at, book.url, book.file, book.sha256, said.saved_at, list_, len(said.listings)))
    return books, unreadable


class Kept:
    """The folder of a backfill: what was fetched, what cannot be had, and the manifest of it.

    `captures.csv` grows by a line for each capture that is done with, after its file is whole on the disk. Deleting a
    line has that capture asked for again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[tuple[str, str], str] = {}
        self._by_digest: dict[str, str] = {}
        self._passed_over: dict[tuple[str, str], tuple[str, str]] = {}  # the digest, and why
        with self._in_words():
            (folder / "pages").mkdir(parents=True, exist_ok=True)
            self._load()

    def _load(self) -> None:
        path = self._folder / _CAPTURES
        if not path.exists():
            _write(path, _csv([_COLUMNS]))
        text = path.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        if whole != text:
            _write(path, whole)  # a line that a crash cut short: that capture is asked for again
        for line in csv.DictReader(io.StringIO(whole.decode("utf-8", "replace"))):
            of = line.get("captured") or "", line.get("address") or ""
            if line.get("passed_over"):
                self._passed_over[of] = line["digest"], line["passed_over"]
            elif (file := line.get("file")) and (content := self._whole(file, line.get("sha256") or "")) is not None:
                self._files[of] = self._by_digest[digest_of(content)] = file

    def _whole(self, file: str, sha256: str) -> bytes | None:
        """The bytes of a listed file; None where it is gone or not what was listed."""
        path = self._folder / file
        if not path.resolve().is_relative_to(self._folder.resolve()) or not path.is_file():
            return None
        content = path.read_bytes()
        return content if hashlib.sha256(content).hexdigest() == sha256 else None

    def file(self, capture: Capture) -> str:
        """The file with the bytes of a capture; "" if there is none."""
        return self._files.get(_name(capture), "")

    def content(self, capture: Capture) -> bytes | None:
        """The bytes of a capture, if they are here."""
        file = self.file(capture)
        return (self._folder / file).read_bytes() if file else None

    def same_bytes(self, capture: Capture) -> bytes | None:
        """The bytes of another capture with the same digest: what ICE served under two names is fetched once."""
        file = self._by_digest.get(capture.digest)
        return (self._folder / file).read_bytes() if file else None

    def is_passed_over(self, capture: Capture) -> bool:
        """Whether it is written down that it cannot be had, and no other capture has brought the same bytes."""
        return _name(capture) in self._passed_over and capture.digest not in self._by_digest

    def passed_over(self) -> tuple[str, ...]:
        """Why captures cannot be had, in words, in the order of their times; not where others have the same bytes."""
        return tuple(why for _, (digest, why) in sorted(self._passed_over.items()) if digest not in self._by_digest)

    def keep(self, capture: Capture, file: str, content: bytes) -> None:
        """Have a capture's bytes in the folder for good. Another capture of that name keeps its own."""
        taken = set(self._files.values())
        path = Path(file)
        others = (str(path.with_name(f"{path.stem}~{n}{path.suffix}")) for n in count(2))
        free = next(name for name in chain([file], others) if name not in taken)
        with self._in_words():
            _write(self._folder / free, content)
            self._append(capture, free, hashlib.sha256(content).hexdigest(), "")
        self._files[_name(capture)] = self._by_digest[digest_of(content)] = free

    def pass_over(self, capture: Capture, why: str) -> None:
        """Write down that a capture cannot be had."""
        with self._in_words():
            self._append(capture, "", "", " ".join(why.split()))
        self._passed_over[_name(capture)] = capture.digest, why

    def _append(self, capture: Capture, file: str, sha256: str, why: str) -> None:
        with (self._folder / _CAPTURES).open("ab") as lines:
            lines.write(_csv([(*_name(capture), capture.digest, file, sha256, why)]))
            lines.flush()
            os.fsync(lines.fileno())

    def write_manifest(self, published: Iterable[Appearance]) -> None:
        """Write what `replay` follows, all of it or nothing."""
        lines = [
            (
                f"{a.published.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                ListName(a.list).value,
                a.book.file,
                _url_name(a.book.address),
                a.book.sha256,
                a.book.rows,
            )
            for a in published
        ]
        with self._in_words():
            _write(self._folder / MANIFEST, _csv([_MANIFEST_COLUMNS, *lines]))

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            what = f"cannot be written ({exc.strerror}); make room, or name another folder"
            raise ManifestError(self._folder, what) from exc
        except csv.Error as exc:
            raise ManifestError(self._folder / _CAPTURES, f"cannot be read ({exc}); mend or delete it") from exc


def _name(capture: Capture) -> tuple[str, str]:
    return capture.timestamp, capture.original


def _csv(lines: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()


def _write(path: Path, content: bytes) -> None:
    """Put a whole file in its place, so that after a crash it is there with all its bytes, or not at all."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
