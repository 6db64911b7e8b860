"""What is counted over time is what stood on the lists then, each agreement once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from monitor.model import ListName, SupportType
from monitor.storage.log import open_reader
from monitor.storage.statistics import (
    ListedSpan,
    Location,
    accepted_publications,
    listed_counts,
    listed_spans,
    locations,
)
from monitor.storage.writer import open_store
from tests.web.builders import PENDING, Log, applied, at, gone, new, returned, row

FIRST, SECOND, THIRD = at("2025-03-03 14:00"), at("2025-04-03 14:00"), at("2025-05-03 14:00")


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """An empty log."""
    return Log(tmp_path / "state.db")


def told(log: Log) -> None:
    log.begins(FIRST, row(), row("Another Agency", state="OHIO", county="Knox County"))
    log.publishes(SECOND, gone(1), new(row("A Third", support_type="Jail Enforcement Model")))
    log.publishes(THIRD, returned(1, row()))


def test_each_publication_is_counted_by_state_and_support_type(log: Log) -> None:
    told(log)
    with open_reader(log.path) as reader:
        first, second, third = accepted_publications(reader)
        assert [p.observed_at for p in (first, second, third)] == [FIRST, SECOND, THIRD]
        counts = listed_counts(reader, [first.number, second.number, third.number])
    ga, oh, jail = ("GA", SupportType.TASK_FORCE), ("OH", SupportType.TASK_FORCE), ("GA", SupportType.JAIL)
    assert counts == {
        first.number: {ga: 1, oh: 1},
        second.number: {oh: 1, jail: 1},
        third.number: {ga: 1, oh: 1, jail: 1},
    }


def test_the_counts_of_a_past_moment_are_those_of_its_agreements(log: Log) -> None:
    told(log)
    with open_reader(log.path) as reader:
        for publication in accepted_publications(reader):
            then = Counter(
                a.state for a in reader.agreements.all(as_of=publication.observed_at) if publication.list in a.listed
            )
            (counts,) = listed_counts(reader, [publication.number]).values()
            now: Counter[str | None] = Counter()
            for (code, _), n in counts.items():
                now[code] += n
            assert now == then


@pytest.mark.slow
def test_many_publications_are_counted_as_few_are(log: Log) -> None:
    log.begins(FIRST, row())
    for n in range(120):
        log.publishes(at(f"2025-04-{n // 24 + 1:02} {n % 24:02}:00"), new(row(f"Agency {n}")))
    with open_reader(log.path) as reader:
        numbers = [p.number for p in accepted_publications(reader)]
        assert listed_counts(reader, numbers) == {
            n: counts for few in numbers for n, counts in listed_counts(reader, [few]).items()
        }


def test_two_that_proved_to_be_one_are_counted_once(log: Log) -> None:
    log.begins(FIRST, row(), row("Quillmarsh County Sherif"))
    with open_reader(log.path) as reader:
        (publication,) = accepted_publications(reader)
        assert sum(listed_counts(reader, [publication.number])[publication.number].values()) == 2
        with open_store(log.path) as store, store.write():
            store.merge(2, 1)
        assert sum(listed_counts(reader, [publication.number])[publication.number].values()) == 1
        assert sum(locations(reader, publication.number).values()) == 1


def test_places_are_in_the_words_of_the_rows(log: Log) -> None:
    told(log)
    with open_reader(log.path) as reader:
        first, *_ = accepted_publications(reader)
        assert locations(reader, first.number) == {
            Location("GEORGIA", "Quillmarsh County", "Quillmarsh County Sheriff's Office", "County"): 1,
            Location("OHIO", "Knox County", "Another Agency", "County"): 1,
        }


def test_a_span_ends_with_the_publication_that_no_longer_shows_it(log: Log) -> None:
    told(log)
    with open_reader(log.path) as reader:
        (agreement,) = (a.id for a in reader.agreements.all() if a.agency.startswith("Quillmarsh"))
        assert listed_spans(reader, agreement, accepted_publications(reader)) == (
            ListedSpan(ListName.PARTICIPATING, FIRST, SECOND),
            ListedSpan(ListName.PARTICIPATING, THIRD, None),
        )


def test_the_other_list_ends_no_span(log: Log) -> None:
    log.begins(FIRST, row())
    log.publishes(SECOND, applied(row("An Applicant")), list_=PENDING)
    with open_reader(log.path) as reader:
        found = {a.agency: listed_spans(reader, a.id, accepted_publications(reader)) for a in reader.agreements.all()}
    assert list(found.values()) == [
        (ListedSpan(ListName.PARTICIPATING, FIRST, None),),
        (ListedSpan(ListName.PENDING, SECOND, None),),
    ]


def test_an_agreement_known_under_two_ids_has_the_spans_of_both(log: Log) -> None:
    log.begins(FIRST, row())
    log.publishes(SECOND, gone(1), new(row("Quillmarsh County Sherif")))
    with open_store(log.path) as store, store.write():
        store.merge(2, 1)
    with open_reader(log.path) as reader:
        (agreement,) = (a.id for a in reader.agreements.all())
        assert listed_spans(reader, agreement, accepted_publications(reader)) == (
            ListedSpan(ListName.PARTICIPATING, FIRST, None),
        )
