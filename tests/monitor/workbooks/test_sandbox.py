"""Reading in child processes: what a workbook does there stays there."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.workbooks import workbook
from monitor.errors import LayoutChanged, WorkbookError
from monitor.model import Fetched, ListName
from monitor.workbooks.sandbox import Reader, ReadLimits
from tests.monitor import hostile
from tests.monitor.builders import as_row, cells

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 2, 17, tzinfo=UTC)
HEADER_ROW = hostile.row(1, *hostile.HEADER)
# As openpyxl itself is 60 MB of addresses, what remains of this is soon used up.
LITTLE_MEMORY = 160 << 20


def fetched(content: bytes) -> Fetched:
    return Fetched("https://ice.test/list.xlsx", "list.xlsx", content, hashlib.sha256(content).hexdigest())


def plain(agency: str = "Quillmarsh County Sheriff's Office") -> Fetched:
    return fetched(workbook("participating", [as_row(cells(agency))], saved=NOW, title="SAMPLE"))


def greedy() -> Fetched:
    """One merged range, for which openpyxl makes seventeen thousand million cells."""
    merged = '<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    return fetched(hostile.raw(HEADER_ROW, after=merged))


def sparse(rows: int) -> Fetched:
    """A list with a single row, far down."""
    return fetched(hostile.raw(HEADER_ROW + hostile.row(rows, "GEORGIA", "Agency", "County", "Quillmarsh County")))


@pytest.fixture
def frugal() -> Iterator[Reader]:
    with Reader(lambda: ReadLimits(60, LITTLE_MEMORY)) as reading:
        yield reading


def children() -> set[int]:
    """The processes that this one started."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(stat.parent.name))
    return found


def test_a_workbook_becomes_a_publication_with_its_rows_and_where_it_came_from(reader: Reader) -> None:
    book = plain()
    list_, publication = reader.read(book, NOW)
    assert list_ is ListName.PARTICIPATING
    assert (publication.url, publication.file, publication.sha256) == (book.url, "list.xlsx", book.sha256)
    assert (publication.observed_at, publication.saved_at) == (NOW, NOW)
    assert [(row.row, row.cells, row.values.state) for row in publication.listings] == [(2, cells(), "GA")]


def test_what_was_begun_ahead_is_read_like_anything_else() -> None:
    books = [plain(f"Agency of {name}") for name in ("Amber", "Basalt", "Cedar", "Dune")]
    with Reader(lambda: ReadLimits(60, 1 << 30), workers=2) as reading:
        for book in books:
            reading.ahead(book)
        names = [reading.read(book, NOW)[1].listings[0].cells.agency for book in reversed(books)]
    assert names == ["Agency of Dune", "Agency of Cedar", "Agency of Basalt", "Agency of Amber"]


def test_what_is_refused_says_which_workbook_it_was(reader: Reader) -> None:
    with pytest.raises(
        WorkbookError, match=r"^https://ice\.test/list\.xlsx: it is an encrypted workbook, or"
    ) as caught:
        reader.read(fetched(hostile.OLE), NOW)
    assert caught.value.url == "https://ice.test/list.xlsx"


def test_columns_that_are_missing_are_named(reader: Reader) -> None:
    with pytest.raises(LayoutChanged) as caught:
        reader.read(fetched(hostile.raw(hostile.row(1, "STATE", "WHO", "SUPPORT TYPE"))), NOW)
    assert caught.value.missing == ("LAW ENFORCEMENT AGENCY",)


def test_a_workbook_that_takes_too_much_memory_is_refused_and_the_next_one_read(frugal: Reader) -> None:
    with pytest.raises(WorkbookError, match="it needs more memory than it may have"):
        frugal.read(greedy(), NOW)
    assert len(frugal.read(plain(), NOW)[1].listings) == 1


def test_one_large_workbook_after_another_is_read_in_the_memory_of_one(frugal: Reader) -> None:
    for rows in (40_000, 40_001):
        assert [row.row for row in frugal.read(sparse(rows), NOW)[1].listings] == [rows]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (hostile.zip_bomb(101 << 20), "it would unpack to"),
        (hostile.cell_at_the_far_corner(), "reaches to row 1,048,576, column 16,384"),
        (hostile.entity_bomb(), "EntitiesForbidden"),
    ],
    ids=["zip bomb", "XFD1048576", "entities"],
)
def test_bombs_are_refused_for_what_they_are_before_memory_runs_out(frugal: Reader, content: bytes, why: str) -> None:
    with pytest.raises(WorkbookError, match=why):
        frugal.read(fetched(content), NOW)


def test_a_process_that_cannot_even_begin_is_no_endless_wait() -> None:
    with (
        Reader(lambda: ReadLimits(60, 8 << 20)) as reading,
        pytest.raises(WorkbookError, match="memory"),
    ):
        reading.read(plain(), NOW)


def test_a_workbook_that_takes_too_long_is_refused() -> None:
    with (
        Reader(lambda: ReadLimits(0.001, 1 << 30)) as reading,
        pytest.raises(WorkbookError, match=r"reading it takes longer than 0\.001 s"),
    ):
        reading.read(plain(), NOW)


def test_a_reading_process_that_was_killed_meanwhile_is_replaced() -> None:
    others = children()
    with Reader(lambda: ReadLimits(60, 1 << 30)) as reading:
        (child,) = children() - others
        os.kill(child, signal.SIGKILL)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        assert len(reading.read(plain(), NOW)[1].listings) == 1


def test_one_process_reads_many_workbooks_and_ends_with_the_reader() -> None:
    others = children()
    with Reader(lambda: ReadLimits(60, 1 << 30)) as reading:
        started = children() - others
        for agency in ("Amber Police", "Basalt Police"):
            reading.read(plain(agency), NOW)
        assert children() - others == started
    assert children() == others


def test_a_file_in_the_working_directory_is_not_taken_for_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("openpyxl.py", "monitor.py", "json.py"):
        (tmp_path / name).write_text("raise SystemExit('taken')")
    monkeypatch.chdir(tmp_path)
    with Reader(lambda: ReadLimits(60, 1 << 30)) as reading:
        assert len(reading.read(plain(), NOW)[1].listings) == 1
