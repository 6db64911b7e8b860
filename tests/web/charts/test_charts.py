"""Numbers become coordinates that say the same; and the pages show both."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Kind, Significance, SupportType
from monitor.storage.statistics import EntryCount, StateAndType
from tests.web.builders import Browser, Log, at, gone, new, retracted, row, withdrawn
from web.charts import charts

ReadAt = Callable[[datetime], Browser]
UTC = ZoneInfo("UTC")
JAIL, TASK_FORCE = SupportType.JAIL, SupportType.TASK_FORCE
MONDAY = date(2025, 3, 3)
TEN: dict[StateAndType, int] = {("TX", JAIL): 10}


def numbers(path: str) -> list[int]:
    return [int(n) for n in re.findall(r"-?\d+", path)]


def days(*counts: Mapping[StateAndType, int]) -> dict[date, Mapping[StateAndType, int]]:
    """Each ten days after the one before."""
    return {MONDAY + timedelta(days=10 * i): c for i, c in enumerate(counts)}


def test_a_stack_has_the_most_at_the_bottom_and_reaches_as_high_as_the_sum() -> None:
    chart = charts.stacked(
        days(TEN, {("TX", JAIL): 10, ("GA", JAIL): 5, ("TX", TASK_FORCE): 25}), MONDAY + timedelta(40)
    )
    assert chart is not None
    assert [(band.type, band.count) for band in chart.bands] == [(TASK_FORCE, 25), (JAIL, 15)]
    assert [(level.total, level.by_type) for level in chart.levels] == [(10, (0, 10)), (40, (25, 15))]
    assert [tick.value for tick in chart.y_ticks] == [0, 10, 20, 30, 40]
    (top,) = [tick.at for tick in chart.y_ticks if tick.value == 40]
    assert min(numbers(chart.bands[1].path)[1:]) >= 0
    assert f"V{top}" in chart.bands[1].path


def test_a_day_on_which_nothing_changed_is_no_line_of_the_table() -> None:
    chart = charts.stacked(days(TEN, TEN, {("TX", JAIL): 11}), MONDAY + timedelta(40))
    assert chart is not None
    assert [level.total for level in chart.levels] == [10, 11]


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=40).filter(any))
def test_a_line_stays_within_its_picture_and_is_higher_where_there_are_more(counts: list[int]) -> None:
    levels = [(MONDAY + timedelta(days=i), n) for i, n in enumerate(counts)]
    chart = charts.line(levels, levels[-1][0])
    assert chart is not None
    heights = [0, *map(int, re.findall(r"V(-?\d+)", chart.path))][1:]
    assert all(0 <= y <= chart.base for y in heights)
    assert chart.most == max(counts)
    if counts[-1] == max(counts):
        assert chart.y == min([chart.y, *heights])


@given(st.integers(0, 100_000))
def test_the_marks_of_an_axis_are_few_and_round_and_reach_the_top(most: int) -> None:
    top, ticks = charts._numbers(most, 300)
    assert top >= most
    assert 2 <= len(ticks) <= 6
    assert (
        len({b.value - a.value for a, b in pairwise(ticks) if isinstance(a.value, int) and isinstance(b.value, int)})
        == 1
    )


@pytest.mark.parametrize(("years", "most"), [(0.1, 7), (1, 7), (5, 7), (30, 7)])
def test_the_dates_below_are_few_however_long_the_log_is(years: float, most: int) -> None:
    last = MONDAY + timedelta(days=int(365 * years))
    chart = charts.line([(MONDAY, 1)], last)
    assert chart is not None
    assert 1 <= len(chart.x_ticks) <= most


def test_labels_are_kept_apart() -> None:
    assert charts._apart([300, 290, 285, 100], 40, 330) == [300, 260, 220, 100]


def tally(day: date, kind: Kind, count: int, status: str | None = None) -> EntryCount:
    return EntryCount(
        datetime(day.year, day.month, day.day, 12, tzinfo=UTC), kind, Significance.SUBSTANTIVE, status, count
    )


def test_a_week_goes_up_by_what_is_new_and_down_by_what_left() -> None:
    chart = charts.weekly(
        [
            tally(MONDAY, Kind.NEW, 20),
            tally(MONDAY + timedelta(6), Kind.NEW, 20),
            tally(MONDAY + timedelta(14), Kind.TERMINATED, 10, "unconfirmed"),
            tally(MONDAY, Kind.TERMINATED, 3, "withdrawn"),
            tally(MONDAY, Kind.APPLIED, 9),
        ],
        UTC,
        MONDAY + timedelta(30),
    )
    assert chart is not None
    assert [(bar.new, bar.gone) for bar in chart.bars] == [(40, 0), (0, 0), (0, 10), (0, 0), (0, 0)]
    assert chart.bars[0].up == pytest.approx(4 * chart.bars[2].down, abs=3)
    assert all(chart.middle - bar.up >= 0 and chart.middle + bar.down <= chart.height for bar in chart.bars)


# --- pages --------------------------------------------------------------------------------------------------

NOW = at("2025-08-29 14:30")


def test_the_page_over_time_says_in_tables_what_it_draws(log: Log, read_at: ReadAt) -> None:
    log.begins(at("2025-03-03 14:00"), row(), row("Another Agency", support_type="Jail Enforcement Model"))
    (_, left) = log.publishes(at("2025-03-12 14:00"), new(row("A Third Agency", state="OHIO")), gone(2))
    page = read_at(NOW).get("/over-time")
    assert page.all("svg title")[0] == "Agreements that ICE listed from March 3, 2025 on, by support type"
    rows = page.all("table[aria-labelledby=levels] tr, #levels ~ tbody tr")
    assert rows == ["March 12, 2025 2 2 0", "March 3, 2025 2 1 1"]
    assert page.all("#weeks ~ tbody tr") == ["March 10, 2025 1 1"]
    assert page.all("svg g title") == ["Week of March 10, 2025: 1 new, 1 no longer listed"]
    log.publishes(at("2025-03-13 14:00"), withdrawn(2, left))
    assert read_at(NOW).get("/over-time").all("svg g title") == ["Week of March 10, 2025: 1 new, 0 no longer listed"]


def test_a_new_agreement_that_proved_wrong_is_counted_no_longer(log: Log, read_at: ReadAt) -> None:
    log.begins(at("2025-03-03 14:00"), row())
    (came,) = log.publishes(at("2025-03-12 14:00"), new(row("A Second Agency")))
    browser = read_at(NOW)
    assert browser.get("/over-time").all("svg g title") == ["Week of March 10, 2025: 1 new, 0 no longer listed"]
    log.publishes(at("2025-03-13 14:00"), retracted(2, came))
    assert browser.get("/over-time").all("svg g title") == []


def test_an_empty_log_has_no_chart(log: Log, read_at: ReadAt) -> None:
    log.looks(at("2025-03-03 14:00"))
    browser = read_at(NOW)
    for address in ("/over-time", "/", "/states/ga"):
        page = browser.get(address)
        assert page.status == 200
        assert page.all("svg") == []


def test_the_front_page_says_how_many_are_listed_and_draws_how_it_came_to_that(log: Log, read_at: ReadAt) -> None:
    log.begins(at("2025-03-03 14:00"), row())
    log.publishes(at("2025-08-20 14:00"), new(row("A Second Agency")))
    page = read_at(NOW).get("/")
    assert "2 agreements listed" in page.all("aside h2")
    assert page.one("svg desc") == "1 on March 3, 2025; 2 since Aug. 20, 2025; 2 at the most."


def test_a_state_s_page_draws_its_own_number(log: Log, read_at: ReadAt) -> None:
    log.begins(at("2025-03-03 14:00"), row(), row("An Agency in Ohio", state="OHIO"))
    log.publishes(at("2025-08-20 14:00"), gone(1), new(row("Another one", state="OHIO")))
    browser = read_at(NOW)
    assert browser.get("/states/oh").one("svg desc") == "1 on March 3, 2025; 2 since Aug. 20, 2025; 2 at the most."
    assert browser.get("/states/ga").one("svg desc") == "1 on March 3, 2025; 0 since Aug. 20, 2025; 1 at the most."
    assert browser.get("/states/tx").all("svg") == []
