"""Bad input from end to end: a clear message, exit status 2 or a held publication, nothing changed, nothing sent.

`check` as it is typed, against ICE's and Slack's servers on loopback, with a state.db that knows three agreements and
one entry, and a subscriber who has been told of it.
"""

from __future__ import annotations

import ctypes
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import group
from demo.ice import FakeIce, HrefStyle, Target
from demo.slack import FakeSlack
from demo.workbooks import workbook
from monitor.model import Cells
from tests.monitor import hostile
from tests.monitor.builders import as_row, cells
from tests.monitor.hostile import HEADER

pytestmark = pytest.mark.slow

SAVED = datetime(2026, 3, 3, 14, tzinfo=UTC)
QUILL = cells(moa="link", moa_address="https://docs.example/quillmarsh.pdf")
TIDE = cells("Tidewrack County Sheriff's Office", county="Tidewrack County", signed="2025-03-03")
MERE = cells("Thistlemere Police Department", type="Municipality", county="#N/A", signed="2025-04-04")
NEXT = cells("Larkmere Police Department", state="TEXAS", county="#N/A", signed="2026-03-01")


def participating(*rows: Cells) -> bytes:
    return workbook("participating", [as_row(row) for row in rows], saved=SAVED, title="SAMPLE")


def pending(*rows: Cells) -> bytes:
    return workbook("pending", [as_row(row) for row in rows], saved=SAVED, title="SAMPLE")


@dataclass(frozen=True)
class Service:
    """A folder with settings and a state.db, and the servers that they lead to."""

    folder: Path
    ice: FakeIce
    slack: FakeSlack

    @property
    def db(self) -> Path:
        return self.folder / "state.db"

    def run(self, *command: str) -> Result:
        """A command as it is typed, in this process. Only an exit ends it."""
        result = CliRunner().invoke(
            group, ["--config", str(self.folder / "config.toml"), "--db", str(self.db), *command]
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def check(self) -> tuple[int, list[str]]:
        """The exit status of a check, and what it says of each list."""
        result = self.run("check")
        return result.exit_code, result.stdout.splitlines()

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run("changes", "--format", "jsonl").stdout.splitlines()]

    def believed(self) -> dict[str, list[Any]]:
        """Everything that is known to be so: all tables but those about what was looked at and what was held."""
        with closing(sqlite3.connect(self.db)) as db:
            names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            passing = {"checks", "publications", "decisions", "workbooks", "operator_events"}
            passing |= {"sqlite_sequence", "_sqlite_migrations"}
            return {name: sorted(db.execute(f"SELECT * FROM {name}"), key=repr) for name in set(names) - passing}

    def asked(self, part: str) -> list[dict[str, str]]:
        """The headers of each request for a path that holds `part`."""
        return [dict(request.headers) for request in self.ice.requests if part in request.path]


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """What every test begins with: made once."""
    folder = tmp_path_factory.mktemp("service")
    with FakeIce() as ice, FakeSlack() as slack:
        (folder / "config.toml").write_text(
            f'[source]\npage = "{ice.page_url}"\nretries = 0\nmax_bytes = 1_000_000\n[web]\nport = 0\n'
            f'[slack]\nhosts = ["{slack.netloc}"]\n'
        )
        made = Service(folder, ice, slack)
        ice.publishes(participating(QUILL, TIDE), saved=SAVED - timedelta(days=1))
        assert made.check() == (
            0,
            [
                "participating list: a new publication, 0 entries added to the log",
                "pending list: not linked at present",
            ],
        )
        assert made.run("watch", "add", "--all-states", "--slack", slack.webhook_url("desk")).exit_code == 0
        ice.publishes(participating(QUILL, TIDE, MERE), saved=SAVED)
        assert made.check()[0] == 0
        assert [(entry["kind"], entry["agency"]) for entry in made.log()] == [("new", MERE.agency)]
        assert len(slack.messages) == 1
        yield made


@pytest.fixture
def service(beginning: Service, tmp_path: Path) -> Service:
    shutil.copytree(beginning.folder, tmp_path, dirs_exist_ok=True)
    beginning.ice.recovers()
    beginning.ice.links_as("root")
    beginning.ice.link_text("participating", "Participating Agencies")
    beginning.ice.unlinks("pending")
    beginning.ice.publishes(participating(QUILL, TIDE, MERE), saved=SAVED)
    beginning.ice.requests.clear()
    beginning.slack.messages.clear()
    return replace(beginning, folder=tmp_path)


# --- the source does not give a workbook ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (
            lambda ice: ice.answers(404, on="workbook"),
            "{book}: answered 404; ICE links workbooks before they can be had",
        ),
        (
            lambda ice: ice.answers(403, on="workbook"),
            "{book}: answered 403: this network or this User-Agent is refused",
        ),
        (lambda ice: ice.answers(500, on="workbook"), "{book}: answered 500; it is asked again next time"),
        (lambda ice: ice.answers(404), "{page}: answered 404;"),
        (
            lambda ice: ice.answers(403),
            "{page}: answered 403: this network or this User-Agent is refused; see settings",
        ),
        (lambda ice: ice.answers(500), "{page}: answered 500; it is asked again next time"),
        (lambda ice: ice.answers(200, hostile.ACCESS_DENIED), "{page}: the page links neither list; look whether"),
        (lambda ice: ice.answers(200, b""), "{page}: the page links neither list; look whether"),
        (
            lambda ice: ice.serves_html_as_xlsx(),
            "{book}: answered with text/html where a workbook should be; it is asked",
        ),
        (lambda ice: ice.answers(200, b"", on="workbook"), "{book}: answered with an empty body where a workbook"),
        (lambda ice: ice.breaks_off(), "{book}: could not be fetched (IncompleteRead"),
        (lambda ice: ice.sends_forever(), "{book}: sends more than 1,000,000 bytes, which no real list has; gave up"),
    ],
    ids="404 403 500 page-404 page-403 page-500 page-denied page-empty html-as-200 empty breaks-off endless".split(),
)
def test_a_source_that_gives_no_workbook_changes_nothing(
    happens: Callable[[FakeIce], None], said: str, service: Service
) -> None:
    service.ice.publishes(participating(QUILL, TIDE, MERE, NEXT))
    before = service.believed()
    happens(service.ice)
    status, (first, _second) = service.check()
    assert status == 2
    where = said.format(book=service.ice.workbook_url("participating"), page=service.ice.page_url)
    assert first.startswith(f"participating list: could not be checked: {where}")
    assert service.believed() == before
    assert service.slack.messages == []


@pytest.mark.parametrize("on", ["page", "workbook"])
def test_a_source_that_failed_is_asked_again_until_it_answers_and_then_believed(on: Target, service: Service) -> None:
    """ICE links workbooks minutes before they can be had."""
    service.ice.publishes(participating(QUILL, TIDE, MERE, NEXT))
    service.ice.answers(404, times=3 if on == "page" else 2, on=on)
    assert [service.check()[0] for _ in range(3)] == [2, 2, 0]
    assert [asked.get("If-Modified-Since") for asked in service.asked(".xlsx")][-1] is None
    assert [entry["agency"] for entry in service.log()] == [MERE.agency, NEXT.agency]
    assert len(service.slack.messages) == 1


def test_status_says_what_failed_and_since_when_nothing_was_seen(service: Service) -> None:
    service.ice.answers(500)
    service.check()
    said = service.run("status")
    assert said.exit_code == 1
    assert f"{service.ice.page_url}: answered 500; it is asked again next time" in said.stdout
    assert "last good check 20" in said.stdout


# --- the source gives something that is no list ---------------------------------------------------------------

HEADER_ROW = hostile.row(1, *HEADER)
HELD = {
    "truncated": (
        lambda: participating(QUILL)[:3000],
        "it is truncated or no workbook at all (File is not a zip file).",
    ),
    "encrypted or legacy": (
        lambda: hostile.OLE,
        (
            "it is an encrypted workbook, or an .xls that cannot be read "
            "(CompDocError: Expected \"little-endian\" marker, found b'\\x00\\x00')."
        ),
    ),
    "encrypted parts": (lambda: hostile.encrypted_parts(participating(QUILL)), "it is encrypted."),
    "other zip": (lambda: hostile.packed({"notes.txt": "no workbook"}), "it is a zip file, but no workbook."),
    "zip bomb": (
        lambda: hostile.zip_bomb(150 << 20),
        "it would unpack to 157,286,408 bytes in 2 parts, which no real list does.",
    ),
    "far cell": (
        hostile.cell_at_the_far_corner,
        "sheet 'S1' reaches to row 1,048,576, column 16,384, which no real list does.",
    ),
    "endless cell": (
        lambda: hostile.raw(HEADER_ROW + hostile.row(2, "GEORGIA", "x" * 100_000)),
        "cell B2 holds 100,000 characters, which no real list does.",
    ),
    "entities": (
        lambda: hostile.external_entity("f"),
        (
            "it cannot be read as a workbook"
            " (EntitiesForbidden: EntitiesForbidden(name='it', system_id='f', public_id=None))."
        ),
    ),
    "unknown header": (
        lambda: hostile.raw(hostile.row(1, "ST", "AGENCY", "KIND") + hostile.row(2, "GA", "A", "B")),
        "no sheet has the columns of a list; the nearest lacks LAW ENFORCEMENT AGENCY, STATE, SUPPORT TYPE.",
    ),
    "columns missing": (
        lambda: hostile.saved(hostile.listed(header=[name for name in HEADER if name != "MOA"])),
        "no sheet has the columns of a list; the nearest lacks MOA.",
    ),
}


@pytest.mark.parametrize(("make", "why"), HELD.values(), ids=HELD)
def test_what_is_no_list_is_held_once_and_changes_nothing(
    make: Callable[[], bytes], why: str, service: Service
) -> None:
    before = service.believed()
    service.ice.publishes(make())
    book = service.ice.workbook_url("participating")
    said = f"participating list: held, nothing of it was believed: The workbook cannot be believed: {book}: {why}"
    # Once it needs a person; after that it is known.
    assert service.check() == (1, [said, "pending list: not linked at present"])
    assert service.check() == (0, [said, "pending list: not linked at present"])
    assert service.believed() == before
    assert service.slack.messages == []
    held = json.loads(service.run("publications", "list", "--held", "--format", "jsonl").stdout)
    assert (held["list"], held["verdict"], held["url"]) == ("participating", "held", book)


@pytest.mark.parametrize(
    ("name", "since"),
    [("participatingAgencies03032026am.xlsx", "Tue, 03 Mar 2026 14:00:00 GMT"), ("other.xlsx", None)],
    ids=["same name", "other name"],
)
def test_a_held_workbook_does_not_count_as_seen_and_the_next_good_one_is_believed(
    name: str, since: str | None, service: Service
) -> None:
    """It is asked for again as if the one that was believed last had been the last."""
    service.ice.publishes(hostile.OLE, name=name)
    assert [service.check()[0] for _ in range(2)] == [1, 0]
    assert [asked.get("If-Modified-Since") for asked in service.asked(".xlsx")] == [since] * 2
    service.ice.publishes(participating(QUILL, TIDE, MERE, NEXT), name=name)
    assert service.check()[0] == 0
    assert [entry["agency"] for entry in service.log()] == [MERE.agency, NEXT.agency]
    assert len(service.slack.messages) == 1
    assert service.run("publications", "list", "--held").stdout == ""


def test_an_unreadable_pending_list_does_not_hold_up_the_participating_one(service: Service) -> None:
    service.ice.publishes(participating(QUILL, TIDE, MERE, NEXT), hostile.OLE)
    status, said = service.check()
    assert status == 1
    assert said[0] == "participating list: a new publication, 1 entry added to the log"
    assert said[1].startswith("pending list: held, nothing of it was believed: The workbook cannot be believed")
    assert len(service.slack.messages) == 1


def test_a_failing_pending_list_is_exit_status_2_and_the_participating_one_is_recorded(service: Service) -> None:
    service.ice.publishes(participating(QUILL, TIDE, MERE, NEXT), b"no workbook")
    status, said = service.check()
    assert status == 2
    assert said[0] == "participating list: a new publication, 1 entry added to the log"
    assert said[1].startswith("pending list: could not be checked")
    assert len(service.slack.messages) == 1


def test_a_first_workbook_that_is_none_is_no_baseline(service: Service) -> None:
    service.db.unlink()
    service.ice.publishes(hostile.OLE)
    assert service.check()[0] == 1
    assert service.believed()["agreements"] == []
    service.ice.publishes(participating(QUILL))
    assert service.check()[0] == 0
    assert service.log() == []
    assert len(service.believed()["agreements"]) == 1


def test_control_characters_of_the_other_side_do_not_reach_the_terminal(service: Service) -> None:
    service.ice.publishes(participating(QUILL), name="list\x1b[31m\x07.xlsx")
    service.ice.answers(500, on="workbook")
    _, said = service.check()
    assert all(character.isprintable() for line in said for character in line)


# --- odd, and believed ----------------------------------------------------------------------------------------


def test_dates_that_are_none_are_accepted_and_kept_as_published(service: Service) -> None:
    dates = ["05/082025", "Feb. 31, 2025", "TBD", "#N/A", "5025-02-14", ""]
    names = ("Amberlyn", "Basalt", "Cedarfork", "Dunemoor", "Emberton", "Fjordholm")
    rows = [cells(f"{name} Police", signed=date) for name, date in zip(names, dates, strict=True)]
    service.ice.publishes(participating(QUILL, TIDE, MERE, *rows))
    assert service.check()[0] == 0
    told = {entry["agency"]: (entry["kind"], entry["after"]["signed"]) for entry in service.log()[1:]}
    assert told == {row.agency: ("new", row.signed) for row in rows}


def test_a_state_that_nobody_knows_is_recorded_as_unknown_and_told_to_those_who_watch_all(service: Service) -> None:
    service.ice.publishes(participating(QUILL, TIDE, MERE, replace(NEXT, state="ATLANTIS")))
    assert service.check()[0] == 0
    entry = service.log()[-1]
    assert (entry["kind"], entry["state"], entry["after"]["state"]) == ("new", None, "ATLANTIS")
    assert len(service.slack.messages) == 1


def test_whatever_an_agency_is_called_is_kept_and_sent(service: Service) -> None:
    names = [
        "Шериф округа Ларкмер",
        "\u202eeciloP eremkraL",
        "Basalt\u200bmere\u00a0 Police",
        "<script>alert('x')</script> & <!channel> *Jail*",
        "x" * 32_000,
    ]
    service.ice.publishes(participating(QUILL, TIDE, MERE, *(cells(name, state="OHIO") for name in names)))
    assert service.check()[0] == 0
    assert {entry["after"]["agency"] for entry in service.log()[1:]} == set(names)
    assert len(service.slack.messages) == 1


# --- what the page links --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "text"),
    [("absolute", "view 287(g)"), ("root", "Participating Agencies"), ("protocol", "Participating Agencies")],
)
def test_every_kind_of_link_leads_to_the_list(style: HrefStyle, text: str, service: Service) -> None:
    service.ice.publishes(participating(QUILL, TIDE, MERE, NEXT))
    service.ice.links_as(style)
    service.ice.link_text("participating", text)
    assert service.check() == (
        0,
        ["participating list: a new publication, 1 entry added to the log", "pending list: not linked at present"],
    )


def test_a_page_that_names_the_pending_list_only_ends_no_agreement(service: Service) -> None:
    before = service.believed()
    service.ice.unlinks("participating")
    service.ice.publishes(pending=pending(NEXT))
    assert service.check() == (
        0,
        ["participating list: not linked at present", "pending list: a new publication, 0 entries added to the log"],
    )
    after = service.believed()
    assert after["entries"] == before["entries"]
    assert [row for row in after["validators"] if row[0] == "participating"] == before["validators"]
    assert service.slack.messages == []


def test_a_workbook_that_was_not_modified_is_unchanged_and_not_sent_again(service: Service) -> None:
    before = service.believed()
    assert service.check() == (0, ["participating list: unchanged", "pending list: not linked at present"])
    (asked,) = service.asked(".xlsx")
    assert asked["If-Modified-Since"] == "Tue, 03 Mar 2026 14:00:00 GMT"
    assert service.believed() == before
    assert service.slack.messages == []


def test_the_same_rows_in_another_file_are_unchanged_and_that_file_counts_as_seen(service: Service) -> None:
    service.ice.publishes(participating(MERE, TIDE, QUILL), saved=SAVED + timedelta(days=1))
    assert service.check()[1][0] == "participating list: unchanged"
    assert service.check()[1][0] == "participating list: unchanged"
    assert [asked.get("If-Modified-Since") for asked in service.asked(".xlsx")] == [
        None,
        "Wed, 04 Mar 2026 14:00:00 GMT",
    ]
    assert len(service.log()) == 1


# --- the machine it runs on -----------------------------------------------------------------------------------


def typed(service: Service, *command: str, bound: bool = False) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, in the service's folder; `bound` by the permissions of files."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *command],
        cwd=service.folder,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_obey_permissions if bound else None,
    )


def _obey_permissions() -> None:
    """Give up what lets root write anywhere, from the next exec on (prctl(2), capabilities(7)); others have none."""
    drop_from_bounding_set, dac_override, dac_read_search = 24, 1, 2
    for capability in (dac_override, dac_read_search):
        ctypes.CDLL(None).prctl(drop_from_bounding_set, capability, 0, 0, 0)


def test_a_state_db_of_a_newer_version_is_left_alone(service: Service) -> None:
    with closing(sqlite3.connect(service.db)) as db, db:
        db.execute("INSERT INTO _sqlite_migrations VALUES (99, 'monitor', 'm999_from_the_future', '2027-01-01')")
    before = service.believed()
    result = typed(service, "check")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "agreement-monitor: state.db: was written by a newer version (it holds m999_from_the_future);"
        " upgrade, or use another file\n"
    )
    assert service.believed() == before
    assert service.ice.requests == []


def test_a_state_db_that_is_a_text_file_is_left_alone(service: Service) -> None:
    service.db.write_text("Notes on the lists.\n")
    result = typed(service, "check")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "agreement-monitor: state.db: is not a usable database (file is not a database);"
        " restore a backup or use another file\n"
    )
    assert service.db.read_text() == "Notes on the lists.\n"


@pytest.mark.parametrize("state", ["existing", "new"])
def test_a_folder_that_cannot_be_written_is_said_so(state: str, service: Service) -> None:
    if state == "new":
        service.db.unlink()
    before = sorted((path.name, path.read_bytes()) for path in service.folder.iterdir())
    service.folder.chmod(0o555)
    for path in service.folder.iterdir():
        path.chmod(0o444)
    result = typed(service, "check", bound=True)
    service.folder.chmod(0o755)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("agreement-monitor: state.db: cannot be written (")
    assert result.stderr.endswith("); make the file and its folder writable\n")
    assert sorted((path.name, path.read_bytes()) for path in service.folder.iterdir()) == before
    assert service.slack.messages == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--config", "nowhere.toml"], "nowhere.toml: no such settings file; copy config.example.toml and edit it"),
        (
            ["--db", "nowhere/state.db"],
            "nowhere/state.db: cannot be written (unable to open database file); make the file and its folder writable",
        ),
    ],
)
def test_what_is_not_there_is_named(options: list[str], said: str, service: Service) -> None:
    result = typed(service, *options, "check")
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"agreement-monitor: {said}\n")


def test_a_setting_in_the_environment_that_cannot_be_used_is_named(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGREEMENT_MONITOR_SOURCE__PAGE", "www.ice.gov")
    result = typed(service, "check")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "agreement-monitor: config.toml: source.page: Value error, 'www.ice.gov' is no web address; write https://…;"
        " see config.example.toml\n"
    )


@pytest.mark.service
def test_two_never_run_on_one_state_db(service: Service) -> None:
    first = subprocess.Popen(
        [sys.executable, "-m", "cli", "run"], cwd=service.folder, stderr=subprocess.PIPE, text=True
    )
    assert first.stderr
    with first:
        assert first.stderr.readline()  # it serves, or has checked
        second = typed(service, "run")
        assert (second.returncode, second.stdout) == (2, "")
        assert second.stderr == (
            "agreement-monitor: state.db: another `run` is watching with this file; stop it, or use another --db\n"
        )
        assert typed(service, "check").returncode == 0  # that may be done beside it
        first.send_signal(signal.SIGTERM)
        first.stderr.read()
    assert first.returncode == 0
