"""A folder of past workbooks: what its manifest, or the workbooks themselves, say to look at and when."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from demo.workbooks import workbook
from monitor.errors import ManifestError, SourceError
from monitor.model import ListName, Validators
from monitor.sources.folder import steps_of
from monitor.workbooks.sandbox import Reader
from tests.monitor import hostile
from tests.monitor.builders import as_row, cells

MARCH, APRIL = datetime(2026, 3, 2, 14, tzinfo=UTC), datetime(2026, 4, 2, 14, tzinfo=UTC)


def book(list_: Literal["participating", "pending"] = "participating", *, saved: datetime = MARCH) -> bytes:
    return workbook(list_, [as_row(cells())], saved=saved, title="SAMPLE")


def line(path: Path, **others: str) -> dict[str, str]:
    """The manifest's line for a file, as it should be unless said otherwise."""
    usual = {
        "published": "2026-03-02T14:00:00Z",
        "link": "participating",
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "",
    }
    return usual | others


def write_manifest(folder: Path, *lines: Mapping[str, str], encoding: str = "utf-8") -> None:
    with (folder / "manifest.csv").open("w", newline="", encoding=encoding) as out:
        writer = csv.DictWriter(out, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


@pytest.fixture
def a(tmp_path: Path) -> Path:
    """A workbook in a folder."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(book())
    return path


def complaint(folder: Path, reader: Reader) -> str:
    """Why the folder cannot be followed, without where it lies."""
    with pytest.raises(ManifestError) as caught:
        steps_of(folder, reader)
    return str(caught.value).removeprefix(f"{folder}/")


# --- with a manifest ------------------------------------------------------------------------------------------


def test_each_line_of_the_manifest_is_one_look_in_its_order(a: Path, reader: Reader) -> None:
    write_manifest(
        a.parent,
        line(a, published="2026-03-02T14:00:00Z"),
        line(a, published="2026-03-02T10:00:00-05:00", link="pending"),
        line(a, published="2026-03-02T15:00:00+00:00"),
    )
    assert [(step.at.hour, step.list, step.file) for step in steps_of(a.parent, reader)] == [
        (14, "participating", "a.xlsx"),
        (15, "pending", "a.xlsx"),
        (15, "participating", "a.xlsx"),
    ]


def test_a_step_gives_its_workbook_whatever_was_seen_before(a: Path, reader: Reader) -> None:
    write_manifest(a.parent, line(a))
    (step,) = steps_of(a.parent, reader)
    content = a.read_bytes()
    seen = step.fetch(ListName.PENDING, Validators("a.xlsx", "yesterday", "tag", step.sha256))
    assert (seen.url, seen.file, seen.content) == ("a.xlsx", "a.xlsx", content)
    assert seen.sha256 == hashlib.sha256(content).hexdigest()


def test_further_columns_a_byte_order_mark_and_capital_hashes_do_not_matter(a: Path, reader: Reader) -> None:
    usual = line(a)
    usual["sha256"] = f" {usual['sha256'].upper()} "
    write_manifest(a.parent, {"rows": "1", **usual, "url_name": "x"}, encoding="utf-8-sig")
    assert [step.file for step in steps_of(a.parent, reader)] == ["a.xlsx"]


def test_a_workbook_may_lie_in_a_folder_below(a: Path, reader: Reader) -> None:
    below = a.parent / "2026"
    below.mkdir()
    moved = a.rename(below / "a.xlsx")
    write_manifest(a.parent, line(moved, file="2026/a.xlsx"))
    assert [step.file for step in steps_of(a.parent, reader)] == ["2026/a.xlsx"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"published": "yesterday"}, "line 2: Invalid isoformat string: 'yesterday'"),
        ({"published": ""}, "line 2: Invalid isoformat string: ''"),
        ({"published": "2026-03-02T14:00:00"}, "line 2: published has no time zone; write 2025-08-11T14:00:00Z"),
        ({"link": "participants"}, "line 2: 'participants' is not a valid ListName"),
        ({"file": "b.xlsx"}, "line 2: b.xlsx cannot be read (No such file or directory)"),
        ({"file": "../a.xlsx"}, "line 2: ../a.xlsx lies outside the folder"),
        ({"file": "/etc/hostname"}, "line 2: /etc/hostname lies outside the folder"),
        ({"file": ""}, "line 2: names no file"),
        ({"file": "a\0.xlsx"}, "line 2: names no file"),
        ({"file": "."}, "line 2: . cannot be read (Is a directory)"),
        ({"sha256": "0" * 64}, "line 2: a.xlsx is not the file that was listed (sha256 differs)"),
        ({"sha256": ""}, "line 2: a.xlsx is not the file that was listed (sha256 differs)"),
    ],
)
def test_a_line_that_cannot_be_followed_is_named(wrong: dict[str, str], why: str, a: Path, reader: Reader) -> None:
    write_manifest(a.parent, line(a, **wrong))
    assert complaint(a.parent, reader) == f"manifest.csv: {why}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "lacks the column file, link, published, sha256"),
        (b"published,link,file\n", "lacks the column sha256"),
        (b"published,link,file,sha256\n2026-03-02T14:00:00Z,pending\n", "line 2: names no file"),
        (b"published,link,file,sha256\n2026-03-02T14:00:00Z\n", "line 2: None is not a valid ListName"),
        (b"PK\x03\x04\xff\xfe", "cannot be read ('utf-8' codec can't decode byte 0xff in position 4"),
    ],
)
def test_a_manifest_that_is_none_says_why(text: bytes, why: str, a: Path, reader: Reader) -> None:
    (a.parent / "manifest.csv").write_bytes(text)
    assert complaint(a.parent, reader).startswith(f"manifest.csv: {why}")


def test_times_that_run_backwards_are_refused(a: Path, reader: Reader) -> None:
    write_manifest(a.parent, line(a), line(a, published="2026-03-01T14:00:00Z"))
    assert complaint(a.parent, reader) == "manifest.csv: a.xlsx stands after a.xlsx, but was published before it"


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (lambda path: path.write_bytes(book(saved=APRIL)), "has changed since the replay began"),
        (Path.unlink, "cannot be read any more (No such file or directory)"),
    ],
    ids=["changed", "gone"],
)
def test_a_workbook_that_does_not_stay_as_it_was_is_an_error(
    happens: object, why: str, a: Path, reader: Reader
) -> None:
    write_manifest(a.parent, line(a))
    (step,) = steps_of(a.parent, reader)
    assert callable(happens)
    happens(a)
    with pytest.raises(SourceError) as caught:
        step.fetched()
    assert str(caught.value) == f"{a}: {why}"


# --- without one ----------------------------------------------------------------------------------------------


def test_without_a_manifest_workbooks_come_in_the_order_in_which_they_were_saved(
    tmp_path: Path, reader: Reader
) -> None:
    for name, content in {
        "a.xlsx": book(saved=APRIL),
        "b.xlsx": book("pending", saved=MARCH),
        "c.xlsx": book(saved=MARCH),
        "notes.txt": b"no workbook",
    }.items():
        (tmp_path / name).write_bytes(content)
    assert [(step.at, step.list, step.file) for step in steps_of(tmp_path, reader)] == [
        (MARCH, "participating", "c.xlsx"),
        (MARCH, "pending", "b.xlsx"),
        (APRIL, "participating", "a.xlsx"),
    ]


def test_a_folder_without_a_workbook_is_refused(tmp_path: Path, reader: Reader) -> None:
    with pytest.raises(ManifestError, match=r"holds neither a manifest\.csv nor a workbook"):
        steps_of(tmp_path, reader)


def test_a_workbook_that_does_not_say_when_it_was_saved_is_refused(a: Path, reader: Reader) -> None:
    a.write_bytes(hostile.without_part(book(), "docProps/core.xml"))
    assert complaint(a.parent, reader) == (
        "a.xlsx: does not say when it was saved; list the workbooks in a manifest.csv"
    )


def test_a_workbook_that_cannot_be_read_is_refused(a: Path, reader: Reader) -> None:
    a.write_bytes(a.read_bytes()[:1000])
    assert complaint(a.parent, reader).startswith("a.xlsx: cannot be ordered: a.xlsx: it is truncated or no workbook")


def test_what_is_named_like_a_workbook_and_is_no_file_is_refused(tmp_path: Path, reader: Reader) -> None:
    (tmp_path / "a.xlsx").mkdir()
    assert complaint(tmp_path, reader) == "a.xlsx: cannot be read (Is a directory)"


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, reader: Reader) -> None:
    (tmp_path / "a.xlsx").symlink_to(tmp_path / "gone.xlsx")
    assert complaint(tmp_path, reader) == "a.xlsx: cannot be read (No such file or directory)"
