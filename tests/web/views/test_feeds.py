"""The feeds: what a reader of them is told, once each, and what comes again because it was corrected."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import feedparser
import pytest
from lxml import etree

from monitor.model import Entry
from monitor.settings import Settings
from tests.web.builders import (
    PENDING,
    Browser,
    Log,
    Page,
    approved,
    at,
    changed,
    confirmed,
    dropped,
    gone,
    new,
    retracted,
    returned,
    row,
)
from tests.web.builders import withdrawn as withdraw
from tests.web.followers import Seen, atom, back_to_the_beginning, json_feed
from tests.web.test_safety import ATTACKS, infested, what_acts
from web.app import create_app

ReadAt = Callable[[datetime], Browser]
BASELINE, NOW = at("2025-08-01 14:00"), at("2025-12-01 12:00")


def departure(log: Log) -> Entry:
    """A log in which one agreement has left."""
    log.begins(BASELINE, row(), row("Tallow Creek Police Department", state="TEXAS", county=""))
    (left,) = log.publishes(at("2025-08-05 14:00"), gone(1))
    return left


def only(found: list[Seen]) -> Seen:
    (one,) = found
    return one


def test_an_item_says_what_changed_where_since_when_and_how_we_know(log: Log, read_at: ReadAt) -> None:
    departure(log)
    item = only(atom(read_at(NOW), "/feed.atom")[0])
    assert item.title == (
        "No longer listed by ICE (not confirmed yet): Quillmarsh County Sheriff's Office, Georgia (Task Force Model)"
    )
    assert "No longer listed by ICE as of" in item.html
    assert "Aug. 5, 2025" in item.html
    assert "Not confirmed yet: it counts as confirmed once the list has lacked it for 48 hours" in item.html
    assert "How we know: the row was in the workbook before, and no row of participating-202508051400.xlsx" in item.html
    assert item.link.startswith("http://127.0.0.1:8287/changes/c-")


@pytest.mark.parametrize(
    ("note", "title", "says"),
    [
        (confirmed, "No longer listed by ICE (confirmed): ", "still not listed"),
        (withdraw, "Withdrawn: No longer listed by ICE: ", "it is listed again"),
        (retracted, "Retracted: No longer listed by ICE: ", "this entry was wrong"),
    ],
)
def test_a_note_brings_the_same_item_again_with_a_later_time(
    log: Log, read_at: ReadAt, note: Callable[..., object], title: str, says: str
) -> None:
    left = departure(log)
    before = only(atom(read_at(NOW), "/feed.atom")[0])
    log.publishes(at("2025-08-08 14:00"), note(1, left))  # type: ignore[arg-type]
    after = only(atom(read_at(NOW), "/feed.atom")[0])
    assert after.id == before.id
    assert after.updated > before.updated == "2025-08-05T14:00:00+00:00"
    assert after.title.startswith(title)
    assert says in after.html


def test_a_note_that_was_itself_wrong_is_no_more_in_the_title(log: Log, read_at: ReadAt) -> None:
    left = departure(log)
    (note,) = log.publishes(at("2025-08-08 14:00"), confirmed(1, left))
    log.publishes(at("2025-08-09 14:00"), retracted(1, note))
    item = only(atom(read_at(NOW), "/feed.atom")[0])
    assert item.title.startswith("No longer listed by ICE (not confirmed yet): ")
    assert "the note before this one was wrong" in item.html
    assert item.updated == "2025-08-09T14:00:00+00:00"


def test_a_correction_moves_an_old_item_to_the_front(log: Log, read_at: ReadAt) -> None:
    left = departure(log)
    log.publishes(at("2025-08-06 14:00"), changed(2, row("Tallow Creek Police", state="TEXAS", signed="2025-08-01")))
    log.publishes(at("2025-08-06 20:00"), withdraw(1, left), returned(1, row()))
    assert [item.title.partition(":")[0] for item in atom(read_at(NOW), "/feed.atom")[0]] == [
        "Listed again",
        "Withdrawn",
        "Changed",
    ]


def test_both_forms_say_the_same(log: Log, read_at: ReadAt) -> None:
    left = departure(log)
    log.publishes(at("2025-08-06 14:00"), confirmed(1, left), new(row("Another", state="TEXAS")))
    assert json_feed(read_at(NOW), "/feed.json")[0] == atom(read_at(NOW), "/feed.atom")[0]


def test_a_state_has_the_changes_that_concern_it(log: Log, read_at: ReadAt) -> None:
    departure(log)
    log.publishes(at("2025-08-06 14:00"), changed(2, row("Tallow Creek Police Department", state="OKLAHOMA")))
    log.publishes(at("2025-08-07 14:00"), new(row("Nowhere", state="ZZYZX")))
    told = {name: len(atom(read_at(NOW), f"/states/{name}/feed.atom")[0]) for name in ("ga", "tx", "ok", "unknown")}
    assert told == {"ga": 1, "tx": 1, "ok": 1, "unknown": 1}
    titles = [
        read_at(NOW).get(f"{place}/feed.atom").html.split("title>")[1]
        for place in ("", "/states/tx", "/states/unknown")
    ]
    assert [title.removeprefix("Agreement Monitor").removesuffix("</") for title in titles] == [
        "",
        ": Texas",
        ": State not recognised",
    ]
    assert atom(read_at(NOW), "/states/al/feed.atom")[0] == []


def test_an_agreement_has_its_own(log: Log, read_at: ReadAt) -> None:
    left = departure(log)
    log.publishes(at("2025-08-06 14:00"), new(row("Another", state="TEXAS")))
    address = f"/agreements/{left.agreement}/feed"
    assert only(atom(read_at(NOW), f"{address}.atom")[0]).link.endswith(left.id)
    assert only(json_feed(read_at(NOW), f"{address}.json")[0]).link.endswith(left.id)


def test_an_agency_has_the_changes_of_all_its_agreements(log: Log, read_at: ReadAt) -> None:
    left = departure(log)
    log.publishes(at("2025-08-06 14:00"), new(row(support_type="Warrant Service Officer")), new(row("Another")))
    address = f"/agencies/{left.agreement}/feed"
    assert [item.title.partition(":")[0] for item in atom(read_at(NOW), f"{address}.atom")[0]] == [
        "New",
        "No longer listed by ICE (not confirmed yet)",
    ]
    assert json_feed(read_at(NOW), f"{address}.json")[0] == atom(read_at(NOW), f"{address}.atom")[0]
    assert f"{address}.atom" in read_at(NOW).get(f"/agencies/{left.agreement}").links('link[rel="alternate"]')


def test_the_id_of_any_of_its_agreements_leads_to_the_agency(log: Log, read_at: ReadAt) -> None:
    left = departure(log)
    (second,) = log.publishes(at("2025-08-06 14:00"), new(row(support_type="Warrant Service Officer")))
    answer = read_at(NOW).get(f"/agencies/{second.agreement}/feed.json")
    assert (answer.status, answer.headers["Location"]) == (301, f"/agencies/{left.agreement}/feed.json")


@pytest.mark.parametrize(
    "address", ["/states/zz/feed.atom", "/agreements/a-none/feed.atom", "/agencies/a-none/feed.json", "/feed-1.json"]
)
def test_what_there_is_not_is_not_found(log: Log, read_at: ReadAt, address: str) -> None:
    departure(log)
    assert read_at(NOW).get(address).status == 404


def test_a_state_by_its_name_leads_to_its_feed(log: Log, read_at: ReadAt) -> None:
    departure(log)
    answer = read_at(NOW).get("/states/Georgia/feed.atom")
    assert (answer.status, answer.headers["Location"]) == (301, "/states/ga/feed.atom")


def long(log: Log, days: int, a_day: int) -> None:
    """A log with so many new agreements on each of so many days."""
    log.begins(BASELINE, row())
    for day in range(days):
        moment = BASELINE + timedelta(days=day + 1)
        log.publishes(moment, *(new(row(f"Agency {day}-{n}")) for n in range(a_day)))


@pytest.mark.slow
def test_pages_lead_back_to_the_beginning_and_miss_nothing(log: Log, read_at: ReadAt) -> None:
    long(log, days=14, a_day=25)
    pages = list(back_to_the_beginning(read_at(NOW), "/feed.atom"))
    ids = [item.id for page in pages for item in page]
    assert len(ids) == len(set(ids)) == 350
    assert [len(page) for page in pages] == [150, 100, 100]


@pytest.mark.slow
def test_pages_of_json_lead_back_to_the_beginning_too(log: Log, read_at: ReadAt) -> None:
    long(log, days=14, a_day=25)
    found, following = [], "/feed.json"
    while following:
        items, feed = json_feed(read_at(NOW), following)
        found += items
        following = urlsplit(feed.get("next_url", "")).path
    assert len(found) == 350
    assert [item.updated for item in found] == sorted((item.updated for item in found), reverse=True)


def test_a_full_page_keeps_its_items_when_the_log_grows(log: Log, read_at: ReadAt) -> None:
    long(log, days=8, a_day=25)
    before = read_at(NOW).get("/feed-1.atom").html
    log.publishes(at("2025-09-01 14:00"), *(new(row(f"Later {n}")) for n in range(120)))
    after = read_at(NOW).get("/feed-1.atom").html
    assert after.replace('<link href="http://127.0.0.1:8287/feed-2.atom" rel="next-archive"/>', "") == before.replace(
        '<link href="http://127.0.0.1:8287/feed-2.atom" rel="next-archive"/>', ""
    )


def test_an_archived_page_says_so_and_where_the_current_one_is(log: Log, read_at: ReadAt) -> None:
    long(log, days=14, a_day=25)
    _, links = atom(read_at(NOW), "/feed-2.atom")
    assert links == {
        "alternate": "http://127.0.0.1:8287/",
        "self": "http://127.0.0.1:8287/feed-2.atom",
        "prev-archive": "http://127.0.0.1:8287/feed-1.atom",
        "next-archive": "http://127.0.0.1:8287/feed-3.atom",
        "current": "http://127.0.0.1:8287/feed.atom",
    }


@pytest.mark.slow
def test_a_feed_has_all_of_its_last_days_however_much_that_is(log: Log, read_at: ReadAt) -> None:
    """On March 17, 2025 one publication made 401 entries; most readers never ask for an older page."""
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), *(new(row(f"Agency {n}")) for n in range(401)))
    assert len(atom(read_at(NOW), "/feed.atom")[0]) == 401


def test_ids_are_the_same_at_another_address(log: Log) -> None:
    departure(log)
    ids = []
    for base in ("https://one.example", "http://two.example:8080/under"):
        settings = Settings.model_validate({"state": log.path, "web": {"base_url": base}})
        feed = feedparser.parse(create_app(settings, lambda: NOW).test_client().get("/feed.atom").data)
        ids.append((feed.feed.id, feed.entries[0].id))
        assert feed.entries[0].link.startswith(f"{base}/changes/")
    assert ids[0] == ids[1]


def test_a_feed_without_a_change_is_valid_too(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    assert atom(read_at(NOW), "/feed.atom")[0] == []
    assert json_feed(read_at(NOW), "/feed.json")[0] == []


def test_the_pending_list_is_named_where_it_is_meant(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row(), list_=PENDING)
    log.publishes(at("2025-08-05 14:00"), changed(1, row(signed="2025-08-04")), list_=PENDING)
    assert only(atom(read_at(NOW), "/feed.atom")[0]).title.startswith("Changed on the pending list: ")


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_workbook_says_acts_in_no_feed(log: Log, read_at: ReadAt, attack: str) -> None:
    infested(log, attack)
    found = [
        item
        for name in ("/feed", "/states/ga/feed", "/states/unknown/feed")
        for item in (*atom(read_at(NOW), f"{name}.atom")[0], *json_feed(read_at(NOW), f"{name}.json")[0])
    ]
    assert found
    for item in found:
        assert what_acts(Page(200, {}, item.html.replace("http://127.0.0.1:8287/", "/"))) == []


@pytest.mark.slow
def test_all_feeds_of_states_are_in_one_list(log: Log, read_at: ReadAt) -> None:
    departure(log)
    listed = etree.fromstring(read_at(NOW).get("/feeds.opml").html.encode())
    addresses = [str(outline.get("xmlUrl")) for outline in listed.iter("outline")]
    assert "http://127.0.0.1:8287/states/tx/feed.atom" in addresses
    assert len(addresses) == len(set(addresses)) > 50
    assert all(atom(read_at(NOW), urlsplit(address).path) for address in addresses)


@pytest.mark.parametrize(
    ("page", "feed"), [("/", "/feed.atom"), ("/states/ga", "/states/ga/feed.atom"), ("/days/", "/feed.json")]
)
def test_a_page_says_where_its_feed_is(log: Log, read_at: ReadAt, page: str, feed: str) -> None:
    departure(log)
    assert feed in read_at(NOW).get(page).links('link[rel="alternate"]')


def test_an_agreement_says_where_its_feed_is(log: Log, read_at: ReadAt) -> None:
    left = departure(log)
    links = read_at(NOW).get(f"/agreements/{left.agreement}").links('link[rel="alternate"]')
    assert f"/agreements/{left.agreement}/feed.json" in links


def test_json_is_sent_as_it_is_written(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), new(row("Peña Blanca Police Department")))
    assert "Peña" in read_at(NOW).get("/feed.json").html
    assert json.loads(read_at(NOW).get("/feed.json").html)["items"][0]["tags"] == ["GA", "new", "substantive"]


def test_an_approval_is_no_correction(log: Log, read_at: ReadAt) -> None:
    log.begins(at("2025-08-01 14:00"), row())
    log.begins(at("2025-08-01 14:00"), row("Applying Agency"), list_=PENDING)
    (left,) = log.publishes(at("2025-08-05 14:00"), dropped(2), list_=PENDING)
    log.publishes(at("2025-08-06 14:00"), approved(2, left), new(row("Applying Agency"), agreement=2))
    arrived, was_dropped = atom(read_at(NOW), "/feed.atom")[0]
    assert arrived.title.startswith("New: ")
    assert was_dropped.title.startswith("Off the pending list (approved): ")
    assert "moved from the pending to the participating list." in was_dropped.html
    assert "Correction" not in was_dropped.html
