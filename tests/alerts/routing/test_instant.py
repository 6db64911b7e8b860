"""Who hears of what, and who does not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.model import (
    AGREEMENT_KINDS,
    CORRECTIONS,
    PENDING_KINDS,
    Agency,
    Departures,
    Notice,
    Recipient,
    Schedule,
    Watch,
    Watched,
    WatchedPart,
)
from alerts.routing import instant
from alerts.routing.scope import states_of
from monitor.model import Cells, Entry, Kind, ListName, Relation, Significance, SupportType
from tests.alerts.builders import LARKMERE, NOON, cells, changed, edits, entry, source, subscriber, told, watch, watched

GEORGIA = cells("Quillmarsh County Sheriff's Office", "GEORGIA")
NOWHERE = cells("Nowhere Police Department", "UTOPIA")
EVERY_KIND = frozenset(Kind)


def route(
    entries: Sequence[Entry],
    watches: Sequence[Watch],
    told: Mapping[str, Sequence[Recipient]],
    earlier: Mapping[str, Entry],
    agencies: Mapping[str, Agency] | None = None,
) -> tuple[Notice, ...]:
    return tuple(instant.route(entries, watches, told, earlier, agencies))


def heard(notices: Sequence[Notice]) -> list[tuple[int, str]]:
    """(subscriber, entry) for each line of each notice."""
    return [(n.subscriber.number, line.entry.id) for n in notices for line in n.lines]


def test_a_watch_hears_of_its_state_and_of_no_other() -> None:
    texan, georgian = entry(), entry(cells_=GEORGIA)
    assert heard(route([texan, georgian], [watch("TX")], {}, {})) == [(1, texan.id)]


def test_a_watch_of_all_states_hears_of_everything() -> None:
    entries = [entry(), entry(cells_=GEORGIA), entry(cells_=NOWHERE)]
    assert heard(route(entries, [watch()], {}, {})) == [(1, e.id) for e in entries]


def test_an_unknown_state_reaches_nobody_who_watches_some_states() -> None:
    assert route([entry(cells_=NOWHERE)], [watch("TX", "GA")], {}, {}) == ()


def test_a_misspelt_state_reaches_its_watchers() -> None:
    misspelt = entry(cells_=cells(state="UTAHJ"))
    assert heard(route([misspelt], [watch("UT")], {}, {})) == [(1, misspelt.id)]


def test_an_agreement_that_moves_reaches_the_watchers_of_both_states() -> None:
    moved = changed(cells(state="MASSACHUSETTS"), cells(state="MINNESOTA"))
    watches = [watch("MA", number=1), watch("MN", number=2), watch("TX", number=3)]
    assert heard(route([moved], watches, {}, {})) == [(1, moved.id), (2, moved.id)]


def test_an_agreement_whose_state_becomes_unreadable_reaches_those_who_watched_it() -> None:
    lost = changed(cells(state="TEXAS"), cells(state="UTOPIA"))
    assert states_of(lost) == {"TX"}


def test_old_news_is_told_to_nobody() -> None:
    assert route([entry(announce=False)], [watch()], {}, {}) == ()


def test_a_watch_hears_only_of_what_follows_its_start() -> None:
    first, second = entry(), entry()
    late = watch("TX", starts_after=first.seq)
    assert heard(route([first, second], [late], {}, {})) == [(1, second.id)]


def test_a_paused_watch_hears_no_news() -> None:
    assert route([entry()], [watch("TX", paused=True)], {}, {}) == ()


@pytest.mark.parametrize(
    ("least", "reached"),
    [
        (Significance.SUBSTANTIVE, {"signed"}),
        (Significance.DOCUMENT, {"signed", "moa"}),
        (Significance.CLERICAL, {"signed", "moa", "agency"}),
    ],
)
def test_a_watch_hears_of_changes_from_its_significance_on(least: Significance, reached: set[str]) -> None:
    entries = [
        changed(LARKMERE, cells(signed="2025-09-28")),
        changed(LARKMERE, cells(moa_address="https://example.org/other.pdf")),
        changed(LARKMERE, cells("Larkmere PD")),
    ]
    [notice] = route(entries, [watch("TX", significance=least)], {}, {})
    assert {line.entry.fields[0].name for line in notice.lines} == reached


PLAIN = watch("TX")
APPLICATIONS = watch("TX", number=2, kinds=PENDING_KINDS)
BOTH = watch("TX", number=3, kinds=AGREEMENT_KINDS | PENDING_KINDS)


@pytest.mark.parametrize("kind", [Kind.APPLIED, Kind.APPROVED])
def test_applications_are_told_to_those_who_asked_for_them(kind: Kind) -> None:
    told_of = entry(kind)
    assert heard(route([told_of], [PLAIN, APPLICATIONS, BOTH], {}, {})) == [(2, told_of.id), (3, told_of.id)]


def approval() -> tuple[Entry, Entry, Entry]:
    """An application leaves the pending list, and is an agreement in another publication."""
    drop = entry(Kind.DROPPED, publication=source("pending"))
    return drop, entry(Kind.APPROVED, about=drop.id), entry(Kind.NEW, pending_since=drop.observed_at)


def test_an_application_that_leaves_the_list_is_told_to_nobody_before_it_is_confirmed() -> None:
    assert route([entry(Kind.DROPPED)], [PLAIN, APPLICATIONS, BOTH], {}, {}) == ()


@pytest.mark.parametrize("departures", Departures)
def test_an_application_that_is_confirmed_off_the_list_is_told_once_to_those_who_want_applications(
    departures: Departures,
) -> None:
    drop = entry(Kind.DROPPED, status="confirmed", publication=source("one"))
    note = entry(Kind.CONFIRMED, about=drop.id, publication=source("two"))
    who = watch("TX", kinds=PENDING_KINDS, departures=departures)
    for entries in ([note], [drop, note]):
        [notice] = route(entries, [PLAIN, who], {}, {drop.id: drop})
        assert [line.entry for line in notice.lines] == [drop]
        assert notice.publication == drop.publication


def test_who_was_told_at_once_that_an_application_left_is_not_told_again_when_it_is_confirmed() -> None:
    drop = entry(Kind.DROPPED, status="confirmed", publication=source("one"))
    note = entry(Kind.CONFIRMED, about=drop.id, publication=source("two"))
    assert route([note], [APPLICATIONS], {drop.id: told(APPLICATIONS)}, {drop.id: drop}) == ()


def test_an_instant_watch_hears_nothing_of_an_application_that_leaves_the_list_and_is_approved_within_the_day() -> None:
    drop, note, new = approval()
    assert route([drop], [APPLICATIONS, BOTH], {}, {}) == ()
    notices = route([note, new], [APPLICATIONS, BOTH], {}, {drop.id: replace(drop, status="approved")})
    assert heard(notices) == [(2, note.id), (3, new.id)]


def test_a_departure_from_the_pending_list_that_was_approved_is_no_news_even_if_it_was_confirmed() -> None:
    drop, note, new = approval()
    drop = replace(drop, status="approved")
    confirmed = entry(Kind.CONFIRMED, about=drop.id, publication=source("between"))
    notices = route([drop, confirmed, note, new], [APPLICATIONS, BOTH], {}, {drop.id: drop})
    assert heard(notices) == [(2, note.id), (3, new.id)]


def test_an_approval_is_told_in_the_new_agreement_to_those_who_hear_of_it() -> None:
    _, note, new = approval()
    notices = route([note, new], [PLAIN, APPLICATIONS, BOTH], {}, {})
    assert heard(notices) == [(1, new.id), (2, note.id), (3, new.id)]


def test_the_approval_of_an_application_that_no_entry_told_of_reaches_those_who_want_applications() -> None:
    # On the first pending list everything was listed before, so nothing is there for a note to be about.
    news = entry(Kind.NEW, pending_since=NOON, pending_before=True)
    assert heard(route([news, entry(Kind.NEW)], [APPLICATIONS], {}, {})) == [(2, news.id)]


@pytest.mark.parametrize("about", [Kind.APPLIED, Kind.DROPPED])
def test_nobody_is_told_an_approval_as_a_correction(about: Kind) -> None:
    before = entry(about, publication=source("pending"))
    note = entry(Kind.APPROVED, about=before.id)
    everybody = [PLAIN, APPLICATIONS, BOTH, watch("TX", number=4, kinds=PENDING_KINDS, paused=True)]
    notices = route([note], everybody, {before.id: told(*everybody)}, {before.id: before})
    assert heard(notices) == [(2, note.id), (3, note.id)]
    assert [(n.replies_to, line.corrects) for n in notices for line in n.lines] == [(None, None)] * 2
    assert Kind.APPROVED not in CORRECTIONS


def test_who_heard_of_a_confirmed_departure_from_the_pending_list_hears_that_it_was_approved() -> None:
    drop, note, _ = approval()
    assert heard(route([note], [APPLICATIONS], {drop.id: told(APPLICATIONS)}, {drop.id: drop})) == [(2, note.id)]


def switch() -> tuple[Entry, Entry]:
    """One agency leaves the list with one support type, and comes with another in the same publication."""
    came = cells(support_type="Warrant Service Officer")
    return (
        entry(Kind.TERMINATED, relation=Relation.SWITCHED),
        entry(Kind.NEW, came, relation=Relation.SWITCHED, agreement="a-other"),
    )


@pytest.mark.parametrize("kind", [Kind.NEW, Kind.TERMINATED])
@pytest.mark.parametrize("departures", Departures)
def test_who_wants_one_half_of_a_switch_gets_both_in_one_message(kind: Kind, departures: Departures) -> None:
    left, came = switch()
    if kind is Kind.TERMINATED and departures is Departures.CONFIRMED:
        assert route([left, came], [watch(kinds=frozenset({kind}), departures=departures)], {}, {}) == ()
        return
    [notice] = route([left, came], [watch(kinds=frozenset({kind}), departures=departures)], {}, {})
    assert {line.entry.id for line in notice.lines} == {left.id, came.id}


def test_who_was_told_of_a_switch_is_not_told_again_when_its_departure_is_confirmed() -> None:
    left, _ = switch()
    note = entry(Kind.CONFIRMED, about=left.id, publication=source("later"))
    waits = watch(departures=Departures.CONFIRMED)
    assert route([note], [waits], {left.id: told(waits)}, {left.id: left}) == ()


def test_who_wanted_only_the_new_half_of_a_switch_is_corrected_when_the_old_half_comes_back() -> None:
    left, came = switch()
    who = watch(kinds=frozenset({Kind.NEW}))
    [notice] = route([left, came], [who], {}, {})
    assert left.id in {line.entry.id for line in notice.lines}
    note = entry(Kind.WITHDRAWN, about=left.id, publication=source("later"))
    assert heard(route([note], [who], {left.id: told(who)}, {left.id: left})) == [(1, note.id)]


def test_a_half_of_a_switch_that_was_taken_back_before_anybody_heard_of_it_is_left_out() -> None:
    left, came = switch()
    assert heard(route([replace(left, status="withdrawn"), came], [watch()], {}, {})) == [(1, came.id)]


@pytest.mark.parametrize("kind", [Kind.CHANGED, Kind.RETURNED])
def test_what_happens_on_the_pending_list_is_told_to_those_who_asked_for_applications(kind: Kind) -> None:
    application = entry(kind, list=ListName.PENDING)
    plain, asking = watch("TX"), watch("TX", number=2, kinds=AGREEMENT_KINDS | PENDING_KINDS)
    assert heard(route([application], [plain, asking], {}, {})) == [(2, application.id)]


def test_two_that_proved_to_be_one_are_told_once_to_whoever_was_told_of_either() -> None:
    left, came = entry(Kind.TERMINATED), entry(Kind.NEW)
    withdrawn, merged = (entry(k, about=e.id) for k, e in ((Kind.WITHDRAWN, left), (Kind.MERGED, came)))
    both, only_left, only_came = (watch("TX", number=n, who=subscriber(n)) for n in (1, 2, 3))
    told_of = {left.id: told(both, only_left), came.id: told(both, only_came)}
    notices = route([withdrawn, merged], [both, only_left, only_came], told_of, {left.id: left, came.id: came})
    assert {n.subscriber.number: [line.entry.kind for line in n.lines] for n in notices} == {
        1: [Kind.WITHDRAWN],
        2: [Kind.WITHDRAWN],
        3: [Kind.MERGED],
    }


def test_two_that_proved_to_be_one_third_are_both_corrected() -> None:
    first, second = entry(Kind.NEW), entry(Kind.NEW)
    notes = [entry(Kind.MERGED, about=e.id) for e in (first, second)]
    who = watch("TX")
    told_of = {first.id: told(who), second.id: told(who)}
    [notice] = route(notes, [who], told_of, {first.id: first, second.id: second})
    assert [line.entry.about for line in notice.lines] == [first.id, second.id]


def test_that_a_departure_is_confirmed_is_told_to_nobody() -> None:
    departure = entry(Kind.TERMINATED)
    note = entry(Kind.CONFIRMED, about=departure.id)
    who = watch("TX", kinds=EVERY_KIND)
    assert route([note], [who], {departure.id: told(who)}, {departure.id: departure}) == ()


def test_an_unconfirmed_departure_is_told_at_once() -> None:
    departure = entry(Kind.TERMINATED)
    assert heard(route([departure], [watch("TX")], {}, {})) == [(1, departure.id)]


def test_a_withdrawn_departure_is_corrected_for_those_who_were_told_and_nobody_else() -> None:
    departure = entry(Kind.TERMINATED)
    note, back = entry(Kind.WITHDRAWN, about=departure.id), entry(Kind.RETURNED, before=LARKMERE)
    was_told, was_not = watch("TX", number=1), watch("TX", number=2)
    notices = route([note, back], [was_told, was_not], {departure.id: told(was_told)}, {departure.id: departure})
    assert heard(notices) == [(1, note.id)]
    assert notices[0].lines[0].corrects == departure


def test_a_return_to_another_state_is_news_to_the_watchers_of_both() -> None:
    departure = entry(Kind.TERMINATED)
    note = entry(Kind.WITHDRAWN, about=departure.id)
    moved = cells(LARKMERE.agency, "GEORGIA")
    back = entry(Kind.RETURNED, moved, before=LARKMERE, fields=edits(LARKMERE, moved), state="GA")
    was_told, there = watch("TX", number=1), watch("GA", number=2)
    notices = route([note, back], [was_told, there], {departure.id: told(was_told)}, {departure.id: departure})
    # "That no longer holds" alone would leave those who were told believing that it is back in Texas.
    assert heard(notices) == [(1, note.id), (1, back.id), (2, back.id)]


def test_a_correction_reaches_a_paused_watch_too() -> None:
    departure = entry(Kind.TERMINATED)
    note = entry(Kind.WITHDRAWN, about=departure.id)
    paused = watch("TX", paused=True)
    assert heard(route([note], [paused], {departure.id: told(paused)}, {departure.id: departure})) == [(1, note.id)]


def test_a_return_after_a_confirmed_departure_is_news() -> None:
    back = entry(Kind.RETURNED, before=LARKMERE)
    assert heard(route([back], [watch("TX")], {}, {})) == [(1, back.id)]


def test_a_departure_and_its_return_that_nobody_heard_of_yet_are_left_out() -> None:
    departure = entry(Kind.TERMINATED, status="withdrawn", publication=source("one"))
    note = entry(Kind.WITHDRAWN, about=departure.id, publication=source("two"))
    back = entry(Kind.RETURNED, before=LARKMERE, publication=source("two"))
    assert route([departure, note, back], [watch("TX")], {}, {departure.id: departure}) == ()


def test_an_agreement_is_news_although_the_drop_of_its_application_is_withdrawn() -> None:
    drop = entry(Kind.DROPPED)
    note, news = entry(Kind.WITHDRAWN, about=drop.id), entry(Kind.NEW)
    was_told, was_not = watch("TX", number=1), watch("TX", number=2)
    notices = route([note, news], [was_told, was_not], {drop.id: told(was_told)}, {drop.id: drop})
    assert heard(notices) == [(1, note.id), (1, news.id), (2, news.id)]


def test_a_retraction_reaches_those_who_were_told() -> None:
    wrong = entry(Kind.NEW, status="retracted")
    note = entry(Kind.RETRACTED, about=wrong.id)
    was_told, was_not = watch("TX", number=1), watch("TX", number=2)
    assert heard(route([note], [was_told, was_not], {wrong.id: told(was_told)}, {wrong.id: wrong})) == [(1, note.id)]


def test_three_hundred_changes_of_one_publication_are_one_notice() -> None:
    entries = [entry() for _ in range(300)]
    [notice] = route(entries, [watch("TX")], {}, {})
    assert [line.entry for line in notice.lines] == entries


def test_two_publications_are_two_notices() -> None:
    entries = [entry(publication=source("one")), entry(publication=source("two"))]
    assert [n.publication.file for n in route(entries, [watch("TX")], {}, {})] == ["one", "two"]


def test_a_change_that_two_watches_want_is_told_once_for_both() -> None:
    who = subscriber()
    watches = [watch("TX", number=1, who=who), watch(number=2, who=who)]
    [notice] = route([entry()], watches, {}, {})
    [line] = notice.lines
    assert line.watches == (1, 2)
    assert notice.watched == watched()


def test_a_notice_names_the_states_of_the_watches_behind_it() -> None:
    who = subscriber()
    watches = [watch("TX", "GA", number=1, who=who), watch("FL", number=2, who=who)]
    [notice] = route([entry()], watches, {}, {})
    assert notice.watched == watched("TX", "GA")


def test_the_most_curious_watch_decides_which_fields_are_told() -> None:
    who = subscriber()
    both = changed(LARKMERE, cells("Larkmere PD", signed="2025-09-28"))
    watches = [watch("TX", number=1, who=who), watch("TX", number=2, who=who, significance=Significance.CLERICAL)]
    [notice] = route([both], watches, {}, {})
    assert notice.lines[0].least is Significance.CLERICAL


# --- narrower than states --------------------------------------------------------------------------------------


def test_a_watch_of_a_county_hears_of_it_and_of_no_other_in_the_state() -> None:
    here, there = entry(), entry(cells_=cells("Tidewrack Police Department", county="Tidewrack County"))
    who = watch("TX", counties=frozenset({("TX", "larkmere")}))
    assert heard(route([here, there], [who], {}, {})) == [(1, here.id)]


def test_a_county_of_the_same_name_in_another_state_is_another() -> None:
    elsewhere = entry(cells_=cells(state="OHIO"))
    assert route([elsewhere], [watch(counties=frozenset({("TX", "larkmere")}))], {}, {}) == ()


LARKMERE_POLICE = Agency(
    "Larkmere Police Department",
    "TX",
    frozenset({"a-1", "a-younger"}),
    frozenset({("TX", "larkmere police department")}),
)
OF_AGENCY = frozenset({"a-1"})


@pytest.mark.parametrize(
    "of_it",
    [
        entry(agreement="a-1", cells_=cells("Another Name")),
        entry(agreement="a-younger", cells_=cells("Another Name")),
        entry(agreement="a-2", cells_=cells("Larkmere Police Dept.", support_type="Warrant Service Officer")),
        changed(cells("Larkmere Police Department"), cells("Larkmere City Police"), agreement="a-3"),
    ],
    ids=["the agreement", "under an id that leads to it", "another of its agreements", "one that was renamed"],
)
def test_a_watch_of_an_agency_hears_of_all_its_agreements(of_it: Entry) -> None:
    clerical = watch(agencies=OF_AGENCY, significance=Significance.CLERICAL)
    assert heard(route([of_it], [clerical], {}, {}, {"a-1": LARKMERE_POLICE})) == [(1, of_it.id)]


@pytest.mark.parametrize("row", [cells(state="OHIO"), cells("Larkmere County Sheriff's Office")])
def test_a_watch_of_an_agency_hears_of_no_other(row: Cells) -> None:
    who = watch(agencies=OF_AGENCY)
    assert route([entry(cells_=row, agreement="a-9")], [who], {}, {}, {"a-1": LARKMERE_POLICE}) == ()


def test_a_watch_of_a_support_type_hears_of_what_has_it_or_had_it() -> None:
    of_jails = watch("TX", support_types=frozenset({SupportType.JAIL}))
    became = changed(cells(support_type="Jail Enforcement Model"), cells(support_type="Task Force Model"))
    jail, other = entry(cells_=cells(support_type="Jail Enforcement")), entry()
    assert heard(route([became, jail, other], [of_jails], {}, {})) == [(1, became.id), (1, jail.id)]


def test_a_watch_hears_of_its_kinds_only() -> None:
    news, left = entry(), entry(Kind.TERMINATED)
    assert heard(route([news, left], [watch(kinds=frozenset({Kind.TERMINATED}))], {}, {})) == [(1, left.id)]


def test_a_notice_names_counties_and_agencies_that_are_watched() -> None:
    who = subscriber()
    watches = [
        watch("TX", number=1, who=who),
        watch(number=2, who=who, counties=frozenset({("TX", "larkmere")})),
        watch(number=3, who=who, agencies=OF_AGENCY),
    ]
    [notice] = route([entry()], watches, {}, {}, {"a-1": LARKMERE_POLICE})
    parts = {WatchedPart("TX", county="larkmere"), WatchedPart("TX", agency="Larkmere Police Department")}
    assert notice.watched == Watched(frozenset({"TX"}), frozenset(parts))


# --- when ------------------------------------------------------------------------------------------------------


def test_a_watch_with_a_schedule_hears_nothing_at_once() -> None:
    assert route([entry()], [watch("TX", schedule=Schedule(420))], {}, {}) == ()


def test_what_a_digest_told_is_corrected_at_once() -> None:
    departure = entry(Kind.TERMINATED)
    note = entry(Kind.WITHDRAWN, about=departure.id)
    who = watch("TX", schedule=Schedule(420))
    notices = route([note], [who], {departure.id: [Recipient(who.subscriber, (1,), 7)]}, {departure.id: departure})
    assert heard(notices) == [(1, note.id)]
    assert notices[0].replies_to == 7


def confirmed_departure() -> tuple[Entry, Entry]:
    left = entry(Kind.TERMINATED, status="confirmed", publication=source("one"))
    return left, entry(Kind.CONFIRMED, about=left.id, publication=source("two"))


WAITS = watch("TX", departures=Departures.CONFIRMED)


def test_who_waits_for_confirmation_hears_of_the_departure_itself_when_it_is_confirmed() -> None:
    left, note = confirmed_departure()
    assert route([replace(left, status="unconfirmed")], [WAITS], {}, {}) == ()
    [notice] = route([note], [WAITS], {}, {left.id: left})
    assert [line.entry.id for line in notice.lines] == [left.id]
    assert notice.publication == left.publication


def test_a_departure_that_was_confirmed_before_anybody_heard_of_it_is_told_once() -> None:
    left, note = confirmed_departure()
    at_once = watch("TX", number=2)
    notices = route([left, note], [WAITS, at_once], {}, {left.id: left})
    assert heard(notices) == [(1, left.id), (2, left.id)]


def test_who_waits_and_started_after_a_departure_hears_of_its_confirmation() -> None:
    left, note = confirmed_departure()
    late = replace(WAITS, starts_after=left.seq)
    assert heard(route([note], [late], {}, {left.id: left})) == [(1, left.id)]
    assert route([note], [replace(late, starts_after=note.seq)], {}, {left.id: left}) == ()


def test_who_was_told_at_once_by_another_watch_is_not_told_again_at_confirmation() -> None:
    left, note = confirmed_departure()
    at_once = watch("TX", number=2, who=WAITS.subscriber)
    assert route([note], [WAITS, at_once], {left.id: told(at_once)}, {left.id: left}) == ()


def test_who_waits_hears_nothing_of_a_departure_that_is_withdrawn() -> None:
    left = entry(Kind.TERMINATED, status="withdrawn", publication=source("one"))
    note = entry(Kind.WITHDRAWN, about=left.id, publication=source("two"))
    back = entry(Kind.RETURNED, before=LARKMERE, publication=source("two"))
    assert route([left, note, back], [WAITS], {}, {left.id: left}) == ()


def test_a_confirmation_of_old_news_is_told_to_nobody() -> None:
    left, note = confirmed_departure()
    assert route([note], [WAITS], {}, {left.id: replace(left, announce=False)}) == ()


# --- whatever the batches --------------------------------------------------------------------------------------

STATES = ("TEXAS", "GEORGIA", "FLORIDA", "UTOPIA")


def a_log(seed: int, publications: int) -> list[list[Entry]]:
    """A random history: each publication's entries, with the status that the log as a whole gives them last."""
    chance = random.Random(seed)
    standing = {name: chance.choice(STATES) for name in ("Ash", "Birch", "Cedar", "Dogwood", "Elm")}
    gone: dict[str, Entry] = {}
    confirmed: set[str] = set()
    log: list[list[Entry]] = []
    for number in range(publications):
        found: list[Entry] = []
        where = source(f"publication {number}")
        for name, state in standing.items():
            row = cells(f"{name} Police Department", state)
            announce = chance.random() < 0.9
            if name in gone and chance.random() < 0.4:
                departure = gone.pop(name)
                if departure.id not in confirmed:
                    found.append(entry(Kind.WITHDRAWN, row, about=departure.id, publication=where))
                found.append(entry(Kind.RETURNED, row, before=row, publication=where))
            elif name in gone and gone[name].id not in confirmed and chance.random() < 0.3:
                confirmed.add(gone[name].id)
                found.append(entry(Kind.CONFIRMED, row, about=gone[name].id, publication=where))
            elif name not in gone and chance.random() < 0.3:
                departed = entry(Kind.TERMINATED, row, publication=where, announce=announce)
                gone[name] = departed
                found.append(departed)
            elif name not in gone and chance.random() < 0.3:
                after = replace(row, signed=f"2025-01-{number + 1:02}")
                found.append(changed(row, after, publication=where, announce=announce))
        log.append(found)
    return log


def as_read(entries: Sequence[Entry], log_so_far: Sequence[Entry]) -> list[Entry]:
    """Entries with the status that the log gives them at that time."""
    notes = {e.about: e.kind.value for e in log_so_far if e.about}
    return [replace(e, status=notes.get(e.id, e.status)) for e in entries]


def routed(log: list[list[Entry]], watches: list[Watch], cuts: set[int]) -> list[tuple[int, str]]:
    """What is heard if the log is routed after each publication in `cuts`, and at the end."""
    result: list[tuple[int, str]] = []
    who_was_told: dict[str, list[Recipient]] = {}
    known: dict[str, Entry] = {}
    waiting: list[Entry] = []
    so_far: list[Entry] = []
    for number, found in enumerate(log):
        waiting += found
        so_far += found
        if number not in cuts and number != len(log) - 1:
            continue
        known |= {e.id: e for e in so_far}
        # Nobody in this batch was told of it before the batch was routed.
        notices = route(as_read(waiting, so_far), watches, dict(who_was_told), known)
        for notice in notices:
            for line in notice.lines:
                who_was_told.setdefault(line.entry.id, []).append(Recipient(notice.subscriber, line.watches))
        result += heard(notices)
        waiting = []
    return result


def batches(log: list[list[Entry]], cuts: set[int]) -> dict[str, int]:
    """In which batch each entry is routed."""
    batch = 0
    of: dict[str, int] = {}
    for number, found in enumerate(log):
        of |= {e.id: batch for e in found}
        batch += number in cuts
    return of


WATCHES = [
    watch(number=1),
    watch("TX", number=2),
    watch("GA", "FL", number=3),
    watch("TX", number=4, who=subscriber(2)),
    watch("TX", number=5, starts_after=10**9),
]


@pytest.mark.slow
@given(st.integers(0, 10_000), st.sets(st.integers(0, 11)))
def test_each_change_is_told_once_to_each_who_wants_it_whatever_the_batches(seed: int, cuts: set[int]) -> None:
    log = a_log(seed, 12)
    entries = [e for found in log for e in found]
    of = batches(log, cuts)
    taken_back = {e.about: e for e in entries if e.kind is Kind.WITHDRAWN}
    with_note = {(e.agreement, e.publication.id) for e in taken_back.values()}
    expected: Counter[tuple[int, str]] = Counter()
    for e in entries:
        if not e.announce or e.kind in CORRECTIONS or e.kind is Kind.CONFIRMED:
            continue
        if e.kind is Kind.RETURNED and (e.agreement, e.publication.id) in with_note:
            continue
        note = taken_back.get(e.id)
        if note and of[note.id] == of[e.id]:
            continue  # came and went within one batch
        wanting = {w.subscriber.number for w in WATCHES if w.wants.states is None or states_of(e) & w.wants.states}
        wanting.discard(5)  # starts later
        expected.update((number, e.id) for number in wanting)
        if note:
            expected.update((number, note.id) for number in wanting)
    assert Counter(routed(log, WATCHES, cuts)) == expected


@given(st.integers(0, 10_000), st.permutations(WATCHES))
def test_the_order_of_the_watches_is_irrelevant(seed: int, shuffled: list[Watch]) -> None:
    entries = [e for found in a_log(seed, 4) for e in found]
    assert route(entries, shuffled, {}, {}) == route(entries, WATCHES, {}, {})
