"""Replaying folders of past workbooks, bundled and real."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import group
from monitor.model import Kind
from tests.monitor.checks.sentences import told

pytestmark = pytest.mark.replay

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "demo" / "lists"
SHARED = ROOT.parent / "shared"
real_lists = pytest.mark.skipif(not SHARED.is_dir(), reason="the real lists are kept beside the project, not in it")


def command(db: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(group, ["--db", str(db), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def log(db: Path) -> str:
    return command(db, "changes", "--format", "jsonl").stdout


def part(folder: Path, first: int, last: int, *, times: int = 1) -> Path:
    """A folder with lines `first` to `last` of the real manifest, each listed that many times."""
    folder.mkdir()
    with (SHARED / "lists" / "manifest.csv").open(newline="") as lines:
        listed = list(csv.DictReader(lines))[first:last]
    with (folder / "manifest.csv").open("w", newline="") as lines:
        writer = csv.DictWriter(lines, listed[0].keys())
        writer.writeheader()
        for line in listed:
            writer.writerows([line] * times)
            shutil.copy(SHARED / "lists" / line["file"], folder)
    return folder


def test_a_replay_of_the_samples_tells_what_was_put_into_them(tmp_path: Path) -> None:
    result = command(tmp_path / "s.db", "replay", str(SAMPLES))
    assert result.exit_code == 0
    told = [
        (line["kind"], line["state"], line["agency"], line["significance"])
        for line in map(json.loads, log(tmp_path / "s.db").splitlines())
        if line["significance"] == "substantive"
    ]
    assert told == [
        ("changed", "GA", "Quillmarsh County Sheriff's Office", "substantive"),
        ("terminated", "OH", "Copperfen County Sheriff's Office", "substantive"),
        ("new", "TX", "Juniper Ledge Police Department", "substantive"),
        ("applied", "GA", "Willowgate County Sheriff's Office", "substantive"),
        ("new", "TX", "Larkmere Police Department", "substantive"),
        ("terminated", "UT", "Saltbrush Police Department", "substantive"),
        ("confirmed", "OH", "Copperfen County Sheriff's Office", "substantive"),
    ]


def test_a_replay_told_to_stop_stops_there(tmp_path: Path) -> None:
    command(tmp_path / "s.db", "replay", str(SAMPLES), "--until", "2026-03-03T00:00:00Z")
    assert log(tmp_path / "s.db") == ""


def test_a_replay_in_two_halves_or_twice_gives_the_same_log(tmp_path: Path) -> None:
    command(tmp_path / "once.db", "replay", str(SAMPLES))
    command(tmp_path / "halves.db", "replay", str(SAMPLES), "--until", "2026-03-04")
    command(tmp_path / "halves.db", "replay", str(SAMPLES))
    again = command(tmp_path / "halves.db", "replay", str(SAMPLES))
    assert "Nothing to replay" in again.stdout
    assert log(tmp_path / "halves.db") == log(tmp_path / "once.db") != ""


def test_a_replay_of_the_past_after_the_present_is_refused(tmp_path: Path) -> None:
    later = tmp_path / "later"
    shutil.copytree(SAMPLES, later)
    manifest = (later / "manifest.csv").read_text().replace("2026-03", "2026-04")
    (later / "manifest.csv").write_text(manifest)
    command(tmp_path / "s.db", "replay", str(later))
    before = log(tmp_path / "s.db")
    done = subprocess.run(
        [sys.executable, "-m", "cli", "--db", str(tmp_path / "s.db"), "replay", str(SAMPLES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "before the last check" in done.stderr
    assert log(tmp_path / "s.db") == before


@real_lists
def test_the_real_lists_of_2025_are_told_without_a_mistake(tmp_path: Path) -> None:
    result = command(tmp_path / "real.db", "replay", str(SHARED / "lists"))
    assert result.exit_code == 0, result.output
    (tmp_path / "changes.jsonl").write_text(log(tmp_path / "real.db"))
    scored = subprocess.run(
        [
            sys.executable,
            SHARED / "tools" / "score.py",
            tmp_path / "changes.jsonl",
            SHARED / "truth" / "changes-2025.jsonl",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "mistakes: 0" in scored.stdout, scored.stdout
    # The same log, once it has been replayed for half a minute: what a reader gets of each departure and arrival.
    heard = list(told(tmp_path / "real.db"))
    assert [t.entry.agency for t in heard if t.is_silent_about_the_agency] == []
    assert len([t for t in heard if t.entry.kind is Kind.TERMINATED and t.after]) >= 17
    assert len([t for t in heard if t.entry.kind is Kind.NEW and t.before]) >= 135


@real_lists
def test_real_lists_replayed_in_halves_or_served_twice_give_the_same_log(tmp_path: Path) -> None:
    """August 2025, with the batch that was undone and done again, and documents that went and came back."""
    once, twice = part(tmp_path / "once", 130, 180), part(tmp_path / "twice", 130, 180, times=2)
    command(tmp_path / "once.db", "replay", str(once))
    command(tmp_path / "twice.db", "replay", str(twice))
    command(tmp_path / "halves.db", "replay", str(once), "--until", "2025-08-11T16:00:00Z")
    command(tmp_path / "halves.db", "replay", str(once))
    assert log(tmp_path / "once.db") != ""
    assert log(tmp_path / "twice.db") == log(tmp_path / "once.db")
    assert log(tmp_path / "halves.db") == log(tmp_path / "once.db")
