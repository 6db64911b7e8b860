"""The version of the log: another one as soon as anything that it says is another, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.storage.log import open_reader
from monitor.storage.revision import Revision, revision
from monitor.storage.writer import open_store
from tests.web.builders import PENDING, Log, at, new, row


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """A log with two rows that may be one agreement."""
    log = Log(tmp_path / "state.db")
    log.begins(at("2025-08-01 14:00"), row(), row("Quillmarsh County Sherif"))
    return log


def of(log: Log) -> Revision:
    with open_reader(log.path) as reader:
        return revision(reader)


def test_a_check_that_finds_nothing_makes_no_other_version(log: Log) -> None:
    before = of(log)
    log.looks(at("2025-08-01 15:00"))
    assert of(log) == before


def test_a_list_without_any_change_makes_another_version(log: Log) -> None:
    before = of(log)
    log.begins(at("2025-08-01 16:00"), list_=PENDING)
    assert of(log) != before


def test_a_change_makes_another_version(log: Log) -> None:
    before = of(log)
    log.publishes(at("2025-08-05 14:00"), new(row("Another Agency")))
    assert of(log) != before


def test_two_that_proved_to_be_one_make_another_version(log: Log) -> None:
    before = of(log)
    with open_store(log.path) as store, store.write():
        store.merge(2, 1)
    assert of(log) != before


def test_another_file_in_its_place_is_another_version(log: Log) -> None:
    before = of(log)
    with open_store(log.path) as store:
        store.state.run("VACUUM INTO ?", str(log.path.with_suffix(".new")))
    log.path.with_suffix(".new").replace(log.path)
    assert of(log) != before
    assert str(of(log)) != str(before)
