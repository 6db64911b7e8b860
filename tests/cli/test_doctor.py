"""`pause`, `resume`, `verify` and `doctor` as they are typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result

from alerts.delivery.run import route, tell
from cli.__main__ import group
from demo.ice import FakeIce
from demo.samples import LISTS
from demo.slack import FakeSlack
from demo.smtp import FakeSmtp
from monitor.errors import MonitorError
from monitor.settings import Settings
from tests.alerts.builders import Log, add_watch, back, new, terminated

Typed: TypeAlias = Callable[..., Result]


@pytest.fixture
def typed(path: Path, tmp_path: Path) -> Typed:
    """Runs a command line on the log's state.db, with these settings added."""

    def run(*words: str, settings: str = "") -> Result:
        config = tmp_path / "config.toml"
        config.write_text(settings)
        return CliRunner().invoke(group, ["--config", str(config), "--db", str(path), *words])

    return run


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


# --- pause and resume ------------------------------------------------------------------------------------------


def test_a_pause_holds_everything_back_and_a_resume_sends_it(
    log: Log, configured: Settings, smtp: FakeSmtp, typed: Typed
) -> None:
    add_watch(log.alerts, "TX")
    assert "nothing is sent until `resume`. 0 messages wait so far" in ok(typed("pause"))
    log.publishes(new())
    tell(configured, log.now)
    assert smtp.messages == []
    assert log.alerts.routed.position() == log.alerts.log.changelog.position()
    assert "1 message waits" in ok(typed("resume"))
    tell(configured, log.now)
    assert len(smtp.messages) == 1


def test_what_waited_through_a_pause_is_not_given_up_at_its_first_failure_after_it(
    log: Log, configured: Settings, smtp: FakeSmtp, typed: Typed
) -> None:
    now = datetime.now(UTC)
    add_watch(log.alerts, "TX")
    log.publishes(new(), now=now - timedelta(days=4))
    log.alerts.outbox.pause(log.now)
    tell(configured, log.now)
    ok(typed("resume"))
    smtp.refuses("451 4.3.0 come again", times=1)
    tell(configured, now + timedelta(minutes=1))
    assert [d.state for d in log.alerts.reports.deliveries()] == ["pending"]
    tell(configured, now + timedelta(minutes=10))
    assert len(smtp.messages) == 1


def test_a_pause_is_said_by_status_until_it_ends(log: Log, typed: Typed) -> None:
    ok(typed("pause"))
    paused = typed("status")
    assert paused.exit_code == 1
    assert re.search(r"^sending is paused since \S+ \S+ UTC; 0 messages wait; `resume`", paused.output, re.MULTILINE)
    ok(typed("resume"))
    assert "paused" not in typed("status").output


def test_resuming_what_is_not_paused_is_an_error(log: Log, typed: Typed) -> None:
    error = typed("resume").exception
    assert isinstance(error, MonitorError)
    assert "nothing is paused" in str(error)


# --- verify ----------------------------------------------------------------------------------------------------


@pytest.fixture
def told(log: Log, configured: Settings, smtp: FakeSmtp) -> None:
    """A departure that one reader was told of and another was not, its correction, and news that waits."""
    add_watch(log.alerts, "TX", email="one@example.org")
    add_watch(log.alerts, "TX", email="other@example.org")
    [departure] = log.publishes(terminated())
    smtp.refuses("550 5.7.1 policy", to="other@example.org")
    tell(configured, log.now)
    log.publishes(*back(departure))
    tell(configured, log.now)
    log.publishes(new())
    route(log.alerts, configured, log.now)


@pytest.mark.usefixtures("told")
def test_a_state_db_that_adds_up_is_said_to(typed: Typed) -> None:
    said = ok(typed("verify"))
    assert "3 entries told to watches, 5 times" in said
    assert said.splitlines()[1].split() == [
        "deliveries",
        "sent",
        "ambiguous",
        "dead",
        "suppressed",
        "pending",
        "leased",
    ]
    assert said.splitlines()[2].split() == ["instant", "2", "0", "1", "0", "2", "0"]
    assert said.endswith("All of it adds up.\n")


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM deliveries WHERE id = (SELECT max(id) FROM deliveries)", "is in no delivery for some of them"),
        ("DELETE FROM deliveries WHERE id = 1", "a row refers to deliveries that are not there"),
        ("DELETE FROM delivery_entries WHERE delivery = 1", "tells of a publication, and of no change"),
        ("UPDATE routed SET position = 99", "is routed, and not in the log"),
        ("UPDATE routed SET position = 0", "was told, and is not routed"),
        ("INSERT INTO operator_events VALUES ('held p-1', '2026', 1)", "tells the operator, and is none of theirs"),
    ],
)
def test_what_does_not_add_up_is_said(log: Log, typed: Typed, damage: str, said: str) -> None:
    log.alerts.state.run("PRAGMA foreign_keys = OFF")
    log.alerts.state.run(damage)
    result = typed("verify")
    assert result.exit_code == 1
    assert said in result.output


# --- doctor ----------------------------------------------------------------------------------------------------


@pytest.fixture
def ice() -> Iterator[FakeIce]:
    with FakeIce() as ice:
        yield ice


@pytest.fixture
def whole(ice: FakeIce, smtp: FakeSmtp, slack: FakeSlack) -> str:
    """Settings in which nothing is missing, for servers that answer."""
    content = next(LISTS.glob("*participating*.xlsx")).read_bytes()
    ice.publishes(participating=content)
    return f"""
    [source]
    page = "{ice.page_url}"
    contact = "desk@example.org"
    retries = 0
    [mail]
    host = "{smtp.host}"
    port = {smtp.port}
    sender = "alerts@example.org"
    [slack]
    hosts = ["127.0.0.1"]
    [web]
    base_url = "https://monitor.example.org"
    [operator]
    email = "op@example.org"
    slack = "{slack.webhook_url("OP")}"
    """


def to_fix(result: Result) -> list[str]:
    return [line.split(maxsplit=1)[1] for line in result.output.splitlines() if line.startswith("FIX")]


def test_where_all_is_in_place_a_test_message_arrives_on_each_channel(
    log: Log, typed: Typed, whole: str, smtp: FakeSmtp, slack: FakeSlack
) -> None:
    add_watch(log.alerts, "TX")
    said = ok(typed("doctor", settings=whole))
    assert "ICE: participating list:" in said
    assert [m.recipients for m in smtp.messages] == [("op@example.org",)]
    assert smtp.messages[0].message["Subject"] == "agreement-monitor: This is a test"
    assert len(slack.messages) == 1
    assert list(log.alerts.reports.deliveries()) == []


def test_what_is_to_be_mended_is_said_line_by_line(
    log: Log, typed: Typed, whole: str, ice: FakeIce, smtp: FakeSmtp, slack: FakeSlack
) -> None:
    ice.answers(403)
    smtp.goes_down()
    slack.answers(404, "no_service")
    log.alerts.outbox.pause(log.now)
    result = typed("doctor", settings=whole.replace('contact = "desk@example.org"', ""))
    assert result.exit_code == 1
    said = to_fix(result)
    assert [line.partition(":")[0] for line in said] == [
        *("source.contact", "sending", "watches", "ICE", "operator by email", "operator by slack"),
    ]
    assert "o…@example.org did not go through: the mail server could not be reached" in said[4]
    assert "no_service" in said[5]


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (FakeSlack.bot_token, "fine  slack.bot_token: is good for the workspace Demo"),
        ("xoxb-wrong", "FIX   slack.bot_token: Slack answered 200 invalid_auth: "),
    ],
)
def test_a_bots_token_is_tried_without_posting_anything(
    log: Log, typed: Typed, whole: str, slack: FakeSlack, token: str, said: str
) -> None:
    add_watch(log.alerts, "TX")
    bot = f'[slack]\nbot_token = "{token}"\napi_url = "{slack.api_url}"'
    result = typed("doctor", settings=whole.replace("[slack]", bot))
    assert any(line.startswith(said) for line in result.output.splitlines()), result.output
    assert [m.to for m in slack.messages] == ["OP"]


def test_without_an_operator_nothing_is_sent(log: Log, typed: Typed, whole: str, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX")
    result = typed("doctor", settings=whole.partition("[operator]")[0])
    assert result.exit_code == 1
    assert to_fix(result) == [
        "operator: nobody is named to be told what goes wrong; set operator.email or operator.slack"
    ]
    assert smtp.messages == []


def test_settings_that_cannot_be_used_end_with_2(typed: Typed) -> None:
    result = typed("doctor", settings="[mail]\nport = 0")
    assert result.exit_code == 2
    assert "mail.port" in to_fix(result)[0]


def test_a_state_db_that_cannot_be_used_ends_with_2(path: Path, typed: Typed, whole: str) -> None:
    path.write_text("no database, but longer than the header of one " * 10)
    result = typed("doctor", settings=whole)
    assert result.exit_code == 2
    assert "state.db" in to_fix(result)[0]


def test_an_address_of_an_operator_that_is_none_is_said(log: Log, typed: Typed, whole: str) -> None:
    add_watch(log.alerts, "TX")
    assert "operator.email" in to_fix(typed("doctor", settings=whole.replace("op@example.org", "op")))[0]
