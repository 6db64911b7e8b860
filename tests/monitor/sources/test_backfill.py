"""`backfill` against an archive on loopback: what is downloaded, how it goes on, and what is said in the end."""

from __future__ import annotations

import csv
import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import group
from demo.archive import FakeArchive
from demo.samples import LISTS as SAMPLES
from demo.workbooks import workbook
from monitor.errors import ManifestError, MonitorError, SourceError, StateError
from monitor.model import Cells, ListName
from monitor.sources.backfill import file_name, to_fetch
from monitor.sources.internet_archive import Capture
from monitor.storage.writer import open_store
from tests.monitor.builders import as_row, cells
from tests.monitor.checks.test_replay import part, real_lists

pytestmark = pytest.mark.slow

PAGE = "https://www.ice.gov/identify-and-arrest/287g"
LISTS = "https://www.ice.gov/doclib/about/offices/ero/287g/"
MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST = [cells(f"{name} County Sheriff's Office", county=f"{name} County") for name in ("Ashfen", "Birchmoor", "Cedar")]
MORE = [*FIRST, cells("Dunmere Police Department", type="Municipality")]


def listed(*rows: Cells, saved: datetime, list_: ListName = ListName.PARTICIPATING) -> bytes:
    return workbook(list_, [as_row(row) for row in rows], saved=saved, title="SAMPLE")


def linking(**lists: str) -> bytes:
    """The page with a link for each list."""
    links = (f'<a class="usa-button" href="{url}">{name.title()} Agencies</a>' for name, url in lists.items())
    return f"<html>{''.join(links)}</html>".encode()


@dataclass
class Backfill:
    """An archive, the settings to ask it, and a folder to fill."""

    archive: FakeArchive
    base: Path

    @property
    def folder(self) -> Path:
        return self.base / "captures"

    def call(self, *arguments: str, db: str = "s.db") -> Result:
        return CliRunner().invoke(group, [*self.options(db), *arguments])

    def options(self, db: str = "s.db") -> list[str]:
        config = self.base / "config.toml"
        config.write_text(
            f'[archive]\ncdx = "{self.archive.cdx}"\nweb = "{self.archive.web}"\npause = 0\nretries = 0\n'
        )
        return ["--config", str(config), "--db", str(self.base / db)]

    def run(self, db: str = "s.db") -> Result:
        """One run to its end."""
        result = self.call("backfill", str(self.folder), db=db)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def failure(self, db: str = "s.db") -> MonitorError:
        """Why a run did not come to its end; the command line says it, and the exit status is 2."""
        result = self.call("backfill", str(self.folder), db=db)
        assert isinstance(result.exception, MonitorError), result.output
        return result.exception

    def log(self, db: str = "s.db") -> list[dict[str, object]]:
        text = self.call("changes", "--format", "jsonl", db=db).stdout
        return [json.loads(line) for line in text.splitlines()]

    def told(self, db: str = "s.db") -> list[tuple[object, object, object]]:
        return [(line["kind"], line["agency"], line["observed_at"]) for line in self.log(db)]

    def lines(self, name: str) -> list[dict[str, str]]:
        with (self.folder / name).open(newline="") as lines:
            return list(csv.DictReader(lines))

    def two_publications(self) -> None:
        """Have two participating lists and a pending one captured, days after they were saved."""
        a, b = f"{LISTS}participatingAgencies03022026am.xlsx", f"{LISTS}participatingAgencies03042026am.xlsx"
        p = f"{LISTS}pendingAgencies03022026am.xlsx"
        self.archive.captured(MONDAY + DAY, a, listed(*FIRST, saved=MONDAY))
        self.archive.captured(MONDAY + DAY, p, listed(MORE[-1], saved=MONDAY, list_=ListName.PENDING))
        self.archive.captured(MONDAY + 5 * DAY, b, listed(*MORE, saved=MONDAY + 2 * DAY))
        self.archive.captured(MONDAY + DAY, PAGE, linking(participating=a, pending=p))
        self.archive.captured(MONDAY + 3 * DAY, PAGE, linking(participating=b, pending=p))


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Backfill]:
    with FakeArchive() as archive:
        yield Backfill(archive, tmp_path)


# --- to the end -----------------------------------------------------------------------------------------------


def test_the_past_is_downloaded_listed_and_replayed_in_silence(past: Backfill) -> None:
    past.two_publications()
    result = past.run()
    assert (result.exit_code, result.stdout) == (0, "Replayed 3 workbooks: 1 entries added to the log.\n")
    assert past.told() == [("new", "Dunmere Police Department", "2026-03-04T14:00:00Z")]
    with open_store(past.base / "s.db") as store:
        assert [entry.announce for entry in store.changelog.entries()] == [False]


def test_the_manifest_says_when_where_and_what_and_its_replay_gives_the_same_log(past: Backfill) -> None:
    past.two_publications()
    past.run()
    assert [(line["published"], line["link"], line["file"], line["rows"]) for line in past.lines("manifest.csv")] == [
        ("2026-03-02T14:00:00Z", "participating", "20260303140000-participatingAgencies03022026am.xlsx", "3"),
        ("2026-03-02T14:00:00Z", "pending", "20260303140000-pendingAgencies03022026am.xlsx", "1"),
        ("2026-03-04T14:00:00Z", "participating", "20260307140000-participatingAgencies03042026am.xlsx", "4"),
    ]
    for line in past.lines("manifest.csv"):
        assert hashlib.sha256((past.folder / line["file"]).read_bytes()).hexdigest() == line["sha256"]
        assert line["file"].endswith(f"-{line['url_name']}")
    past.call("replay", str(past.folder), db="again.db")
    assert past.log("again.db") == past.log() != []


def test_a_workbook_that_the_page_linked_elsewhere_is_found(past: Backfill) -> None:
    elsewhere = "https://www.ice.gov/file-download/download/public/83281"
    past.archive.captured(MONDAY, PAGE, linking(participating=elsewhere))
    past.archive.captured(MONDAY, elsewhere, listed(*FIRST, saved=MONDAY))
    assert past.run().exit_code == 0
    assert [(line["file"], line["link"]) for line in past.lines("manifest.csv")] == [
        ("20260302140000-83281", "participating")
    ]


def test_what_was_served_under_two_names_is_fetched_once(past: Backfill) -> None:
    content = listed(*FIRST, saved=MONDAY)
    for name in ("participatingAgencies1.xlsx", "participatingAgencies2.xlsx"):
        past.archive.captured(MONDAY, f"{LISTS}{name}", content)
    past.run()
    assert len(past.archive.played) == 1
    assert [line["file"] for line in past.lines("captures.csv")] == [
        "20260302140000-participatingAgencies1.xlsx",
        "20260302140000-participatingAgencies2.xlsx",
    ]
    assert len(past.lines("manifest.csv")) == 1


def test_swapped_workbooks_are_held_and_moot_once_they_are_right_again(past: Backfill) -> None:
    past.two_publications()
    swapped = listed(MORE[-1], saved=MONDAY + 6 * DAY, list_=ListName.PENDING)
    past.archive.captured(MONDAY + 6 * DAY, f"{LISTS}participatingAgencies03082026am.xlsx", swapped)
    result = past.run()
    assert result.exit_code == 1
    assert "has the columns of the pending list" in result.stderr
    assert result.stdout.endswith("1 still held, see `publications list --held`.\n")
    right = f"{LISTS}participatingAgencies03092026am.xlsx"
    past.archive.captured(MONDAY + 7 * DAY, right, listed(*MORE, FIRST[0], saved=MONDAY + 7 * DAY))
    (past.folder / "manifest.csv").unlink()
    assert past.run("again.db").exit_code == 0


# --- interrupted ----------------------------------------------------------------------------------------------


def test_what_was_downloaded_before_a_failure_is_not_asked_for_again(past: Backfill) -> None:
    past.two_publications()
    last = f"{LISTS}participatingAgencies03042026am.xlsx"
    past.archive.lacks(last, 503)
    failure = past.failure()
    assert isinstance(failure, SourceError)
    assert str(failure).endswith("answered 503; run the same command again to go on")
    assert not (past.folder / "manifest.csv").exists()
    before = past.archive.played
    past.archive.recovers()
    assert past.run().exit_code == 0
    assert past.archive.played == [*before, f"20260307140000 {last}"]
    assert past.told() == [("new", "Dunmere Police Department", "2026-03-04T14:00:00Z")]


def test_a_run_that_is_stopped_with_ctrl_c_is_taken_up_again(past: Backfill) -> None:
    past.two_publications()
    last = f"{LISTS}participatingAgencies03042026am.xlsx"
    past.archive.hangs(last, 3600)
    command = [sys.executable, "-m", "cli", *past.options(), "backfill", str(past.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        while not (past.archive.played and past.archive.played[-1].endswith(last)):
            assert running.poll() is None, running.communicate()
            time.sleep(0.005)
        running.send_signal(signal.SIGINT)
        assert b"Traceback" not in running.communicate()[1]
    assert running.returncode != 0
    past.archive.recovers()
    assert past.run().exit_code == 0
    assert len(past.archive.played) == len(set(past.archive.played)) + 1  # the one that was under way
    assert len(past.lines("manifest.csv")) == 3


def test_what_a_crash_left_half_written_does_not_count(past: Backfill) -> None:
    past.two_publications()
    past.run()
    kept = past.archive.played
    journal = past.folder / "captures.csv"
    (past.folder / "manifest.csv").unlink()
    journal.write_bytes(journal.read_bytes()[:-30])  # in the middle of the last line
    broken = past.folder / "20260303140000-pendingAgencies03022026am.xlsx"
    broken.write_bytes(broken.read_bytes()[:100])
    (past.folder / "20260303140000-participatingAgencies03022026am.xlsx.part").write_bytes(b"PK")
    assert past.run("again.db").exit_code == 0
    asked_again = past.archive.played[len(kept) :]
    assert [played.rpartition("/")[2] for played in asked_again] == [
        "pendingAgencies03022026am.xlsx",
        "participatingAgencies03042026am.xlsx",
    ]
    assert past.log("again.db") == past.log() != []


def test_a_replay_that_was_interrupted_goes_on_and_asks_nobody(past: Backfill) -> None:
    past.two_publications()
    past.run()
    past.call("replay", str(past.folder), "--until", "2026-03-03", db="half.db")
    asked = len(past.archive.requests)
    assert past.run("half.db").stdout == "Replayed 1 workbooks: 1 entries added to the log.\n"
    assert past.run("half.db").stdout == "Nothing to replay: all of it is recorded already.\n"
    assert len(past.archive.requests) == asked
    assert past.log("half.db") == past.log() != []


# --- refused, passed over -------------------------------------------------------------------------------------


def test_a_log_that_was_begun_otherwise_is_refused_before_anything_is_asked(past: Backfill) -> None:
    past.two_publications()
    past.call("replay", str(SAMPLES))
    before = past.log()
    failure = past.failure()
    assert isinstance(failure, StateError)
    assert "a backfill goes into an empty file only" in str(failure)
    assert "name a new one with --db" in str(failure)
    assert past.archive.requests == []
    assert past.log() == before


def test_a_log_that_went_on_after_the_backfill_is_refused_too(past: Backfill) -> None:
    past.two_publications()
    past.run()
    later = past.base / "later"
    later.mkdir()
    content = listed(*FIRST, saved=MONDAY + 30 * DAY)
    (later / "a.xlsx").write_bytes(content)
    past.call("replay", str(later))
    assert isinstance(past.failure(), StateError)


def test_captures_that_cannot_be_had_are_written_down_and_said(past: Backfill) -> None:
    past.two_publications()
    gone, denied, torn = (f"{LISTS}participatingAgencies{name}.xlsx" for name in ("Gone", "Denied", "Torn"))
    past.archive.captured(MONDAY, gone, listed(saved=MONDAY))
    past.archive.lacks(gone)
    past.archive.captured(MONDAY, denied, b"<html>Access Denied</html>", mimetype="text/html")
    past.archive.captured(MONDAY, torn, listed(*FIRST, saved=MONDAY)[:2000])
    result = past.run()
    assert result.exit_code == 1
    said = [line for line in result.stderr.splitlines() if line.startswith("Passed over: ")]
    assert len(said) == 3
    assert said[0] == f"Passed over: {denied}: what was captured 2026-03-02 14:00 UTC is no workbook"
    assert said[1].endswith(f"{gone}: answered 404: it is in the index, and not in the archive")
    assert said[2].startswith("Passed over: 20260302140000-participatingAgenciesTorn.xlsx: ")
    assert result.stdout.endswith("Passed over: 3, see above.\n")
    assert past.told() == [("new", "Dunmere Police Department", "2026-03-04T14:00:00Z")]
    asked = past.archive.played
    (past.folder / "manifest.csv").unlink()
    assert past.run("again.db").exit_code == 1
    assert past.archive.played == asked


def test_an_archive_that_has_nothing_leaves_no_manifest(past: Backfill) -> None:
    failure = past.failure()
    assert isinstance(failure, ManifestError)
    assert "the archive gave no workbook that was captured since 2025-01-01 and can be read" in str(failure)
    assert not (past.folder / "manifest.csv").exists()


def test_a_folder_that_cannot_be_written_is_said(past: Backfill) -> None:
    past.two_publications()
    past.folder.mkdir()
    (past.folder / "pages").write_text("in the way")
    assert "cannot be written (File exists)" in str(past.failure())


def test_a_list_of_captures_that_cannot_be_read_is_said(past: Backfill) -> None:
    past.folder.mkdir()
    (past.folder / "captures.csv").write_text(f"captured,address,digest,file,sha256,passed_over\n{'x' * 200_000}\n")
    assert "captures.csv: cannot be read (field larger than field limit" in str(past.failure())
    (past.folder / "captures.csv").write_bytes(b"\0\xff,of something else\n1,2,3\n4\n")
    past.two_publications()
    assert past.run().exit_code == 0


def test_what_is_no_workbook_by_its_address_or_no_address_at_all_is_not_asked_for() -> None:
    addresses = [
        "http://[",
        "javascript:x.xlsx",
        "",
        f"{LISTS}moa.pdf",
        f"{LISTS}a b.xlsx",
        f"{LISTS}\n.xlsx",
        "x.xlsx",
    ]
    good = Capture(MONDAY, f"{LISTS}a%20b.xlsx", "B")
    assert to_fetch([*(Capture(MONDAY, address, "A") for address in addresses), good]) == [good]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("participatingAgencies.xlsx", "participatingAgencies.xlsx"),
        ("a%2F..%2F..%2Fetc%2Fcron.xlsx", "cron.xlsx"),
        ("a%20b%00c.xlsx", "a_b_c.xlsx"),
        ("file-download/83281/", "83281"),
        (f"{'a' * 300}.xlsx", f"{'a' * 95}.xlsx"),
        ("", "287g"),
    ],
)
def test_a_file_is_named_for_its_time_and_address_and_stays_in_the_folder(path: str, name: str) -> None:
    assert file_name(Capture(MONDAY, f"{LISTS}{path}", "A")) == f"20260302140000-{name}"


def test_two_captures_that_would_have_one_name_are_both_kept(past: Backfill) -> None:
    for folder, rows in (("a", FIRST), ("b", MORE)):
        past.archive.captured(MONDAY, f"{LISTS}{folder}/participating.xlsx", listed(*rows, saved=MONDAY))
    past.run()
    assert [(line["file"], line["rows"]) for line in past.lines("manifest.csv")] == [
        ("20260302140000-participating.xlsx", "3"),
        ("20260302140000-participating~2.xlsx", "4"),
    ]


# --- the real lists -------------------------------------------------------------------------------------------


@pytest.mark.replay
@real_lists
def test_real_lists_from_an_archive_give_the_log_that_their_replay_gives(past: Backfill) -> None:
    """August 2025: the batch that was undone and done again. The first run breaks off in the middle."""
    known = part(past.base / "known", 146, 176)
    with (known / "manifest.csv").open(newline="") as lines:
        for line in csv.DictReader(lines):
            captured = datetime.fromisoformat(line["published"]) + timedelta(minutes=40)
            past.archive.captured(captured, f"{LISTS}{line['url_name']}", (known / line["file"]).read_bytes())
    middle = f"{LISTS}participatingAgencies08112025pm.xlsx"
    past.archive.lacks(middle, 503)
    past.failure()
    past.archive.recovers()
    assert past.run().exit_code == 0
    assert len(past.archive.played) == 30 + 1
    past.call("replay", str(known), db="known.db")
    assert news(past.log()) == news(past.log("known.db")) != []


def news(log: list[dict[str, object]]) -> list[str]:
    """What was told of agreements and applications, but for the times, which the manifest has by another reckoning.

    And but for `dropped` and what takes it back: whether the lists of one day are seen together hangs on the times.
    """
    kinds = {"new", "changed", "terminated", "returned", "applied"}
    told = ("kind", "list", "state", "agency", "support_type", "fields", "before", "after", "reasons")
    return sorted(json.dumps([line[name] for name in told]) for line in log if line["kind"] in kinds)
