"""What the operator is told, and how often, with real servers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerts.delivery import operator
from alerts.delivery.run import tell
from demo.slack import FakeSlack
from demo.smtp import FakeSmtp
from monitor.errors import SettingsError
from monitor.model import Hold
from monitor.settings import MailSettings, OperatorSettings, Settings
from monitor.storage.writer import Store
from tests.alerts.builders import HOUR, Log, add_watch, new, settings


@pytest.fixture
def named(path: Path, smtp: FakeSmtp, slack: FakeSlack) -> Settings:
    """Settings with an operator by mail and in Slack."""
    return settings(
        path,
        mail=MailSettings(host=smtp.host, port=smtp.port, sender="a@example.org", timeout=5),
        operator=OperatorSettings(email="op@example.org", slack=SecretStr(slack.webhook_url("OP"))),
    )


def to_operator(smtp: FakeSmtp) -> list[str]:
    return [m.message["Subject"] for m in smtp.messages if m.recipients == ("op@example.org",)]


def hold(log: Log) -> None:
    """The newest publication is not believed."""
    store = Store(log.alerts.state)
    number = log.alerts.state.value("SELECT max(id) FROM publications")
    with store.write():
        store.publications.decide(number, log.now, "held", Hold(("Too many rows are gone.",), structural=False))


def test_a_held_publication_is_told_once_by_mail_and_in_slack(
    log: Log, named: Settings, smtp: FakeSmtp, slack: FakeSlack
) -> None:
    log.publishes(new())
    hold(log)
    assert tell(named, log.now) is True
    assert tell(named, log.now + HOUR) is False
    assert to_operator(smtp) == ["agreement-monitor: The participating list that ICE published is held"]
    assert len(slack.messages) == 1
    assert [d.purpose for d in log.alerts.reports.deliveries()] == ["operator", "operator"]


def test_a_dead_letter_is_told_in_the_run_in_which_it_died(log: Log, named: Settings, smtp: FakeSmtp) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    smtp.refuses("550 5.7.1 policy", to="reader@example.org")
    assert tell(named, log.now) is True
    assert to_operator(smtp) == ["agreement-monitor: A message was given up"]


def test_a_message_to_the_operator_that_cannot_be_sent_makes_no_further_one(
    log: Log, named: Settings, smtp: FakeSmtp, slack: FakeSlack
) -> None:
    log.publishes(new())
    hold(log)
    smtp.refuses("550 5.7.1 policy")
    tell(named, log.now)
    tell(named, log.now + HOUR)
    assert len(slack.messages) == 1


def test_an_operator_without_a_watch_hears_of_it_even_at_the_second_attempt(
    log: Log, named: Settings, smtp: FakeSmtp
) -> None:
    log.publishes(new())
    hold(log)
    smtp.refuses("451 4.7.1 greylisted", times=1)
    tell(named, log.now)
    tell(named, log.now + timedelta(minutes=5))
    assert len(to_operator(smtp)) == 1


def test_without_an_operator_it_is_in_the_log_once(
    log: Log, configured: Settings, smtp: FakeSmtp, caplog: pytest.LogCaptureFixture
) -> None:
    log.publishes(new())
    hold(log)
    assert tell(configured, log.now) is True
    assert tell(configured, log.now) is False
    assert smtp.messages == []
    assert [r.getMessage() for r in caplog.records if "is held" in r.getMessage()] != []


@pytest.mark.parametrize("given", [{"email": "nobody"}, {"slack": SecretStr("https://elsewhere.example/x")}])
def test_an_operator_who_cannot_be_reached_as_named_keeps_nobody_else_from_being_told(
    log: Log, configured: Settings, smtp: FakeSmtp, given: dict[str, object]
) -> None:
    add_watch(log.alerts, "TX")
    log.publishes(new())
    wrong = configured.model_copy(update={"operator": OperatorSettings(**given)})  # type: ignore[arg-type]  # by name
    hold(log)
    with pytest.raises(SettingsError, match=r"operator\."):
        tell(wrong, log.now)
    assert len(smtp.messages) == 1
    tell(configured, log.now)


def test_nothing_that_is_told_is_lost_if_it_is_decided_twice(log: Log, named: Settings) -> None:
    log.publishes(new())
    hold(log)
    assert operator.report(log.alerts, named, log.now)
    assert not operator.report(log.alerts, named, log.now)
    assert len(list(log.alerts.reports.deliveries())) == 2
