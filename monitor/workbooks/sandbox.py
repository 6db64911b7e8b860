"""Reads workbooks in child processes with a limit on memory and time, so that no workbook takes the service down.

A child is kept from one workbook to the next, since starting one costs half as much as reading. One that dies or
overruns is replaced; the workbook that did it is refused.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, TypeAlias, TypeVar

from monitor.errors import LayoutChanged, WorkbookError
from monitor.model import Cells, Fetched, Listing, ListName, Publication
from monitor.remarks import NotListing, Remarks, SheetRead, UnknownColumn
from monitor.workbooks.choice import Choice, Key, chosen, keys
from monitor.workbooks.names import field_of

if TYPE_CHECKING:
    from monitor.workbooks.parser import Sheet

_T = TypeVar("_T")

_REMEMBERED = 4  # answers, of some 0.4 MB
_MAX_ANSWER = 200_000_000  # bytes; a real one has 0.4 MB


_Asked: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]  # a workbook's hash, and what its columns are said to be
_Answer: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """What reading one workbook may cost: seconds, and bytes of memory of the process that reads it."""

    timeout: float
    max_memory: int


class Reader:
    """Turns fetched workbooks into publications. Use as a context manager; closing it ends the children.

    `limits` are asked for with each workbook, so that the children can get ready while the settings are still being
    read. `workers` children read side by side what `ahead` was told of; `read` alone uses one.
    """

    def __init__(self, limits: Callable[[], ReadLimits], workers: int = 1) -> None:
        self._limits = limits
        self._idle: SimpleQueue[_Child] = SimpleQueue()
        for _ in range(workers):
            self._idle.put(_Child())
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="reader")
        self._ahead: dict[_Asked, Future[_Answer]] = {}
        self._recent: dict[_Asked, _Answer] = {}

    def ahead(self, fetched: Fetched) -> None:
        """Begin to read what will be asked for soon."""
        self._begin(fetched, {})

    def ahead_of(self, items: Iterable[_T], fetched: Callable[[_T], Fetched | None], depth: int) -> Iterator[_T]:
        """Yield `items`, and begin to read the workbook of each one `depth` items before its turn."""
        waiting: deque[_T] = deque()
        for item in items:
            if workbook := fetched(item):
                self.ahead(workbook)
            waiting.append(item)
            if len(waiting) > depth:
                yield waiting.popleft()
        yield from waiting

    def read(
        self,
        fetched: Fetched,
        observed_at: datetime,
        *,
        asked: ListName | None = None,
        known: Set[Key] = frozenset(),
        columns: Mapping[str, str] | None = None,
    ) -> tuple[ListName, Publication]:
        """Which list a workbook's columns say it is, and its rows. Raises WorkbookError or LayoutChanged.

        Where several sheets could be the list, `asked` (which one it should be) and `known` (the keys of the listings
        that are believed now) say which ones are. `columns`: header text → the column that an operator says it is
        ("DATE SIGNED" → "SIGNED"); raises ValueError for a column that there is not.
        """
        sheets = [_candidate(sheet) for sheet in self._sheets(fetched, columns or {})]
        used = chosen([sheet.choice for sheet in sheets], asked, known)
        first = sheets[used[0]]
        listings: list[Listing] = []
        not_listings: list[NotListing] = []
        below = 0  # the last row of the sheets before
        for sheet in (sheets[index] for index in used):
            listings += [replace(row, row=below + row.row) for row in sheet.listings] if below else sheet.listings
            not_listings += [NotListing(below + row, text) for row, text in sheet.answer["not_listings"]]
            below = max([below, *(row.row for row in listings[-1:]), *(row.row for row in not_listings[-1:])])
        choices = [
            SheetRead(s.choice.title, s.choice.list, len(s.listings), index in used) for index, s in enumerate(sheets)
        ]
        return first.choice.list, Publication(
            list=first.choice.list,
            sha256=fetched.sha256,
            url=fetched.url,
            file=fetched.file,
            observed_at=observed_at,
            saved_at=datetime.fromisoformat(first.answer["saved_at"]) if first.answer["saved_at"] else None,
            listings=tuple(listings),
            remarks=Remarks(
                tuple(not_listings),
                tuple(
                    UnknownColumn(name, filled, tuple((text, count) for text, count in texts))
                    for index in used
                    for name, filled, texts in sheets[index].answer["unknown_columns"]
                ),
                tuple(choices) if len(choices) > 1 else (),
            ),
        )

    def lists_in(self, fetched: Fetched) -> frozenset[ListName]:
        """Which lists a workbook may hold, by the columns of its sheets; none where it cannot be read."""
        try:
            return frozenset(ListName(sheet["list"]) for sheet in self._sheets(fetched, {}))
        except WorkbookError:
            return frozenset()

    def _sheets(self, fetched: Fetched, columns: Mapping[str, str]) -> list[Sheet]:
        asked = self._begin(fetched, columns)
        answer = self._recent.get(asked) or self._ahead.pop(asked).result()
        self._remember(asked, answer)
        match answer:
            case {"error": "LayoutChanged", "missing": list(missing)}:
                raise LayoutChanged(map(str, missing), url=fetched.url)
            case {"error": _, "what": what}:
                raise WorkbookError(str(what), url=fetched.url)
            case {"sheets": [*sheets]} if sheets:
                return sheets
        raise WorkbookError("the reading process gave no sensible answer", url=fetched.url)

    def _begin(self, fetched: Fetched, columns: Mapping[str, str]) -> _Asked:
        asked = fetched.sha256, tuple(sorted(columns.items()))
        for name in columns.values():
            field_of(name)
        if asked not in self._ahead and asked not in self._recent:
            self._ahead[asked] = self._threads.submit(self._ask, fetched.content, columns)
        return asked

    def _remember(self, asked: _Asked, answer: _Answer) -> None:
        """Keep the last few answers: past looks at the lists show the same workbooks again and again."""
        self._recent[asked] = answer
        while len(self._recent) > _REMEMBERED:
            del self._recent[next(iter(self._recent))]

    def _ask(self, content: bytes, columns: Mapping[str, str]) -> _Answer:
        child = self._idle.get()
        try:
            return child.ask(content, columns, self._limits())
        finally:
            self._idle.put(child)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        while not self._idle.empty():
            self._idle.get().stop()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sheet that could be the list, with its rows read."""

    answer: Sheet
    choice: Choice
    listings: tuple[Listing, ...]


def _candidate(sheet: Sheet) -> _Candidate:
    from monitor.normalize import listing  # not wanted before a workbook is, and then while a child reads it

    listings = tuple(listing(number, Cells(**cells)) for number, cells in sheet["rows"])
    choice = Choice(sheet["title"], sheet["hidden"], ListName(sheet["list"]), keys(listings))
    return _Candidate(sheet, choice, listings)


class _Child:
    """One reading process, started before it is needed and again after it has failed."""

    def __init__(self) -> None:
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            # -P: a module that lies in the working directory is not taken for one of ours.
            [sys.executable, "-P", "-m", "monitor.workbooks.parser"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Ctrl-C is for the parent, which ends its children in good order.
            start_new_session=True,
        )

    def ask(self, content: bytes, columns: Mapping[str, str], limits: ReadLimits) -> _Answer:
        """The child's answer; what it died or ran over of, as an error in the answer's form."""
        if self._process.poll() is not None:
            self._replace()
        assert self._process.stdin
        assert self._process.stdout
        deadline = time.monotonic() + limits.timeout
        request = {"size": len(content), "max_memory": limits.max_memory, "columns": dict(columns)}
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.write(content)
            self._process.stdin.flush()
            line = _line_before(self._process.stdout, deadline)
        except (BrokenPipeError, EOFError):
            self._replace()
            return {"error": "WorkbookError", "what": "the process that was reading it ended: it needs too much memory"}
        except TimeoutError:
            self._replace()
            return {"error": "WorkbookError", "what": f"reading it takes longer than {limits.timeout:g} s"}
        answer: _Answer = json.loads(line)
        if "error" in answer:
            self._replace()  # what a workbook leaves behind, the memory that it took above all, is not the next one's
        return answer

    def _replace(self) -> None:
        self.stop()
        self._process = self._start()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                # What was still to be written is of no use to anybody.
                with suppress(BrokenPipeError):
                    pipe.close()


def _line_before(stream: IO[bytes], deadline: float) -> bytes:
    """One line of a pipe. Raises EOFError where the other side ends, TimeoutError where it is late."""
    descriptor = stream.fileno()
    parts: list[bytes] = []
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            raise TimeoutError
        part = os.read(descriptor, 1 << 20)
        size += len(part)
        if not part or size > _MAX_ANSWER:
            raise EOFError
        parts.append(part)
        if part.endswith(b"\n"):
            return b"".join(parts)
