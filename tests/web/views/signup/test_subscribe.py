"""The whole life of a subscription: a form, a mail, a button; and whoever only opens links changes nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from alerts.delivery.run import tell
from alerts.model import ChannelName, Schedule
from demo.slack import FakeSlack
from demo.smtp import FakeSmtp
from monitor.settings import FormSettings, MailSettings, OperatorSettings, Settings, SlackSettings, WebSettings
from tests.alerts.builders import Log, add_watch, cells, new, open_log
from tests.alerts.builders import settings as settings_of
from tests.golden import Golden
from tests.web.visitor import BASE, Visitor, links

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)


@pytest.fixture
def smtp() -> Iterator[FakeSmtp]:
    with FakeSmtp() as smtp:
        yield smtp


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = open_log(tmp_path / "state.db")
    with closing(log.alerts):
        yield log


def settings(log: Log, smtp: FakeSmtp, **others: object) -> Settings:
    sender = "Agreement monitor <alerts@monitor.example.org>"
    usual = {
        "web": WebSettings(base_url=BASE),
        "mail": MailSettings(host=smtp.host, port=smtp.port, sender=sender, timeout=5),
    }
    return settings_of(log.alerts.state.path, **usual | others)


@pytest.fixture
def visitor(log: Log, smtp: FakeSmtp) -> Visitor:
    return Visitor(log, settings(log, smtp), smtp)


def dump(log: Log) -> list[str]:
    """Everything in state.db."""
    with closing(sqlite3.connect(log.alerts.state.path)) as db:
        return list(db.iterdump())


# --- the life of a subscription ---------------------------------------------------------------------------------


def test_whoever_confirms_is_told_what_happens_from_then_on_until_they_stop(visitor: Visitor, log: Log) -> None:
    log.publishes(new(cells("Before Police Department")))
    assert visitor.subscribes().status == 303
    assert visitor.smtp.messages == []
    visitor.works_off()
    assert visitor.mail().message["Subject"] == "Please confirm: alerts about 287(g) agreements"
    assert visitor.mail().recipients == ("reader@example.org",)
    log.publishes(new(cells("Meanwhile Police Department")))
    visitor.works_off()
    assert len(visitor.smtp.messages) == 1

    assert "You are subscribed" in visitor.confirms().text
    log.publishes(new(cells("After Police Department")))
    visitor.works_off()
    assert "After Police Department" in visitor.mail().message["Subject"]
    assert "Meanwhile" not in visitor.mail().raw.decode()

    assert "All alerts are stopped" in visitor.send(visitor.link("unsubscribe")).text
    log.publishes(new(cells("Late Police Department")))
    visitor.works_off()
    assert len(visitor.smtp.messages) == 2
    assert log.alerts.reports.contradictions() == ()


def test_whoever_left_can_come_back(visitor: Visitor, log: Log) -> None:
    visitor.is_subscribed()
    log.publishes(new(cells("First Police Department")))
    visitor.works_off()
    visitor.send(visitor.link("unsubscribe"))
    visitor.is_subscribed()
    log.publishes(new(cells("Second Police Department")))
    visitor.works_off()
    assert "Second Police Department" in visitor.mail().message["Subject"]


def test_a_stranger_cannot_change_what_somebody_is_told(visitor: Visitor, log: Log) -> None:
    visitor.is_subscribed(where="some", states="TX", time_zone="America/Chicago")
    kept = list(log.alerts.watches.records())
    visitor.subscribes(where="all", cadence="daily", time_zone="Pacific/Guam")
    visitor.works_off()
    assert list(log.alerts.watches.records()) == kept


def test_what_was_chosen_is_what_is_watched(visitor: Visitor, log: Log) -> None:
    visitor.is_subscribed(
        where="some",
        states=["TX", "GA"],
        kinds=["new", "applied"],
        departures="confirmed",
        cadence="weekly",
        minute="540",
        weekday="4",
        time_zone="Pacific/Honolulu",
    )
    [record] = log.alerts.watches.records()
    wants = record.watch.wants
    assert wants.states == frozenset({"TX", "GA"})
    assert wants.kinds == {"new", "applied"}
    assert wants.departures == "confirmed"
    assert record.watch.schedule
    assert record.watch.schedule.name == "weekly Friday 09:00"
    assert record.watch.subscriber.time_zone == "Pacific/Honolulu"


def test_a_slack_channel_is_asked_by_a_message_with_a_link(log: Log, smtp: FakeSmtp, slack: FakeSlack) -> None:
    webhook = slack.webhook_url("newsroom")
    host = webhook.split("/")[2]
    visitor = Visitor(log, settings(log, smtp, slack=SlackSettings(hosts=(host,), timeout=5)), smtp)
    assert visitor.send("/subscribe", channel="slack", webhook=webhook).status == 303
    visitor.works_off()
    [asked] = slack.messages
    assert "Please confirm" in asked.payload["text"]
    path = asked.payload["text"].partition(f"<{BASE}")[2].partition("|")[0]
    assert visitor.send(path).status == 200
    log.publishes(new(cells("After Police Department")))
    visitor.works_off()
    assert "After Police Department" in slack.messages[-1].payload["text"]


def test_a_webhook_that_sends_on_to_elsewhere_is_not_followed(log: Log, smtp: FakeSmtp, slack: FakeSlack) -> None:
    webhook = slack.webhook_url("newsroom")
    visitor = Visitor(log, settings(log, smtp, slack=SlackSettings(hosts=(webhook.split("/")[2],), timeout=5)), smtp)
    with FakeSlack() as elsewhere:
        slack.redirects(elsewhere.webhook_url("inside"), to="newsroom")
        visitor.send("/subscribe", channel="slack", webhook=webhook)
        visitor.works_off()
        assert len(slack.requests) == 1
        assert elsewhere.requests == []


def test_a_link_can_tick_states(visitor: Visitor, log: Log) -> None:
    page = visitor.open("/subscribe?state=TX&state=georgia&state=%3Cscript%3E")
    ticked = [node.attributes["value"] for node in LexborHTMLParser(page.html).css("[name=states][checked]")]
    assert ticked == ["GA", "TX"]


# --- no GET changes anything ------------------------------------------------------------------------------------


def test_opening_every_link_changes_nothing(visitor: Visitor, log: Log) -> None:
    visitor.subscribes()
    visitor.works_off()
    confirm = visitor.link("confirm")
    before = dump(log)
    for method in ("GET", "HEAD", "GET"):
        assert visitor.open(confirm, method).status == 200
    assert dump(log) == before
    visitor.confirms()
    log.publishes(new())
    visitor.works_off()
    number = next(log.alerts.watches.records()).watch.number
    manage = visitor.link("manage")
    before = dump(log)
    for address in (manage, f"{manage}/{number}", f"{manage}/kept.json", visitor.link("unsubscribe"), "/manage"):
        for method in ("GET", "HEAD", "GET"):
            assert visitor.open(address, method).status == 200
    assert dump(log) == before


def test_confirming_twice_is_confirming_once(visitor: Visitor, log: Log) -> None:
    visitor.is_subscribed()
    before = dump(log)
    assert "You are subscribed" in visitor.confirms().text
    assert dump(log) == before


# --- one click --------------------------------------------------------------------------------------------------


def test_a_mail_program_stops_alerts_with_one_post_without_cookies(visitor: Visitor, log: Log) -> None:
    visitor.is_subscribed()
    log.publishes(new())
    visitor.works_off()
    headers = visitor.mail().message
    page = headers["List-Unsubscribe"].partition(">")[0].removeprefix("<")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert page == f"{BASE}{visitor.link('unsubscribe')}"
    for _ in range(2):
        answer = visitor.browser().post(page.removeprefix(BASE), data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    assert list(log.alerts.watches.records()) == []


def test_the_link_to_stop_is_good_for_years(visitor: Visitor, log: Log) -> None:
    visitor.is_subscribed()
    log.publishes(new())
    visitor.works_off()
    visitor.later(1000 * DAY)
    assert visitor.send(visitor.link("unsubscribe")).status == 200
    assert list(log.alerts.watches.records()) == []


def test_a_mail_that_asks_to_confirm_has_nothing_to_stop(visitor: Visitor) -> None:
    visitor.subscribes()
    visitor.works_off()
    assert visitor.mail().message["List-Unsubscribe-Post"] is None
    assert set(links(visitor.mail())) == {"confirm"}


# --- the same answer for everybody ------------------------------------------------------------------------------


def as_answered(visitor: Visitor, address: str, email: str) -> tuple[object, ...]:
    answer = visitor.send(address, email=email)
    return answer.status, {k: v for k, v in answer.headers.items() if k != "Date"}, answer.html


@pytest.mark.parametrize("form", ["/subscribe", "/manage"])
def test_the_answer_says_nothing_of_who_is_known(visitor: Visitor, log: Log, form: str) -> None:
    visitor.subscribes("pending@example.org")
    for name in ("active", "left", "erased"):
        visitor.is_subscribed(f"{name}@example.org")
    log.publishes(new())
    visitor.works_off()
    by_address = {mail.recipients[0]: links(mail) for mail in visitor.smtp.messages}
    visitor.send(by_address["left@example.org"]["unsubscribe"])
    visitor.send(by_address["erased@example.org"]["manage"], "erase", sure="yes")
    names = ("new", "pending", "active", "left", "erased")
    before = log.alerts.state.value("SELECT count(*) FROM requests")
    answers = {name: as_answered(visitor, form, f"{name}@example.org") for name in names}
    assert len({repr(answer) for answer in answers.values()}) == 1
    assert answers["new"][0] == 303
    # All of the work is one row each.
    assert log.alerts.state.value("SELECT count(*) FROM requests") == before + len(names)


def test_an_erased_address_is_sent_nothing(visitor: Visitor, log: Log) -> None:
    visitor.is_subscribed()
    log.publishes(new())
    visitor.works_off()
    visitor.send(visitor.link("manage"), "erase", sure="yes")
    sent = len(visitor.smtp.messages)
    visitor.subscribes()
    visitor.send("/manage", email="reader@example.org")
    visitor.works_off()
    assert len(visitor.smtp.messages) == sent
    assert "reader@example.org" not in "\n".join(dump(log))


@pytest.mark.parametrize("reply", ["550 5.1.1 no such user", "550 not here"])
def test_an_address_that_was_typed_wrongly_is_not_the_operators_concern(log: Log, smtp: FakeSmtp, reply: str) -> None:
    smtp.refuses(reply, to="typo@example.org")
    visitor = Visitor(log, settings(log, smtp, operator=OperatorSettings(email="operator@example.org")), smtp)
    visitor.subscribes("typo@example.org")
    assert tell(visitor.settings, log.now) is False
    assert smtp.messages == []
    assert [d.state for d in log.alerts.reports.deliveries()] == ["dead"]


def test_what_was_asked_for_is_forgotten_once_it_is_worked_off(visitor: Visitor, log: Log) -> None:
    visitor.subscribes()
    visitor.works_off()
    assert log.alerts.state.value("SELECT count(*) FROM requests") == 0


def test_what_nobody_worked_off_for_days_is_not_sent_any_more(visitor: Visitor, log: Log) -> None:
    visitor.subscribes()
    visitor.later(3 * DAY)
    visitor.works_off()
    assert visitor.smtp.messages == []
    assert log.alerts.state.value("SELECT count(*) FROM requests") == 0


def test_who_never_confirms_is_forgotten(visitor: Visitor, log: Log) -> None:
    visitor.subscribes("stranger@example.org")
    visitor.works_off()
    visitor.later(5 * DAY)
    visitor.works_off()
    assert "stranger@example.org" not in "\n".join(dump(log))
    visitor.subscribes("stranger@example.org")
    visitor.works_off()
    assert len(visitor.smtp.messages) == 2


# --- links ------------------------------------------------------------------------------------------------------


def test_a_link_to_confirm_that_is_over_says_how_to_get_a_new_one(visitor: Visitor, log: Log) -> None:
    visitor.subscribes()
    visitor.works_off()
    confirm = visitor.link("confirm")
    visitor.later(timedelta(hours=72))
    for page in (visitor.open(confirm), visitor.open(confirm, "POST")):
        assert page.status == 410
        assert "This link is no longer good" in page.text
        assert "/subscribe" in page.links("main a")
    assert list(log.alerts.watches.records()) == []


@pytest.mark.parametrize("path", ["/confirm/x", "/manage/x", "/manage/your-link", "/unsubscribe/x.y", "/manage/x/1"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_that_was_cut_short_opens_nothing(visitor: Visitor, path: str, method: str) -> None:
    assert visitor.open(path, method).status == 404


def test_the_mail_that_asks_to_confirm_says_nothing_that_the_visitor_wrote(visitor: Visitor) -> None:
    visitor.subscribes("plain@example.org", where="some", states="TX")
    visitor.subscribes("other@example.org", cadence="weekly", time_zone="Pacific/Guam")
    visitor.works_off()
    one, two = (
        [part.get_content().replace(links(mail)["confirm"], "") for part in mail.message.iter_parts()]
        for mail in visitor.smtp.messages
    )
    assert one == two


def test_the_limit_of_mails_an_address_is_sent_holds_whoever_asks(visitor: Visitor) -> None:
    for _ in range(5):
        visitor.subscribes()
        visitor.works_off()
    assert len(visitor.smtp.messages) == FormSettings().mails_per_address
    visitor.later(DAY)
    visitor.subscribes()
    visitor.works_off()
    assert len(visitor.smtp.messages) == FormSettings().mails_per_address + 1


def test_a_link_of_an_operators_watch_can_be_confirmed_on_the_page(visitor: Visitor, log: Log) -> None:
    from alerts.keys import new_token, open_keys

    add_watch(log.alerts, "TX", email="vouched@example.org")
    with log.alerts.write():
        asked = log.alerts.subscribers.ensure(ChannelName.EMAIL, "asked@example.org", confirmed_by=None, at=log.now)
        token = new_token()
        log.alerts.set_token(asked, open_keys(visitor.settings).of_token(token), log.now + DAY)
    assert visitor.send(f"/confirm/{token}").status == 200
    found = log.alerts.subscribers.find(ChannelName.EMAIL, "asked@example.org")
    assert found
    assert found.confirmed_at == log.now
    assert visitor.open(f"/confirm/{token}").status == 404


def test_the_links_in_a_mail_are_its_own_whatever_a_workbook_says(visitor: Visitor, log: Log) -> None:
    visitor.is_subscribed()
    log.publishes(new(cells("A unsubscribe/your-link Police Department", state="manage/your-link")))
    visitor.works_off()
    raw = visitor.mail().raw
    assert max(map(len, raw.splitlines())) <= 998  # RFC 5322, 2.1.1
    assert "A unsubscribe/your-link Police Department" in visitor.mail().message["Subject"]
    assert visitor.open(visitor.link("manage")).status == 200


# --- how the pages look -----------------------------------------------------------------------------------------


def test_the_pages_of_a_subscription_are_as_they_were_read_last(visitor: Visitor, log: Log, golden: Golden) -> None:
    add_watch(log.alerts, "TX", "GA", schedule=Schedule(420, 0))
    add_watch(log.alerts, counties=frozenset({("TX", "larkmere")}), at=log.now)
    visitor.send("/manage", email="reader@example.org")
    visitor.subscribes("new@example.org", where="some", states=["TX"])
    visitor.works_off()
    manage, confirm = (links(mail) for mail in visitor.smtp.messages)
    first = next(log.alerts.watches.records()).watch.number
    pages = {
        "subscribe": visitor.open("/subscribe"),
        "subscribe-faults": visitor.subscribes("reader", where="some", kinds=[]),
        "subscribe-sent": visitor.open("/subscribe/sent"),
        "confirm": visitor.open(confirm["confirm"]),
        "confirmed": visitor.open(confirm["confirm"], "POST"),
        "manage": visitor.open(manage["manage"]),
        "manage-watch": visitor.open(f"{manage['manage']}/{first}"),
        "manage-link": visitor.open("/manage"),
        "manage-link-sent": visitor.open("/manage/sent"),
        "unsubscribe": visitor.open(manage["unsubscribe"]),
        "unsubscribed": visitor.open(manage["unsubscribe"], "POST"),
        "link-over": visitor.open("/confirm/x"),
    }
    for name, page in pages.items():
        html = re.sub(r"v=[0-9a-f]{12}", "v=…", page.html)
        html = re.sub(r'(name="csrf_token" value=")[^"]+', r"\1…", html)
        golden(f"web/{name}.html", re.sub(r"(/manage/)[\w.-]{40,}", r"\1…", html))
