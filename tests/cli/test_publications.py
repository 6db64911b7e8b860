"""The commands by which an operator looks and decides, as they print."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, timedelta
from threading import Thread

import pytest
from click.testing import CliRunner, Result

from alerts.storage.store import open_alerts
from cli.__main__ import group
from cli.context import Context
from monitor.checks import decisions
from monitor.storage.lock import one_check_at_a_time
from tests.monitor.builders import Service
from tests.monitor.checks.test_decisions import CAME, FEWER, LEFT, ROWS, STAYS

pytestmark = pytest.mark.slow


def run(here: Service, *arguments: str) -> Result:
    """A command on the service's state.db, an hour after its last look."""
    name, *rest = arguments
    command = group.get_command(None, name)  # type: ignore[arg-type]  # it needs no context of its own
    assert command
    context = Context(lambda: here.now + timedelta(hours=1), state=here.store.state.path)
    return CliRunner().invoke(command, rest, obj=context)


def subscribers_were_told(here: Service) -> bool:
    """Whether the command went through the whole log for whom to tell."""
    with open_alerts(here.store.state.path) as alerts:
        return alerts.routed.position() == alerts.log.changelog.position()


def held(here: Service) -> str:
    here.sees(*ROWS)
    here.sees(*FEWER, LEFT)
    return next(p.id for p in here.store.publications.all() if p.verdict == "held")


@pytest.mark.parametrize("command", [("publications", "show"), ("show",)])
def test_a_held_publication_says_why_and_what_it_would_say(command: tuple[str, ...], here: Service) -> None:
    id = held(here)
    shown = run(here, *command, id).stdout
    assert "Far too many rows gone: 25 of 60." in shown
    assert "If it were accepted, the log would say: 25 terminated, 1 new." in shown
    assert LEFT.agency in shown
    assert here.log() == []


def test_the_status_says_that_a_row_repeats_another(here: Service) -> None:
    here.sees(LEFT, LEFT, STAYS)
    assert "participating list: 3 rows; 2 agreements, 1 row repeats another; last check" in run(here, "status").stdout


def test_accepting_records_and_tells(here: Service) -> None:
    id = held(here)
    result = run(here, "publications", "accept", id, "--why", "ICE wrote so")
    assert (result.exit_code, result.stdout) == (0, f"Accepted {id}: 26 entries added to the log.\n")
    assert subscribers_were_told(here)
    shown = run(here, "publications", "show", id).stdout
    assert "accepted by an operator (ICE wrote so)" in shown
    assert "In the log: 25 terminated, 1 new." in shown


def test_what_is_decided_while_a_check_runs_waits_for_it(here: Service) -> None:
    """Of a list that was asked for before, "not modified" would be said of the one that has been accepted since."""
    id = held(here)
    deciding = Thread(target=run, args=(here, "publications", "accept", id))
    with one_check_at_a_time(here.store.state.path):
        deciding.start()
        deciding.join(1)
        assert (deciding.is_alive(), here.log()) == (True, [])
    deciding.join()
    assert len(here.log()) == 26


def test_rejecting_says_what_comes_next(here: Service) -> None:
    id = held(here)
    result = run(here, "publications", "reject", id)
    assert result.stdout.startswith(f"Rejected {id}: nothing of it will be recorded.")
    assert here.log() == []
    assert "rejected by an operator" in run(here, "show", id).stdout


def test_what_cannot_be_accepted_says_so_where_it_is_shown(here: Service) -> None:
    here.sees(*ROWS)
    here.gives(b"PK no workbook")
    here.check()
    id = next(p.id for p in here.store.publications.all() if p.verdict == "held")
    assert "cannot be accepted" in run(here, "publications", "show", id).stdout
    result = run(here, "publications", "accept", id)
    assert "cannot be accepted" in str(result.exception)


def test_a_doubtful_pair_is_listed_shown_and_answered(here: Service) -> None:
    here.sees(LEFT, STAYS)
    here.sees(CAME, STAYS)
    (line,) = map(json.loads, run(here, "review", "list", "--format", "jsonl").stdout.splitlines())
    assert (line["standing"], line["left"], line["came"]) == ("open", LEFT.agency, CAME.agency)
    shown = run(here, "show", line["id"]).stdout
    assert "One agreement or two? open" in shown
    assert "same signed date; same county" in shown
    answered = run(here, "review", "same", line["id"], "--why", "by phone")
    assert answered.exit_code == 0
    assert subscribers_were_told(here)
    assert run(here, "review", "list").stdout == ""
    (line,) = map(json.loads, run(here, "review", "list", "--all", "--format", "jsonl").stdout.splitlines())
    assert (line["standing"], line["why"]) == ("same", "by phone")
    younger = here.store.reviews.all()[0].arrival.agreement
    assert f"also known as  {younger}" in run(here, "show", younger).stdout


def test_two_that_are_different_stay_two(here: Service) -> None:
    here.sees(LEFT, STAYS)
    here.sees(CAME, STAYS)
    (review,) = here.store.reviews.all()
    assert "two agreements" in run(here, "review", "different", review.id).stdout
    assert not subscribers_were_told(here)


def test_a_pair_that_nobody_answered_stays_open(here: Service) -> None:
    here.sees(LEFT, STAYS)
    here.sees(CAME, STAYS)
    here.now += timedelta(days=70)
    (line,) = map(json.loads, run(here, "review", "list", "--format", "jsonl").stdout.splitlines())
    assert line["standing"] == "open"


def test_a_retraction_is_shown_with_the_entry(here: Service) -> None:
    here.sees(LEFT, STAYS)
    here.sees(STAYS)
    (gone,) = here.log()
    for reason in ((), ("--why", " "), ("--why", "\x1b[2J"), ("--why", "\udcff")):
        assert run(here, "retract", gone.id, *reason).exit_code == 2
    assert run(here, "retract", gone.id, "--reason", "the file was cut off").stdout == f"Retracted {gone.id}.\n"
    shown = run(here, "show", gone.id).stdout
    assert "terminated (retracted)" in shown
    assert "because: this was wrong: the file was cut off" in shown


def test_an_entry_says_when_both_workbooks_were_seen(here: Service) -> None:
    here.sees(LEFT, STAYS)
    first = here.now
    here.sees(STAYS)
    shown = run(here, "show", here.log()[0].id).stdout
    for seen in (first, here.now):
        assert f"list.xlsx, first seen {seen.astimezone(UTC):%Y-%m-%d %H:%M} UTC" in shown


def test_names_in_reasons_do_not_reach_the_terminal_as_they_are(here: Service) -> None:
    here.sees(LEFT, STAYS)
    here.sees(replace(CAME, agency="\x9b31mLarkmere\u202e Harbor Patrol"), STAYS)
    decisions.same(here.store, here.store.reviews.all()[0].id, now=here.now, why="\x1b[2J by phone")
    for id in (*(e.id for e in here.log()), here.log()[0].agreement):
        assert run(here, "show", id).stdout.replace("\n", "").isprintable()


def test_every_kind_of_id_that_is_none_is_said(here: Service) -> None:
    for id in ("a-x", "c-x", "p-x", "r-x", "x"):
        assert "nothing has this id" in str(run(here, "show", id).exception)
