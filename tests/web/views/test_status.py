"""The pages about the log itself: status, and how it is made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from alerts.model import ChannelName
from alerts.storage.store import open_alerts
from monitor.model import Hold, ListName, Outcome, Publication
from monitor.storage.writer import open_store
from tests.web.builders import Browser, Log, at, changed, confirmed, gone, new, returned, row, withdrawn

ReadAt = Callable[[datetime], Browser]
BASELINE = at("2025-08-01 14:00")


def hold(log: Log, moment: datetime, reason: str) -> None:
    """A publication that is not believed."""
    publication = Publication(
        ListName.PARTICIPATING, "f" * 64, "https://www.ice.gov/x.xlsx", "odd.xlsx", moment, None, ()
    )
    with open_store(log.path) as store, store.write():
        number = store.publications.record(publication, "", b"odd")
        store.publications.decide(number, moment, "held", Hold((reason,), structural=False))
        store.checks.record(ListName.PARTICIPATING, moment, Outcome.HELD, publication=number, sha256="f" * 64)


def test_the_status_page_tells_of_the_last_look_at_each_list(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.looks(at("2025-08-01 15:00"), Outcome.FAILED)
    page = read_at(at("2025-08-01 15:10")).get("/status")
    assert page.all("h2")[:2] == ["The participating list", "The pending list"]
    assert "Last check Aug. 1, 2025, 11:00 a.m. ET: it failed" in page.text
    assert "Last successful check Aug. 1, 2025, 10:00 a.m. ET" in page.text
    assert "participating-202508011400.xlsx, first seen Aug. 1, 2025, 10:00 a.m. ET; 0 rows" in page.text
    assert "Not checked yet." in page.text


def test_a_held_publication_is_on_the_status_page_with_its_reasons(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    browser = read_at(at("2025-08-02 14:10"))
    assert "No publication is being held back." in browser.get("/status").text
    hold(log, at("2025-08-02 14:00"), "Too many rows gone: 40 of 300.")
    page = browser.get("/status")
    assert page.all(".short li li") == ["Too many rows gone: 40 of 300."]
    assert "ICE’s newest participating list is being held back" in page.one(".banner")


def test_a_doubtful_pair_waits_for_an_answer_however_long(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    left, came = log.publishes(BASELINE, gone(1), new(row("Fenmoor Police Department")))
    with open_store(log.path) as store, store.write():
        store.reviews.record(left.id, came.id, ["same signed date"])
    page = read_at(BASELINE + timedelta(days=200)).get("/status")
    assert "1 pair of entries may each be about one agreement" in page.text


def test_the_status_page_works_where_nobody_was_ever_to_be_told(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    page = read_at(BASELINE).get("/status")
    assert page.all(".counts td") == ["0", "0", "0", "0"]


def test_a_pause_is_said_and_no_address_is_shown(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    with open_alerts(log.path) as alerts, alerts.write():
        alerts.subscribers.ensure(ChannelName.EMAIL, "reader@example.org", confirmed_by="operator", at=BASELINE)
        alerts.outbox.pause(at("2025-08-01 16:00"))
    page = read_at(at("2025-08-01 16:10")).get("/status")
    assert "Sending is paused since Aug. 1, 2025, 12:00 p.m. ET." in page.text
    assert "example.org" not in page.html


def test_the_figures_of_the_about_page_are_those_of_the_log(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row(), row("Bramblewick Police Departmnt"), row("Fenmoor Police Department"))
    (left,) = log.publishes(at("2025-08-04 14:00"), gone(1))
    log.publishes(
        at("2025-08-05 14:00"),
        withdrawn(1, left),
        returned(1, row()),
        changed(2, row("Bramblewick Police Department")),
        new(row("Ashlar Police Department")),
    )
    (out,) = log.publishes(at("2025-08-06 14:00"), gone(3))
    log.publishes(at("2025-08-08 14:30"), confirmed(3, out))
    page = read_at(at("2025-08-08 15:00")).get("/about")
    assert page.all(".counts td") == ["1", "1", "1", "0", "0", "1", "0", "0"]
    assert "the lists were checked 5 times. 5 publications of the participating list were read." in page.text
    assert "4 agreements and applications are followed." in page.text
    assert "1 time the cell with the state, the agency or the support type of an agreement was rewritten" in page.text
    assert "that happened to 1 departure from the participating list so far" in page.text


def test_the_about_page_of_an_empty_log_claims_nothing(log: Log, read_at: ReadAt) -> None:
    page = read_at(BASELINE).get("/about")
    assert page.status == 200
    assert "No list has been read yet." in page.text
