"""`watch` as it is typed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.delivery.run import route, tell
from alerts.keys import Keys, key_file
from alerts.model import ChannelName, Schedule
from demo.smtp import FakeSmtp
from monitor.errors import MonitorError
from monitor.settings import Settings
from tests.alerts.builders import Log, add_watch, cells, new
from tests.alerts.conftest import Typed, ok

ROOT = Path(__file__).parent.parent.parent
WEBHOOK = "https://hooks.slack.com/services/T1/B1/s3cret"


def watches(typed: Typed) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(ok(typed("watch", "list", "--format", "json", "--reveal")))
    return found


def test_a_mail_address_is_added_for_states_by_code_or_name(typed: Typed) -> None:
    said = ok(typed("watch", "add", "--state", "tx", "--state", "Georgia", "--email", "me@example.org", "--confirmed"))
    assert said == "Watch 1: m…@example.org is told of agreements in Georgia, Texas, from entry 1 of the log on.\n"
    [watch] = watches(typed)
    assert watch["states"] == ["GA", "TX"]
    assert watch["kinds"] == ["changed", "new", "returned", "terminated"]
    assert watch["significance"] == "substantive"


def test_a_webhook_is_added_for_all_states_and_applications(typed: Typed) -> None:
    ok(typed("watch", "add", "--all-states", "--slack", WEBHOOK, "--pending", "--significance", "document"))
    [watch] = watches(typed)
    assert watch["states"] == "all"
    assert {"applied", "dropped"} <= set(watch["kinds"])  # type: ignore[call-overload]
    assert watch["significance"] == "document"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--state", "TX", "--all-states", "--slack", WEBHOOK], "Name the states"),
        (["--county", "Larkmere", "--slack", WEBHOOK], "not a county of a state"),
        (["--state", "TX", "--county", "Quillmarsh, GA", "--slack", WEBHOOK], "in none of the states given with it"),
        (["--agency", "a-none", "--slack", WEBHOOK], "no agreement has the id"),
        (["--state", "TX", "--type", "Gadget Model", "--slack", WEBHOOK], "not a support type"),
        (["--state", "TX", "--kind", "withdrawn", "--slack", WEBHOOK], "--kind"),
        (["--state", "TX", "--daily", "25:00", "--slack", WEBHOOK], "not a time of day"),
        (["--state", "TX", "--daily", "07:00", "--weekly", "monday", "07:00", "--slack", WEBHOOK], "not both"),
        (["--state", "TX", "--weekly", "payday", "07:00", "--slack", WEBHOOK], "--weekly"),
        (["--state", "TX", "--empty", "--slack", WEBHOOK], "for digests"),
        (["--state", "TX", "--time-zone", "Texas", "--slack", WEBHOOK], "no time zone"),
        (["--state", "TX", "--slack-channel", "#alerts"], "no channel's id"),
        (["--state", "TX"], "Name one address"),
        (["--state", "TX", "--email", "me@example.org", "--slack", WEBHOOK], "Name one address"),
        (["--slack", WEBHOOK], "Name the states"),
        (["--state", "Utopia", "--slack", WEBHOOK], "not a state or territory"),
        (["--state", "TX", "--email", "me", "--confirmed"], "no mail address"),
        (["--state", "TX", "--slack", "https://evil.example/x"], "slack.hosts"),
    ],
)
def test_what_cannot_be_added_is_refused_with_the_reason(typed: Typed, words: list[str], why: str) -> None:
    result = typed("watch", "add", *words)
    assert result.exit_code == 2
    assert why in " ".join(result.output.replace("│", " ").split())
    assert watches(typed) == []


def test_a_watch_is_listed_without_its_secrets(typed: Typed) -> None:
    ok(typed("watch", "add", "--state", "TX", "--slack", WEBHOOK))
    ok(typed("watch", "add", "--state", "TX", "--email", "somebody@example.org", "--confirmed"))
    for form in ("table", "json", "csv"):
        listed = ok(typed("watch", "list", "--format", form))
        assert "s3cret" not in listed
        assert "somebody" not in listed
    assert "s3cret" in ok(typed("watch", "list", "--reveal"))


def test_a_watch_is_paused_resumed_and_removed(typed: Typed) -> None:
    ok(typed("watch", "add", "--state", "TX", "--email", "me@example.org", "--confirmed"))
    assert "paused" in ok(typed("watch", "pause", "1"))
    assert watches(typed)[0]["paused_at"]
    assert "resumed" in ok(typed("watch", "resume", "1"))
    assert watches(typed)[0]["paused_at"] is None
    assert "removed" in ok(typed("watch", "remove", "1"))
    assert watches(typed) == []


def test_adding_the_same_watch_again_names_the_one_that_is_there(typed: Typed) -> None:
    add = ("watch", "add", "--state", "TX", "--email", "me@example.org", "--confirmed")
    ok(typed(*add))
    ok(typed("watch", "pause", "1"))
    assert "Watch 1" in ok(typed(*add))
    assert "it is paused" in ok(typed(*add))


@pytest.mark.parametrize("command", ["remove", "pause", "resume"])
def test_a_watch_that_is_not_there_is_an_error_that_says_where_to_look(typed: Typed, command: str) -> None:
    error = typed("watch", command, "7").exception
    assert isinstance(error, MonitorError)
    assert "there is no watch 7; `watch list` prints all" in str(error)


def test_what_waits_for_a_removed_watch_is_said(log: Log, configured: Settings, typed: Typed) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    route(log.alerts, configured, log.now)
    assert "1 message that was waiting will not be sent." in ok(typed("watch", "remove", "1"))


def test_whoever_goes_over_from_digests_is_told_what_the_last_one_leaves_out(log: Log, typed: Typed) -> None:
    add_watch(log.alerts, "TX", schedule=Schedule(7 * 60))
    add_watch(log.alerts, "TX")
    assert "What happened since its last digest is not sent" in ok(typed("watch", "remove", "1"))
    assert "digest" not in ok(typed("watch", "remove", "2"))


def test_an_error_ends_with_status_2_in_one_line(path: Path) -> None:
    command = [sys.executable, "-m", "cli", "--db", str(path), "watch", "remove", "7"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr == "agreement-monitor: there is no watch 7; `watch list` prints all\n"


# --- what is watched, and how often ----------------------------------------------------------------------------


def test_a_watch_of_a_county_in_a_daily_digest_is_added_in_one_line(typed: Typed) -> None:
    said = ok(
        typed(
            *("watch", "add", "--county", "Larkmere, TX", "--type", "Task Force Model", "--kind", "new"),
            *("--departures", "confirmed", "--daily", "07:00", "--time-zone", "America/Chicago", "--slack", WEBHOOK),
        )
    )
    assert "is told of what is new (Task Force Model) in Larkmere County (TX)" in said
    assert "in a digest daily 07:00 (America/Chicago), from entry 1 of the log on." in said
    [watch] = watches(typed)
    assert watch["counties"] == ["larkmere, TX"]
    assert watch["support_types"] == ["Task Force Model"]
    assert (watch["departures"], watch["cadence"]) == ("confirmed", "daily 07:00")


def test_a_county_beside_one_state_needs_no_other(typed: Typed) -> None:
    ok(typed("watch", "add", "--state", "TX", "--county", "Larkmere County", "--slack", WEBHOOK))
    assert watches(typed)[0]["counties"] == ["larkmere, TX"]


def test_a_county_that_the_census_does_not_know_is_doubted(typed: Typed) -> None:
    doubt = "is not a county in the census"
    assert doubt in typed("watch", "add", "--county", "Larkmere, TX", "--slack", WEBHOOK).stderr
    assert doubt not in typed("watch", "add", "--county", "St. Lucie, FL", "--slack", WEBHOOK).stderr


def test_a_watch_of_an_agency_says_which_it_is(log: Log, typed: Typed) -> None:
    [entry] = log.publishes(new())
    said = ok(typed("watch", "add", "--agency", entry.agreement, "--slack", WEBHOOK))
    assert "is told of agreements in Larkmere Police Department (TX)" in said


def test_a_weekly_digest_is_added_for_a_day(typed: Typed) -> None:
    ok(typed("watch", "add", "--all-states", "--weekly", "Monday", "07:30", "--empty", "--slack", WEBHOOK))
    [watch] = watches(typed)
    assert (watch["cadence"], watch["empty"]) == ("weekly Monday 07:30", True)


def test_a_slack_channel_is_added_by_its_id(typed: Typed) -> None:
    assert "C0123456789 is told" in ok(typed("watch", "add", "--state", "TX", "--slack-channel", "C0123456789"))
    assert watches(typed)[0]["channel"] == "slack-bot"


def test_an_address_has_one_time_zone(typed: Typed) -> None:
    add = ("watch", "add", "--email", "me@example.org", "--confirmed", "--daily", "07:00")
    ok(typed(*add, "--state", "TX", "--time-zone", "America/Chicago"))
    ok(typed(*add, "--state", "GA"))
    assert {watch["time_zone"] for watch in watches(typed)} == {"America/Chicago"}
    ok(typed(*add, "--state", "FL", "--time-zone", "Pacific/Guam"))
    assert {watch["time_zone"] for watch in watches(typed)} == {"Pacific/Guam"}


# --- confirming ------------------------------------------------------------------------------------------------


def token_of(log: Log) -> str:
    """The token in the newest mail that asks for a confirmation."""
    text = next(log.alerts.reports.deliveries()).message.text
    found = re.search(r"https://monitor\.example\.org/confirm/([\w-]{64})\n", text)
    assert found, text
    return found[1]


@pytest.fixture
def configuring(path: Path, configured: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings that `typed` reads."""
    monkeypatch.setenv("AGREEMENT_MONITOR_WEB__BASE_URL", configured.web.base_url)
    monkeypatch.setenv("AGREEMENT_MONITOR_MAIL__SENDER", configured.mail.sender)


ASKED = ("watch", "add", "--state", "TX", "--email", "me@example.org")


@pytest.mark.usefixtures("configuring")
def test_a_mail_address_is_asked_to_confirm_and_told_nothing_else(
    log: Log, configured: Settings, typed: Typed, smtp: FakeSmtp
) -> None:
    said = ok(typed(*ASKED))
    assert "once the address is confirmed" in said
    assert "`watch confirm TOKEN`" in said
    log.publishes(new(), now=datetime.now(UTC))
    tell(configured, log.now)
    assert [m.message["Subject"] for m in smtp.messages] == ["Please confirm: alerts about 287(g) agreements"]
    assert watches(typed)[0]["standing"] == "not confirmed"


@pytest.mark.usefixtures("configuring")
def test_a_confirmed_watch_starts_where_the_log_is_then(
    log: Log, configured: Settings, typed: Typed, smtp: FakeSmtp
) -> None:
    ok(typed(*ASKED))
    log.publishes(new(cells("Early Police Department")), now=datetime.now(UTC))
    token = token_of(log)
    tell(configured, log.now)
    assert "from entry 2 of the log on" in ok(typed("watch", "confirm", token))
    log.publishes(new(cells("Late Police Department")))
    tell(configured, log.now)
    assert [m.message["Subject"] for m in smtp.messages][1:] == ["287(g) in Texas: Late Police Department, new"]
    assert log.alerts.state.value("SELECT confirmed_by FROM subscribers") == "subscriber"


@pytest.mark.usefixtures("configuring")
def test_a_token_is_of_use_once(log: Log, typed: Typed) -> None:
    ok(typed(*ASKED))
    token = token_of(log)
    ok(typed("watch", "confirm", token))
    assert "this token is not valid" in str(typed("watch", "confirm", token).exception)


@pytest.mark.usefixtures("configuring")
def test_a_newer_token_replaces_the_one_before(log: Log, typed: Typed) -> None:
    ok(typed(*ASKED))
    first = token_of(log)
    ok(typed(*ASKED))
    assert "this token is not valid" in str(typed("watch", "confirm", first).exception)
    assert [d.state for d in log.alerts.reports.deliveries()] == ["pending", "suppressed"]
    ok(typed("watch", "confirm", token_of(log)))


@pytest.mark.usefixtures("configuring")
def test_a_token_that_is_too_old_confirms_nothing(log: Log, typed: Typed) -> None:
    ok(typed(*ASKED))
    log.alerts.state.run("UPDATE subscribers SET token_until = '2026-01-01T00:00:00.000000Z'")
    assert "add the watch again" in str(typed("watch", "confirm", token_of(log)).exception)
    assert watches(typed)[0]["standing"] == "not confirmed"


@pytest.mark.usefixtures("configuring")
def test_a_token_is_kept_as_a_hash_only_beside_the_mail(log: Log, typed: Typed) -> None:
    ok(typed(*ASKED))
    kept = log.alerts.state.row("SELECT token_hash, confirmed_by FROM subscribers")
    assert kept
    assert kept["token_hash"] == Keys(key_file(log.alerts.state.path).read_bytes()).of_token(token_of(log))
    assert kept["confirmed_by"] is None


@pytest.mark.usefixtures("configuring")
def test_a_link_is_in_no_row_once_it_was_sent_or_a_newer_one_was_asked_for(
    log: Log, configured: Settings, typed: Typed, smtp: FakeSmtp
) -> None:
    ok(typed(*ASKED))
    first = token_of(log)
    ok(typed(*ASKED))
    second = token_of(log)
    assert not any(first in d.message.text + d.message.html for d in log.alerts.reports.deliveries())
    tell(configured, datetime.now(UTC))
    assert second in smtp.messages[0].raw.decode().replace("=\r\n", "")
    assert not any(second in d.message.text + d.message.html for d in log.alerts.reports.deliveries())
    assert "link for one reader" in ok(typed("deliveries", "show", next(log.alerts.reports.deliveries()).id))
    assert "is told of" in ok(typed("watch", "confirm", second))


@pytest.mark.usefixtures("configuring")
def test_a_link_that_could_not_be_sent_yet_is_kept_until_it_is(
    log: Log, configured: Settings, typed: Typed, smtp: FakeSmtp
) -> None:
    ok(typed(*ASKED))
    token = token_of(log)
    smtp.refuses("451 4.7.1 greylisted", times=1)
    tell(configured, datetime.now(UTC))
    assert token_of(log) == token
    tell(configured, datetime.now(UTC) + timedelta(hours=1))
    assert token in smtp.messages[0].raw.decode().replace("=\r\n", "")


def test_whoever_vouches_is_written_down(log: Log, typed: Typed) -> None:
    ok(typed(*ASKED, "--confirmed"))
    assert log.alerts.state.value("SELECT confirmed_by FROM subscribers") == "operator"
    assert list(log.alerts.reports.deliveries()) == []


@pytest.mark.usefixtures("configuring")
def test_vouching_for_an_address_that_was_asked_confirms_it(log: Log, typed: Typed) -> None:
    ok(typed(*ASKED))
    ok(typed(*ASKED, "--confirmed"))
    assert watches(typed)[0]["standing"] == "in force"


# --- importing -------------------------------------------------------------------------------------------------

CSV = f"""state,county,type,daily,weekly,email,slack,confirmed
TX; GA,,,07:00,,one@example.org,,yes
,"Larkmere, TX",Task Force Model,,monday 08:00,two@example.org,,yes
FL,,,,,,{WEBHOOK},
"""


def test_watches_are_imported_from_a_file(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "watches.csv"
    file.write_text(CSV)
    assert ok(typed("watch", "import", str(file))).startswith("3 watches are imported.\n")
    one, two, three = watches(typed)
    assert (one["states"], one["cadence"]) == (["GA", "TX"], "daily 07:00")
    assert (two["counties"], two["cadence"]) == (["larkmere, TX"], "weekly Monday 08:00")
    assert (three["address"], three["cadence"]) == (WEBHOOK, "at once")


def test_watches_are_imported_from_standard_input(typed: Typed) -> None:
    assert "3 watches" in ok(typed("watch", "import", "-", typing=CSV))


def test_an_import_with_a_wrong_line_imports_nothing_and_names_line_and_column(typed: Typed) -> None:
    wrong = CSV.replace("07:00", "7 a.m.").replace("Larkmere, TX", "Larkmere") + "TX,,,,,,,\nTX,,,,,x@y.org,,maybe\n"
    said = str(typed("watch", "import", "-", typing=wrong).exception)
    assert said.splitlines() == [
        "nothing was imported",
        "line 2, column daily: '7 a.m.' is not a time of day; write 07:00",
        "line 3, column county: 'Larkmere' is not a county of a state; write \"Larkmere, TX\"",
        "line 5: Name one address: --email ADDRESS, --slack URL, or --slack-channel ID.",
        "line 6, column confirmed: 'maybe' is neither yes nor no",
    ]
    assert watches(typed) == []


def test_a_column_that_is_no_option_is_named(typed: Typed) -> None:
    said = str(typed("watch", "import", "-", typing="state,mail\nTX,me@example.org\n").exception)
    assert "line 1, column 2: 'mail' is not a column; the columns are state, all-states, county" in said


def test_a_line_with_too_many_cells_is_refused(typed: Typed) -> None:
    said = str(typed("watch", "import", "-", typing=f"state,slack\nTX,{WEBHOOK},more\n").exception)
    assert "line 2: has more cells than there are columns" in said


@pytest.mark.usefixtures("configuring")
@pytest.mark.parametrize("words", ["--confirmed", "--email=other@example.org", "--help"])
def test_a_cell_of_an_import_never_sets_another_option(typed: Typed, words: str) -> None:
    rows = f"state,email,weekly\nTX,me@example.org,monday 07:00 {words}\n"
    said = str(typed("watch", "import", "-", typing=rows).exception)
    assert f"line 2, column weekly: 'monday 07:00 {words}' is not of the form DAY HH:MM" in said
    assert watches(typed) == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("state,email\nTX,josé@example.org\n".encode("latin-1"), "line 1: is not in UTF-8, or a line soon after it"),
        ("state,email\nTX,me@example.org\n".encode("utf-16"), "line 1: is not in UTF-8, or a line soon after it"),
        (b'"state,email\nTX,me@example.org\n', "line 1: unexpected end of data"),
        (b'state,email\nTX,"me@example.org\n', "line 1: unexpected end of data"),
    ],
)
def test_a_file_that_cannot_be_read_as_csv_is_refused_in_words(
    typed: Typed, tmp_path: Path, content: bytes, what: str
) -> None:
    file = tmp_path / "watches.csv"
    file.write_bytes(content)
    refused = typed("watch", "import", str(file)).exception
    assert isinstance(refused, MonitorError)
    assert what in str(refused)


@pytest.mark.usefixtures("configuring")
def test_an_imported_address_is_asked_once_however_many_watches_it_has(log: Log, typed: Typed) -> None:
    rows = "state,email\nTX,me@example.org\nGA,me@example.org\n"
    assert "It is sent a link" in ok(typed("watch", "import", "-", typing=rows))
    assert len(list(log.alerts.reports.deliveries())) == 1


# --- what is kept about somebody -------------------------------------------------------------------------------

READER = ("--email", "somebody@example.org")


@pytest.fixture
def told(log: Log, configured: Settings, typed: Typed) -> None:
    """Somebody who was told something, gets digests, and waits for more."""
    ok(typed("watch", "add", "--county", "Larkmere, TX", *READER, "--confirmed"))
    ok(typed("watch", "add", "--state", "GA", *READER, "--daily", "07:00"))
    log.publishes(new(), now=datetime.now(UTC))
    tell(configured, log.now)
    log.publishes(new(cells("Tidewrack Police Department")))
    route(log.alerts, configured, log.now)


@pytest.mark.usefixtures("told")
def test_everything_that_is_kept_about_an_address_is_exported(typed: Typed) -> None:
    kept = json.loads(ok(typed("watch", "export", "--email", "Somebody@example.org")))
    assert kept["must_not_be_written_to"] is None
    assert [s["address"] for s in kept["subscribers"]] == ["somebody@example.org"]
    assert [w["counties"] for w in kept["watches"]] == ['[["TX", "larkmere"]]', None]
    assert [d["state"] for d in kept["deliveries"]] == ["sent", "pending"]
    assert "Larkmere Police Department" in kept["deliveries"][0]["text"]
    assert len(kept["delivery_entries"]) == 2


@pytest.mark.usefixtures("told")
def test_an_export_says_nothing_of_others(typed: Typed) -> None:
    ok(typed("watch", "add", "--state", "TX", "--email", "other@example.org", "--confirmed"))
    assert "other@" not in ok(typed("watch", "export", *READER))


@pytest.mark.usefixtures("told")
def test_an_erased_address_is_in_no_byte_of_the_files(log: Log, typed: Typed, path: Path) -> None:
    assert b"somebody@example.org" in b"".join(f.read_bytes() for f in path.parent.iterdir())
    ok(typed("watch", "erase", *READER, "--yes"))
    for file in path.parent.iterdir():
        assert b"somebody@" not in file.read_bytes(), file.name
        assert b'"larkmere"' not in file.read_bytes(), file.name


@pytest.mark.usefixtures("told")
def test_what_was_sent_to_an_erased_address_still_counts_and_nothing_more_is_sent(
    log: Log, configured: Settings, typed: Typed, smtp: FakeSmtp
) -> None:
    sent = len(smtp.messages)
    ok(typed("watch", "erase", *READER, "--yes"))
    assert [d.state for d in log.alerts.reports.deliveries()] == ["suppressed", "sent"]
    assert re.fullmatch(r"erased-[\w-]{64}", next(log.alerts.reports.deliveries()).address)
    assert log.alerts.state.value("SELECT count(*) FROM delivery_entries") == 2
    log.publishes(new(cells("Late Police Department")))
    tell(configured, log.now + timedelta(days=2))
    assert len(smtp.messages) == sent
    assert watches(typed) == []
    assert log.alerts.state.rows("PRAGMA foreign_key_check") == []


@pytest.mark.usefixtures("told")
def test_an_erased_address_is_refused_with_the_reason(typed: Typed) -> None:
    ok(typed("watch", "erase", *READER, "--yes"))
    for words in (["--email", "SOMEBODY@example.org"], [*READER, "--confirmed"]):
        result = typed("watch", "add", "--state", "TX", *words)
        assert result.exit_code == 2
        said = " ".join(result.output.replace("│", " ").split())
        assert "must not be written to: it was erased" in said
        assert "somebody@" not in said
    imported = typed("watch", "import", "-", typing="state,email\nTX,somebody@example.org\n")
    assert "line 2, column email: this address must not be written to" in str(imported.exception)
    assert json.loads(ok(typed("watch", "export", *READER)))["must_not_be_written_to"]["why"] == "erased"


@pytest.mark.usefixtures("told", "configuring")
def test_an_erased_address_that_asks_again_is_allowed_and_then_asked_to_confirm(log: Log, typed: Typed) -> None:
    ok(typed("watch", "erase", *READER, "--yes"))
    assert "`watch allow` lifts that" in " ".join(
        typed("watch", "add", "--state", "TX", *READER).output.replace("│", " ").split()
    )
    assert "may be added again" in ok(typed("watch", "allow", "--email", "SOMEBODY@example.org"))
    assert log.alerts.state.rows("SELECT * FROM suppressions") == []
    assert "once the address is confirmed" in ok(typed("watch", "add", "--state", "TX", *READER))


def test_an_address_that_its_server_did_not_know_is_allowed_again(
    log: Log, configured: Settings, typed: Typed, smtp: FakeSmtp
) -> None:
    ok(typed("watch", "add", "--state", "TX", *READER, "--confirmed"))
    log.publishes(new(), now=datetime.now(UTC))
    smtp.refuses("550 5.1.1 no such user", times=1)
    tell(configured, log.now)
    ok(typed("watch", "allow", *READER))
    log.publishes(new(cells("Late Police Department")))
    tell(configured, log.now)
    assert [m.message["Subject"] for m in smtp.messages] == ["287(g) in Texas: Late Police Department, new"]


def test_an_address_that_nothing_is_in_the_way_of_need_not_be_allowed(typed: Typed) -> None:
    assert "`watch add` adds it" in str(typed("watch", "allow", *READER).exception)


@pytest.mark.usefixtures("told")
def test_what_is_left_of_an_erased_address_is_a_hash_under_a_key(log: Log, typed: Typed) -> None:
    ok(typed("watch", "erase", *READER, "--yes"))
    [kept] = log.alerts.state.rows("SELECT hash, why FROM suppressions")
    keys = Keys(key_file(log.alerts.state.path).read_bytes())
    assert (kept["hash"], kept["why"]) == (keys.of_address(ChannelName.EMAIL, "somebody@example.org"), "erased")


@pytest.mark.usefixtures("told")
def test_erasing_asks_first(typed: Typed) -> None:
    assert typed("watch", "erase", *READER, typing="n\n").exit_code == 1
    assert len(watches(typed)) == 2


def test_an_address_that_nobody_knows_cannot_be_erased(typed: Typed) -> None:
    assert "nothing is stored about this address" in str(typed("watch", "erase", *READER, "--yes").exception)


def test_a_watch_whose_address_takes_no_messages_says_so(log: Log, typed: Typed) -> None:
    add = ("watch", "add", "--state", "TX", "--slack", WEBHOOK)
    ok(typed(*add))
    log.alerts.state.run("UPDATE subscribers SET disabled_at = '2026-03-03T12:00:00.000000Z', disabled_why = 'gone'")
    assert [w["standing"] for w in watches(typed)] == ["takes no messages"]
    assert "takes no messages any more (gone), `deliveries retry`" in ok(typed(*add))
