"""What subscribers do with the link that only they have."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.model import ChannelName, Departures, Schedule
from demo.smtp import FakeSmtp
from monitor.settings import FormSettings
from tests.alerts.builders import Log, add_watch, cells, new, open_log, terminated
from tests.web.views.signup.test_subscribe import dump, settings
from tests.web.visitor import Visitor

pytestmark = pytest.mark.slow


@pytest.fixture
def smtp() -> Iterator[FakeSmtp]:
    with FakeSmtp() as smtp:
        yield smtp


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = open_log(tmp_path / "state.db")
    with closing(log.alerts):
        yield log


@pytest.fixture
def visitor(log: Log, smtp: FakeSmtp) -> Visitor:
    return Visitor(log, settings(log, smtp), smtp)


def manages(visitor: Visitor, email: str = "reader@example.org") -> str:
    """Ask for the link, and take it from the mail."""
    visitor.send("/manage", email=email)
    visitor.works_off()
    return visitor.link("manage")


def test_whoever_lost_the_link_is_sent_another(visitor: Visitor, log: Log) -> None:
    add_watch(log.alerts, "TX")
    page = visitor.open(manages(visitor))
    assert page.all("section.watch h2") == ["Texas"]
    assert "r…@example.org" in page.text
    assert "reader@example.org" not in page.html


def test_a_watch_is_changed(visitor: Visitor, log: Log) -> None:
    number = add_watch(log.alerts, "TX")
    manage = manages(visitor)
    page = visitor.send(
        f"{manage}/{number}",
        "change",
        where="some",
        states=["GA"],
        kinds=["new"],
        departures="confirmed",
        cadence="daily",
        minute="540",
        time_zone="America/Chicago",
    )
    assert page.headers["Location"] == f"{manage}?done=changed"
    [record] = log.alerts.watches.records()
    assert record.watch.number == number
    assert record.watch.wants.states == frozenset({"GA"})
    assert record.watch.wants.kinds == {"new"}
    assert record.watch.wants.departures is Departures.CONFIRMED
    assert record.watch.schedule == Schedule(540)
    assert record.watch.subscriber.time_zone == "America/Chicago"


def test_sending_a_watch_as_it_is_leaves_it_as_it_is(visitor: Visitor, log: Log) -> None:
    for email, schedule in (("a", None), ("b", Schedule(7 * 60 + 30)), ("c", Schedule(0, 6))):
        add_watch(log.alerts, "TX", "GA", email=f"{email}@example.org", schedule=schedule, time_zone="Asia/Tokyo")
    add_watch(log.alerts, email="d@example.org", counties=frozenset({("TX", "larkmere")}))
    before = list(log.alerts.watches.records())
    for record in before:
        manage = manages(visitor, record.watch.subscriber.address)
        assert visitor.send(f"{manage}/{record.watch.number}", "change").status == 303
    assert list(log.alerts.watches.records()) == before


def test_a_change_from_at_once_to_a_digest_neither_loses_nor_repeats(visitor: Visitor, log: Log) -> None:
    number = add_watch(log.alerts, "TX")
    log.publishes(new(cells("Earlier Police Department")))
    manage = manages(visitor)
    visitor.send(f"{manage}/{number}", "change", cadence="daily", minute="420")
    log.publishes(new(cells("Untold Police Department")))
    visitor.works_off()
    sent = len(visitor.smtp.messages)
    visitor.later(timedelta(days=1))
    visitor.works_off()
    assert len(visitor.smtp.messages) == sent + 1
    said = visitor.mail().raw.decode()
    assert "Untold Police" in said
    assert "Earlier Police" not in said


def test_another_kind_of_digest_goes_on_where_the_last_one_ended(visitor: Visitor, log: Log) -> None:
    number = add_watch(log.alerts, "TX", schedule=Schedule(7 * 60))
    log.publishes(new(cells("Monday Police Department")))
    visitor.later(timedelta(days=1))
    visitor.works_off()
    log.publishes(new(cells("Tuesday Police Department")), new(cells("Georgia Police", "GEORGIA")))
    visitor.send(f"{manages(visitor)}/{number}", "change", cadence="daily", minute="1200")
    visitor.later(timedelta(days=1))
    visitor.works_off()
    said = visitor.mail().raw.decode()
    assert "Tuesday Police" in said
    assert "Monday Police" not in said


def test_a_watch_is_paused_and_gone_on_with(visitor: Visitor, log: Log) -> None:
    number = add_watch(log.alerts, "TX")
    manage = manages(visitor)
    assert visitor.send(manage, "pause").status == 303
    assert visitor.open(manage).one("section.watch h2 .remark") == "paused"
    sent = len(visitor.smtp.messages)
    log.publishes(new(cells("Meanwhile Police Department")))
    visitor.works_off()
    assert len(visitor.smtp.messages) == sent
    visitor.send(manage, "resume")
    log.publishes(terminated())
    visitor.works_off()
    assert "no longer listed" in visitor.mail().message["Subject"]
    assert next(log.alerts.watches.records()).watch.number == number


def test_a_watch_is_removed_and_the_others_stay(visitor: Visitor, log: Log) -> None:
    add_watch(log.alerts, "TX")
    other = add_watch(log.alerts, "GA")
    visitor.send(manages(visitor), "remove")
    assert [record.watch.number for record in log.alerts.watches.records()] == [other]


def test_leaving_ends_all(visitor: Visitor, log: Log) -> None:
    add_watch(log.alerts, "TX")
    add_watch(log.alerts, "GA")
    manage = manages(visitor)
    page = visitor.send(manage, "leave")
    assert "You have no alerts" in visitor.open(page.headers["Location"]).text
    assert list(log.alerts.watches.records()) == []


def test_what_is_kept_can_be_downloaded(visitor: Visitor, log: Log) -> None:
    add_watch(log.alerts, "TX")
    add_watch(log.alerts, "GA", email="other@example.org")
    page = visitor.open(f"{manages(visitor)}/kept.json")
    assert page.headers["Content-Disposition"] == 'attachment; filename="kept.json"'
    kept = json.loads(page.html)
    assert [row["address"] for row in kept["subscribers"]] == ["reader@example.org"]
    assert len(kept["watches"]) == 1


def test_erasing_needs_a_tick_and_then_nothing_is_left(visitor: Visitor, log: Log) -> None:
    add_watch(log.alerts, "TX")
    manage = manages(visitor)
    unsure = visitor.send(manage, "erase")
    assert unsure.status == 422
    assert unsure.links(".faults a") == ["#sure"]
    assert "reader@example.org" in "\n".join(dump(log))
    assert "Everything is erased" in visitor.send(manage, "erase", sure="yes").text
    assert "reader@example.org" not in "\n".join(dump(log))
    assert b"reader@example.org" not in b"".join(
        path.read_bytes() for path in log.alerts.state.path.parent.glob("state.db*")
    )
    assert visitor.open(manage).status == 410


def test_nobody_can_touch_the_watch_of_somebody_else(visitor: Visitor, log: Log) -> None:
    add_watch(log.alerts, "TX")
    other = add_watch(log.alerts, "GA", email="other@example.org")
    manage = manages(visitor)
    mine = visitor.open(manage)
    assert "Georgia" not in mine.text
    assert visitor.open(f"{manage}/{other}").status == 404


def test_a_link_that_is_over_says_how_to_get_a_new_one(visitor: Visitor, log: Log) -> None:
    add_watch(log.alerts, "TX")
    manage = manages(visitor)
    visitor.later(timedelta(days=FormSettings().manage_days))
    page = visitor.open(manage)
    assert page.status == 410
    assert "/manage" in page.links("main a")


def test_the_link_that_stops_alerts_does_not_manage_them(visitor: Visitor, log: Log) -> None:
    add_watch(log.alerts, "TX")
    manages(visitor)
    stop = visitor.link("unsubscribe").removeprefix("/unsubscribe/")
    manage = visitor.link("manage").removeprefix("/manage/")
    assert visitor.open(f"/manage/{stop}").status == 404
    assert visitor.open(f"/manage/{stop}/kept.json").status == 404
    assert visitor.open(f"/unsubscribe/{manage}", "POST").status == 404
    assert len(list(log.alerts.watches.records())) == 1


def test_a_change_that_comes_while_somebody_is_erased_does_not_bring_them_back(visitor: Visitor, log: Log) -> None:
    number = add_watch(log.alerts, "TX")
    manage = manages(visitor)
    changed: list[int] = []
    page = visitor.open(f"{manage}/{number}")
    token = page.html.partition('name="csrf_token" value="')[2].partition('"')[0]
    typed: dict[str, object] = {
        "csrf_token": token,
        "do": "change",
        "where": "all",
        "kinds": "new",
        "departures": "at once",
        "cadence": "instant",
        "minute": "420",
        "weekday": "0",
        "time_zone": "America/Chicago",
    }
    change = threading.Thread(target=lambda: changed.append(visitor.open(f"{manage}/{number}", "POST", typed).status))
    with log.alerts.write():
        change.start()
        change.join(0.5)  # it has read the watch, and waits until it may write
        known = log.alerts.subscribers.find(ChannelName.EMAIL, "reader@example.org")
        assert known
        log.alerts.erase(known.subscriber, log.now, "erased-1")
    change.join()
    assert changed == [404]
    assert log.alerts.subscribers.find(ChannelName.EMAIL, "reader@example.org") is None
