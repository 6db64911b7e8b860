"""`watch` and `deliveries` as they are typed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result

from alerts.deliver import route, tell
from demo.smtp import FakeSmtp
from monitor.__main__ import group
from monitor.config import Settings
from monitor.errors import MonitorError
from tests.alerts.builders import HOUR, Log, add_watch, back, new, terminated

ROOT = Path(__file__).parent.parent.parent
Typed: TypeAlias = Callable[..., Result]
WEBHOOK = "https://hooks.slack.com/services/T1/B1/s3cret"


@pytest.fixture
def typed(path: Path) -> Typed:
    """Runs a command line on the log's state.db."""

    def run(*words: str) -> Result:
        return CliRunner().invoke(group, ["--db", str(path), *words])

    return run


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def watches(typed: Typed) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(ok(typed("watch", "list", "--format", "json", "--reveal")))
    return found


# --- watch -----------------------------------------------------------------------------------------------------


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
        (["--state", "TX", "--email", "me@example.org"], "--confirmed"),
        (["--state", "TX"], "Say whom to tell"),
        (["--state", "TX", "--email", "me@example.org", "--slack", WEBHOOK], "Say whom to tell"),
        (["--slack", WEBHOOK], "Say which states"),
        (["--state", "TX", "--all-states", "--slack", WEBHOOK], "Say which states"),
        (["--state", "Utopia", "--slack", WEBHOOK], "no state or territory"),
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


def test_an_error_ends_with_status_2_in_one_line(path: Path) -> None:
    command = [sys.executable, "-m", "monitor", "--db", str(path), "watch", "remove", "7"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr == "agreement-monitor: there is no watch 7; `watch list` prints all\n"


# --- deliveries ------------------------------------------------------------------------------------------------


@pytest.fixture
def told(log: Log, configured: Settings) -> str:
    """A delivery that was sent; its id."""
    add_watch(log.alerts, "TX", email="somebody@example.org")
    log.publishes(new())
    tell(configured, log.now)
    return next(log.alerts.deliveries()).id


@pytest.fixture
def dead(log: Log, configured: Settings, smtp: FakeSmtp) -> str:
    """A departure that could not be told; the delivery's id."""
    add_watch(log.alerts, "TX", email="somebody@example.org")
    smtp.refuses("550 5.7.1 policy", times=1)
    log.publishes(terminated())
    tell(configured, log.now)
    return next(log.alerts.deliveries()).id


def test_deliveries_are_listed_without_addresses(told: str, typed: Typed) -> None:
    listed = ok(typed("deliveries", "list"))
    assert told in listed
    assert "s…@example.org" in listed
    assert "somebody" not in listed
    assert "somebody" in ok(typed("deliveries", "list", "--reveal"))


def test_deliveries_are_listed_by_state(told: str, typed: Typed) -> None:
    assert json.loads(ok(typed("deliveries", "list", "--state", "dead", "--format", "json"))) == []
    [line] = json.loads(ok(typed("deliveries", "list", "--state", "sent", "--format", "json")))
    assert (line["id"], line["state"], line["attempts"], line["changes"]) == (told, "sent", 1, 1)


def test_a_delivery_is_shown_as_it_was_sent(told: str, typed: Typed) -> None:
    shown = ok(typed("deliveries", "show", told))
    assert "Subject: 287(g) in Texas: Larkmere Police Department, new" in shown
    assert "How we know: https://monitor.example.org/changes/c-" in shown
    assert ok(typed("deliveries", "show", told, "--html")).startswith("<!DOCTYPE html>")
    as_json = json.loads(ok(typed("deliveries", "show", told, "--format", "json")))
    assert as_json["message"]["text"] in shown


def test_a_slack_delivery_is_shown_as_text(log: Log, configured: Settings, typed: Typed) -> None:
    add_watch(log.alerts, "TX", slack=WEBHOOK)
    log.publishes(new())
    route(log.alerts, configured, log.now)
    shown = ok(typed("deliveries", "show", next(log.alerts.deliveries()).id))
    assert "287(g) in Texas: 1 new" in shown
    assert "|Larkmere Police Department>*" in shown
    assert "s3cret" not in shown


def test_what_was_given_up_is_put_back_to_be_sent(
    log: Log, configured: Settings, smtp: FakeSmtp, dead: str, typed: Typed
) -> None:
    assert "1 delivery is sent with the next" in ok(typed("deliveries", "retry", "--dead"))
    [delivery] = log.alerts.deliveries()
    assert (delivery.state, delivery.attempts) == ("pending", 0)
    tell(configured, delivery.next_attempt_at)
    assert len(smtp.messages) == 1


def test_what_was_taken_back_since_is_not_sent_again(log: Log, dead: str, typed: Typed) -> None:
    [departure] = log.alerts.log.entries()
    log.publishes(*back(departure))
    error = typed("deliveries", "retry", dead).exception
    assert isinstance(error, MonitorError)
    assert "taken back since" in str(error)
    assert "0 deliveries" in ok(typed("deliveries", "retry", "--dead"))


def test_what_was_sent_is_not_sent_again(told: str, typed: Typed) -> None:
    assert "only what was given up or waits" in str(typed("deliveries", "retry", told).exception)


def test_what_may_have_arrived_is_sent_again_under_its_id(
    log: Log, configured: Settings, smtp: FakeSmtp, typed: Typed
) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    smtp.breaks_after_data()
    tell(configured, log.now)
    smtp.refuses("550 5.7.1 policy", times=1)
    tell(configured, log.now + HOUR)
    [delivery] = log.alerts.deliveries()
    assert (delivery.state, delivery.maybe_sent) == ("ambiguous", True)
    assert "1 delivery is sent with the next" in ok(typed("deliveries", "retry", delivery.id))
    tell(configured, next(log.alerts.deliveries()).next_attempt_at)
    assert [m.message["Message-ID"] for m in smtp.messages] == [delivery.message_id] * 2


def test_an_address_that_was_mended_is_written_to_again(
    log: Log, configured: Settings, smtp: FakeSmtp, typed: Typed
) -> None:
    add_watch(log.alerts, "TX", email="somebody@example.org")
    log.publishes(new())
    smtp.refuses("550 5.1.1 no such user", times=1)
    tell(configured, log.now)
    [dead] = log.alerts.deliveries()
    assert "0 deliveries" in ok(typed("deliveries", "retry", "--dead"))
    assert "s…@example.org is written to again." in ok(typed("deliveries", "retry", dead.id))
    tell(configured, next(log.alerts.deliveries()).next_attempt_at)
    assert len(smtp.messages) == 1
    assert log.alerts.state.rows("SELECT * FROM suppressions") == []


def test_what_is_dropped_is_kept_with_the_reason_and_not_sent(
    log: Log, configured: Settings, smtp: FakeSmtp, dead: str, typed: Typed
) -> None:
    assert "s…@example.org" in ok(typed("deliveries", "drop", dead, "--why", "told them by phone"))
    [delivery] = log.alerts.deliveries()
    assert (delivery.state, delivery.last_error) == ("suppressed", "dropped by an operator: told them by phone")
    assert "0 deliveries" in ok(typed("deliveries", "retry", "--dead"))


def test_what_was_sent_cannot_be_dropped(told: str, typed: Typed) -> None:
    assert "only what waits or was given up" in str(typed("deliveries", "drop", told, "--why", "x").exception)


def test_a_delivery_that_is_not_there_is_an_error_that_says_where_to_look(typed: Typed) -> None:
    assert "`deliveries list` prints them" in str(typed("deliveries", "show", "d-none").exception)
