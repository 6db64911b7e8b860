"""Everything derived again: the same by the same rules; and by other rules nothing that was said is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.checks import decisions
from monitor.checks.decide import Rules
from monitor.checks.plausibility import Limits
from monitor.errors import MonitorError, SourceError
from monitor.model import Act, Entry, Kind, NotLinked, NotModified
from monitor.rebuild.rebuild import Rebuilt, rebuild, whole_or_not_at_all
from monitor.rebuild.target import Target
from monitor.storage.writer import Store
from tests.monitor.builders import PARTICIPATING, PENDING, Service, cells
from tests.monitor.checks.test_decisions import CAME, FEWER, LEFT, ROWS, STAYS, accept, held

pytestmark = pytest.mark.slow

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TRUSTING = Rules(Limits(gone_rows=1000))  # holds no great departure

DERIVED = ("checks", "publications", "decisions", "acts", "agreements", "listings", "entries", "reviews", "aliases")


@contextmanager
def rebuilt(here: Service, to: Path, rules: Rules) -> Iterator[tuple[Store, Rebuilt]]:
    with Target(to, here.store.log) as new:
        yield new.store, rebuild(here.store.log, new, here.reader, rules=rules, now=here.now)


def tables(store: Store) -> dict[str, list[tuple[object, ...]]]:
    return {name: [tuple(r) for r in store.state.rows(f"SELECT * FROM {name} ORDER BY 1, 2")] for name in DERIVED}


def eventful(here: Service) -> None:
    """A life of the service with a bit of everything."""
    application = replace(CAME, signed="", moa="", agency="Pecanvale Police Department")
    here.sees(*ROWS, LEFT)
    here.sees(application, list_=PENDING)
    here.sees(*ROWS, CAME)  # doubtful
    here.source.answers[PENDING] = NotLinked("page")
    here.check(PENDING)
    here.source.answers[PARTICIPATING] = SourceError("https://ice.test/list.xlsx", "answered 503: try again")
    here.check(after=HOUR)
    decisions.same(here.store, here.store.reviews.all()[0].id, now=here.now, why="by phone")
    here.sees(*FEWER, CAME)
    accept(here, held(here).id, "so they wrote")
    here.sees(*reversed(FEWER), CAME)  # the same rows, other bytes
    here.source.answers[PARTICIPATING] = NotModified("https://ice.test/list.xlsx")
    here.check(after=3 * DAY)
    here.gives(b"PK no workbook")
    here.check(after=HOUR)
    decisions.reject(here.store, held(here).id, now=here.now)
    here.check(after=HOUR)
    here.sees(*FEWER, CAME, STAYS)
    decisions.retract(here.store, here.log()[-1].id, now=here.now, why="a slip")


def test_by_the_same_rules_everything_comes_out_the_same(here: Service, tmp_path: Path) -> None:
    eventful(here)
    with rebuilt(here, tmp_path / "new.db", here.rules) as (new, result):
        assert tables(new) == tables(here.store)
        assert [*new.changelog.entries()] == here.log()
        assert new.publications.validators(PARTICIPATING) == here.store.publications.validators(PARTICIPATING)
    assert (result.differences, result.unanswered, result.acts) == ([], [], 4)


def test_what_was_seen_in_a_replay_is_old_news_to_whatever_believes_it(here: Service, tmp_path: Path) -> None:
    here.announce = False
    here.sees(*ROWS, LEFT)
    here.sees(*ROWS)
    here.sees(*FEWER)
    here.announce = True
    here.check(after=2 * DAY)
    assert {(e.kind, e.announce) for e in here.log()} == {(Kind.TERMINATED, False)}
    here.check(after=3 * DAY)
    with rebuilt(here, tmp_path / "new.db", here.rules) as (new, _):
        assert tables(new) == tables(here.store)


def test_a_rebuilt_file_goes_on_as_the_old_one_would(here: Service, tmp_path: Path) -> None:
    eventful(here)
    with rebuilt(here, tmp_path / "new.db", here.rules) as (new, _):
        other = replace(here, store=new)
        for service in (here, other):
            service.sees(*FEWER[1:], CAME, STAYS)
        assert [e.id for e in other.log()] == [e.id for e in here.log()]


def believed_too_much(here: Service) -> None:
    """Under rules that hold nothing, 25 departures were told; by today's they would have waited."""
    here.rules = TRUSTING
    here.sees(*ROWS)
    here.sees(*FEWER, LEFT)
    here.sees(*ROWS, LEFT)


def test_what_no_longer_arises_is_kept_and_retracted(here: Service, tmp_path: Path) -> None:
    believed_too_much(here)
    before = {e.id: e for e in here.log()}
    with rebuilt(here, tmp_path / "new.db", Rules()) as (new, result):
        after = {e.id: e for e in new.changelog.entries()}
        assert before.keys() <= after.keys()
        departures = [e for e in before.values() if e.kind is Kind.TERMINATED]
        assert {after[e.id].status for e in departures} == {"retracted"}
        assert not any(a.announce for a in after.values() if a.kind is Kind.RETRACTED)
        kept = [after[id] for id in before]
        assert [_text(e) for e in kept if e.kind is Kind.TERMINATED] == [_text(e) for e in departures]
        listed = {a.id for a in new.agreements.all() if a.listed}
        assert {e.agreement for e in departures} <= listed
    said = {d.entry.id: d.how for d in result.differences}
    assert {said[e.id] for e in departures} == {"retracted"}
    # The one that came is new all the same, from the publication after.
    assert [d.entry.agency for d in result.differences if d.how == "new"] == [LEFT.agency]


def _text(entry: Entry) -> tuple[object, ...]:
    return entry.id, entry.kind, entry.agreement, entry.before, entry.observed_at, entry.recorded_at, entry.publication


def test_ids_that_no_longer_arise_lead_to_the_agreements_that_do(here: Service, tmp_path: Path) -> None:
    believed_too_much(here)
    was = next(e.agreement for e in here.log() if e.kind is Kind.NEW)
    with rebuilt(here, tmp_path / "new.db", Rules()) as (new, _):
        # Its first row stood in a publication that is held now, so that nothing is known to continue it.
        assert new.agreements.resolve(was) == was
        assert [e.agency for e in new.changelog.entries(agreement=was)][:1] == [LEFT.agency]


def test_an_agreement_that_was_never_listed_after_all_is_still_found(here: Service, tmp_path: Path) -> None:
    here.rules = TRUSTING
    here.sees(*ROWS)
    here.sees(*FEWER, LEFT)
    here.sees(*ROWS)
    was = next(e.agreement for e in here.log() if e.kind is Kind.NEW)
    with rebuilt(here, tmp_path / "new.db", Rules()) as (new, _):
        ((id, agency, listed),) = ((a.id, a.agency, a.listed) for a in filter(None, [new.agreements.find(was)]))
        assert (id, agency, listed) == (was, LEFT.agency, ())
        assert was not in {a.id for a in new.agreements.all(as_of=here.now)}


def test_what_is_only_kept_says_nothing_of_who_has_left(here: Service, tmp_path: Path) -> None:
    here.rules = TRUSTING
    here.sees(*ROWS, LEFT)
    here.sees(*ROWS)
    here.sees(*FEWER, LEFT)
    here.sees(*ROWS)  # by today's rules LEFT never came back in between, and nobody else ever left
    with rebuilt(here, tmp_path / "new.db", Rules()) as (new, _):
        (left,) = new.departures(PARTICIPATING)
        assert left.standing.listing.cells == LEFT
        other = replace(here, store=new, rules=Rules())
        before = new.changelog.position()
        other.check(after=3 * DAY)
        other.sees(*ROWS, LEFT)
        assert [(e.kind, e.about) for e in new.changelog.entries(after=before)] == [
            (Kind.CONFIRMED, left.entry),
            (Kind.RETURNED, None),
        ]


def test_a_second_rebuild_finds_nothing_more(here: Service, tmp_path: Path) -> None:
    believed_too_much(here)
    with rebuilt(here, tmp_path / "new.db", Rules()) as (new, _):
        again = replace(here, store=new, now=here.now + DAY)
        with rebuilt(again, tmp_path / "newer.db", Rules()) as (newer, result):
            assert result.differences == []
            assert [_text(e) for e in newer.changelog.entries()] == [_text(e) for e in new.changelog.entries()]


def test_what_arises_again_is_no_longer_retracted(here: Service, tmp_path: Path) -> None:
    believed_too_much(here)
    before = {e.id: e.status for e in here.log()}
    with rebuilt(here, tmp_path / "new.db", Rules()) as (new, _):
        again = replace(here, store=new, now=here.now + DAY)
        with rebuilt(again, tmp_path / "newer.db", TRUSTING) as (newer, _):
            after = {e.id: e.status for e in newer.changelog.entries()}
    assert {id: after[id] for id in before} == before


def test_a_decision_that_nothing_corresponds_to_is_said_and_kept(here: Service, tmp_path: Path) -> None:
    here.sees(*ROWS)
    here.sees(*FEWER)
    accept(here, held(here).id)
    with rebuilt(here, tmp_path / "new.db", TRUSTING) as (new, result):
        assert [act.act for act in result.unanswered] == [Act.ACCEPT]
        assert new.state.value("SELECT count(*) FROM acts") == 1
        assert {d.how for d in result.differences} <= {"observed_at", "new", "retracted"}


def test_an_empty_file_is_rebuilt_empty(here: Service, tmp_path: Path) -> None:
    with rebuilt(here, tmp_path / "new.db", here.rules) as (new, result):
        assert (list(new.changelog.entries()), result.checks) == ([], 0)


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "new.db").write_text("mine")
    with pytest.raises(MonitorError, match="is there already"), whole_or_not_at_all(tmp_path / "new.db"):
        pass
    assert (tmp_path / "new.db").read_text() == "mine"


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def breaks_off() -> None:
        with whole_or_not_at_all(tmp_path / "new.db") as path:
            path.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaks_off()
    assert list(tmp_path.iterdir()) == []


def test_what_was_believed_before_is_seen_otherwise_where_a_cell_is(here: Service, tmp_path: Path) -> None:
    """A departure confirmed after two days is not confirmed yet by rules that wait for a month."""
    here.sees(LEFT, STAYS)
    here.sees(cells("Far Away Police Department", county="#N/A", signed="2026-01-01"), STAYS)
    here.check(after=3 * DAY)
    with rebuilt(here, tmp_path / "new.db", Rules(confirm_after=30 * DAY)) as (_, result):
        assert sorted((d.how, d.entry.kind) for d in result.differences) == [
            ("retracted", Kind.CONFIRMED),
            ("status", Kind.TERMINATED),
        ]
