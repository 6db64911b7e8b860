"""What the commands about the log print, on the samples."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import group
from demo.samples import LISTS


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("commands") / "s.db"
    assert run(path, "replay", str(LISTS)).exit_code == 0
    return path


def run(db: Path, *arguments: str) -> Result:
    return CliRunner().invoke(group, ["--db", str(db), *arguments])


def lines(db: Path, *arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run(db, *arguments, "--format", "jsonl").stdout.splitlines()]


def test_agreements_are_as_the_lists_stood_at_a_time(db: Path) -> None:
    def listed(*arguments: str) -> set[object]:
        return {
            line["agency"] for line in lines(db, "agreements", *arguments) if "participating" in str(line["listed"])
        }

    gone = "Copperfen County Sheriff's Office"
    assert gone in listed("--as-of", "2026-03-03T00:00:00Z")
    assert gone not in listed("--as-of", "2026-03-04")
    assert gone not in listed()
    assert listed("--as-of", "2026-01-01") == set()


def test_a_workbook_comes_out_as_it_went_in(db: Path) -> None:
    file = next(LISTS.glob("sample-participating*03032026pm.xlsx"))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert run(db, "export-workbook", sha256[:10].upper()).stdout_bytes == file.read_bytes()


def test_a_hash_that_is_none_is_said(db: Path) -> None:
    result = run(db, "export-workbook", "zz")
    assert "no workbook has this sha256" in str(result.exception)


def test_an_entry_leads_to_both_workbooks(db: Path) -> None:
    (departure,) = lines(db, "changes", "--kind", "terminated", "--state", "OH")
    shown = run(db, "show", str(departure["id"])).stdout
    assert "sample-participatingAgencies03032026pm.xlsx" in shown
    assert "not in it" in shown
    assert "compared with  sample-participatingAgencies03022026am.xlsx, first seen 2026-03-02" in shown
    assert "confirmed" in shown


def test_an_agreement_prints_its_whole_history(db: Path) -> None:
    (new,) = lines(db, "changes", "--kind", "new", "--state", "TX", "--since", "2026-03-05")
    shown = run(db, "show", str(new["agreement"])).stdout
    assert "Larkmere Police Department, TX: Task Force Model" in shown
    assert "on the pending list since" in shown


@pytest.mark.parametrize("moment", ["2025-13-45", "yesterday", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00+14:00"])
def test_what_is_no_time_is_said(db: Path, moment: str) -> None:
    refused = run(db, "agreements", "--as-of", moment)
    assert (refused.exit_code, "is not a time; write 2025-08-11" in refused.output) == (2, True)


def test_an_unknown_id_is_said(db: Path) -> None:
    assert "nothing has this id" in str(run(db, "show", "c-nothing").exception)


def test_csv_neutralises_formulas() -> None:
    from monitor.exports.records import as_csv

    assert as_csv([{"agency": "=1+1", "n": 3}]) == "agency,n\r\n'=1+1,3\r\n"
