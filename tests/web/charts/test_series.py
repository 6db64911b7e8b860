"""Numbers are counted once a process, and again exactly where something is new."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.model import ListName
from monitor.storage.changelog import open_reader
from monitor.storage.writer import open_store
from tests.web.builders import Log, at, gone, new, row
from web.charts.series import Series, SeriesCache, by_state, total

FIRST, SECOND = at("2025-03-03 14:00"), at("2025-04-03 14:00")


def counted(cache: SeriesCache, path: Path) -> Series:
    with open_reader(path) as reader:
        return cache.series(reader)


def test_what_is_counted_is_counted_once(log: Log) -> None:
    log.begins(FIRST, row())
    cache = SeriesCache()
    assert counted(cache, log.path) is counted(cache, log.path)


def test_a_check_that_found_nothing_new_counts_nothing_again(log: Log) -> None:
    log.begins(FIRST, row())
    cache = SeriesCache()
    before = counted(cache, log.path)
    log.looks(SECOND)
    assert counted(cache, log.path) is before


def test_a_new_publication_is_counted_and_what_was_made_of_the_last_is_made_anew(log: Log) -> None:
    log.begins(FIRST, row())
    cache = SeriesCache()
    before = counted(cache, log.path)
    assert before.once("total", lambda: total(before.listed(ListName.PARTICIPATING))) == 1
    assert before.once("total", lambda: 7) == 1
    log.publishes(SECOND, new(row("Another Agency", state="OHIO")))
    after = counted(cache, log.path)
    assert by_state(after.listed(ListName.PARTICIPATING)) == {"GA": 1, "OH": 1}
    assert by_state(after.listed(ListName.PARTICIPATING, SECOND)) == {"GA": 1}
    assert after.once("total", lambda: total(after.listed(ListName.PARTICIPATING))) == 2


def test_two_that_prove_to_be_one_are_counted_anew(log: Log) -> None:
    log.begins(FIRST, row(), row("Quillmarsh County Sherif"))
    cache = SeriesCache()
    assert total(counted(cache, log.path).listed(ListName.PARTICIPATING)) == 2
    with open_store(log.path) as store, store.write():
        store.merge(2, 1)
    assert total(counted(cache, log.path).listed(ListName.PARTICIPATING)) == 1


def test_another_file_in_the_place_of_the_log_is_counted_anew(log: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "rebuilt.db")
    log.begins(FIRST, row())
    other.begins(FIRST, row(), row("Another Agency"))
    cache = SeriesCache()
    assert total(counted(cache, log.path).listed(ListName.PARTICIPATING)) == 1
    for end in ("-wal", "-shm"):
        Path(f"{log.path}{end}").unlink(missing_ok=True)
    other.path.replace(log.path)
    assert total(counted(cache, log.path).listed(ListName.PARTICIPATING)) == 2


def test_a_day_has_the_numbers_of_its_last_publication(log: Log) -> None:
    log.begins(FIRST, row(), row("Another Agency"))
    log.publishes(at("2025-03-03 16:00"), gone(1))
    series = counted(SeriesCache(), log.path)
    assert [total(counts) for counts in series.by_day(ZoneInfo("America/New_York")).values()] == [1]
