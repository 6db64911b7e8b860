"""The bundled samples are what their script writes, are marked, and are laid out as ICE's are."""

from __future__ import annotations

import csv
import hashlib
import zipfile
import zlib
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from demo.publications import publications
from demo.samples import LISTS, write

WORKBOOKS = sorted(LISTS.glob("*.xlsx"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def agencies(list_name: str, number: int) -> set[tuple[object, object]]:
    """Who is listed, as (agency, support type), in the list's publication of this number."""
    of_list = [sample for sample in publications() if sample.list == list_name]
    return {(row.agency, row.support_type) for row in of_list[number].rows if row}


@pytest.fixture(params=WORKBOOKS, ids=lambda path: path.name)
def sample(request: pytest.FixtureRequest) -> Workbook:
    path: Path = request.param
    return load_workbook(path)


def test_writing_them_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "once")
    write(tmp_path / "again")
    assert contents(tmp_path / "once") == contents(tmp_path / "again")


@pytest.mark.skipif("zlib-ng" in zlib.ZLIB_RUNTIME_VERSION, reason="zlib-ng packs the same content otherwise")
def test_the_bundled_samples_are_byte_for_byte_what_the_script_writes(tmp_path: Path) -> None:
    write(tmp_path)
    assert contents(LISTS) == contents(tmp_path)


def test_the_bundled_samples_hold_what_the_script_writes(tmp_path: Path) -> None:
    written = [path for path in write(tmp_path) if path.suffix == ".xlsx"]
    assert {path.name: members(path) for path in WORKBOOKS} == {path.name: members(path) for path in written}


def test_the_manifest_tells_the_truth() -> None:
    with (LISTS / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        manifest = list(csv.DictReader(lines))
    assert [line["file"] for line in manifest] == [sample.file for sample in publications()]
    assert [line["published"] for line in manifest] == sorted(line["published"] for line in manifest)
    for line in manifest:
        path = LISTS / line["file"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == line["sha256"]
        rows = load_workbook(path).worksheets[0].iter_rows(min_row=2, values_only=True)
        assert sum(any(row) for row in rows) == int(line["rows"])


def test_nobody_can_take_them_for_real(sample: Workbook) -> None:
    assert sample.properties.title == "SAMPLE – invented agencies"
    links = [cell.hyperlink for row in sample.worksheets[0].iter_rows() for cell in row]
    assert all("example.org" in (link.target or "") for link in links if link)
    assert all(path.name.startswith("sample-") for path in WORKBOOKS)


def test_they_are_laid_out_as_ices_are(sample: Workbook) -> None:
    [sheet] = sample.worksheets
    header = [cell.value for cell in sheet[1]]
    shared = ["STATE", "LAW ENFORCEMENT AGENCY", "TYPE", "COUNTY", "SUPPORT TYPE"]
    assert header in ([*shared, "SIGNED", "MOA", "ADDENDUM"], shared)
    last = sheet[sheet.max_row]
    assert all(cell.value is None and cell.has_style for cell in last)


def test_they_are_small() -> None:
    assert max(path.stat().st_size for path in WORKBOOKS) < 15_000


def test_the_second_publication_has_one_more_one_less_and_one_spelling_corrected() -> None:
    first, second = agencies("participating", 0), agencies("participating", 1)
    assert first - second == {
        ("Copperfen County Sheriff's Office", "Warrant Service Officer"),
        # The same agreements, corrected:
        ("Marshmallow County Sheriff's Office", "Warrant Service Officer"),
        ("Foxglove Bend PD", "Task Force Model"),
        ("Fernhollow County Sheriff's Office", "Warrant Services Officer"),
    }
    assert second - first == {
        ("Juniper Ledge Police Department", "Task Force Model"),
        ("Marshhollow County Sheriff's Office", "Warrant Service Officer"),
        ("Foxglove Bend Police Department", "Task Force Model"),
        ("Fernhollow County Sheriff's Office", "Warrant Service Officer"),
    }


def test_in_the_third_publication_an_application_has_become_an_agreement() -> None:
    larkmere = {("Larkmere Police Department", "Task Force Model")}
    second, third = agencies("participating", 1), agencies("participating", 2)
    assert third - second == larkmere
    assert second - third == {("Saltbrush Police Department", "Task Force Model")}
    assert agencies("pending", 1) - agencies("pending", 2) == larkmere


def test_the_departure_is_still_one_after_48_hours() -> None:
    copperfen = ("Copperfen County Sheriff's Office", "Warrant Service Officer")
    seen = [sample.published for sample in publications() if sample.list == "participating"]
    assert (seen[2] - seen[1]).total_seconds() >= 48 * 3600
    assert copperfen not in agencies("participating", 2)
