"""An agency's page: all agreements of it at one address, whatever each was called."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from monitor.storage.agencies import agencies
from monitor.storage.log import open_reader
from tests.web.builders import Browser, Log, at, changed, gone, new, row

ReadAt = Callable[[datetime], Browser]
BASELINE, LATER = at("2025-08-01 14:00"), at("2025-09-01 14:00")
JAIL, TASKS = "Jail Enforcement Model", "Task Force Model"


def ids(log: Log) -> list[str]:
    """The ids of all agreements, oldest first."""
    with open_reader(log.path) as store:
        return [record.id for record in store.agreements.all()]


def agreements_of(log: Log) -> list[tuple[str, ...]]:
    """The agreements of each agency."""
    with open_reader(log.path) as store:
        return [record.agreements for record in agencies(store)]


def test_two_agreements_of_one_name_and_state_are_one_agency(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row(support_type=JAIL), row("QUILLMARSH COUNTY SHERIFFS OFFICE", support_type=TASKS))
    first, second = ids(log)
    page = read_at(LATER).get(f"/agencies/{first}")
    assert page.one("h1") == "Quillmarsh County Sheriff's Office"
    assert page.links("tbody a") == [f"/agreements/{first}", f"/agreements/{second}"]
    assert "2 agreements are listed by ICE now: Jail Enforcement Model, Task Force Model." in page.text


def test_the_same_name_in_another_state_is_another_agency(log: Log) -> None:
    log.begins(BASELINE, row(), row(state="TEXAS"))
    assert agreements_of(log) == [(id,) for id in ids(log)]


def test_rows_without_a_name_or_a_state_are_no_agency_together(log: Log) -> None:
    log.begins(BASELINE, row(""), row("", county="Other County"), row(state="ZZYZX"), row(state="ZZYZX"))
    assert agreements_of(log) == [(id,) for id in ids(log)]


def test_an_agreement_that_was_renamed_joins_both_names(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row("Old Police Department", support_type=JAIL), row("New Police Department"))
    log.publishes(at("2025-08-05 14:00"), changed(1, row("New Police Department", support_type=JAIL)))
    assert agreements_of(log) == [tuple(ids(log))]
    assert "Also listed as: Old Police Department." in read_at(LATER).get(f"/agencies/{ids(log)[0]}").text


def test_the_ids_of_younger_agreements_lead_to_the_oldest(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    log.publishes(at("2025-08-05 14:00"), new(row(support_type=JAIL)))
    first, second = ids(log)
    answer = read_at(LATER).get(f"/agencies/{second}")
    assert (answer.status, answer.headers["Location"]) == (301, f"/agencies/{first}")


def test_the_address_stays_when_the_oldest_agreement_has_left(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row(), row(support_type=JAIL))
    log.publishes(at("2025-08-05 14:00"), gone(1))
    first, second = ids(log)
    page = read_at(LATER).get(f"/agencies/{first}")
    assert page.links("tbody a") == [f"/agreements/{second}", f"/agreements/{first}"]  # what is listed comes first
    assert "No longer listed by ICE as of Aug. 5, 2025, not confirmed yet" in page.text


def test_an_agency_has_the_history_of_all_its_agreements_the_newest_first(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row(), row(support_type=JAIL))
    log.publishes(at("2025-08-05 14:00"), gone(1))
    log.publishes(at("2025-08-09 14:00"), changed(2, row(support_type=JAIL, signed="2025-03-01"), "same document"))
    page = read_at(LATER).get(f"/agencies/{ids(log)[0]}")
    assert page.all(".history .agency") == ["Aug. 9, 2025: Changed", "Aug. 5, 2025: No longer listed by ICE"]
    assert page.all(".history .evidence") == ["How we know: same document."]


def test_agreement_and_change_lead_to_the_agency(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    (entry,) = log.publishes(at("2025-08-05 14:00"), new(row(support_type=JAIL)))
    address = f"/agencies/{ids(log)[0]}"
    browser = read_at(LATER)
    assert address in browser.get(f"/changes/{entry.id}").links("main a")
    assert address in browser.get(f"/agreements/{entry.agreement}").links("main a")


def test_a_new_publication_is_seen_by_a_process_that_has_its_directory_already(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row())
    browser = read_at(LATER)
    assert "1 agreement is listed by ICE now" in browser.get(f"/agencies/{ids(log)[0]}").text
    log.publishes(at("2025-08-05 14:00"), new(row(support_type=JAIL)))
    assert "2 agreements are listed by ICE now" in browser.get(f"/agencies/{ids(log)[0]}").text


def test_the_directory_knows_an_agreement_by_the_names_that_its_watchers_hear_of(log: Log) -> None:
    log.begins(BASELINE, row("Old Police Department"), row("Other Police Department"))
    log.publishes(at("2025-08-05 14:00"), changed(1, row("New Police Department")))
    with open_reader(log.path) as store:
        names = store.agreements.names(ids(log)[0])
        (record, _) = agencies(store)
    assert names
    assert [name for _, name in reversed(names.listed_as)] == [record.name, *record.formerly]


@pytest.mark.parametrize("id_", ["a-nothing", "c-nothing", "x" * 300])
def test_an_agency_that_never_was_is_not_found(log: Log, read_at: ReadAt, id_: str) -> None:
    log.begins(BASELINE, row())
    assert read_at(LATER).get(f"/agencies/{id_}").status == 404
