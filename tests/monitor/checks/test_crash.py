"""A check that is killed, or that runs twice at once, against a real file and a real HTTP source."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.ice import FakeIce
from demo.workbooks import workbook
from monitor.model import Cells
from monitor.storage.log import open_reader
from tests.monitor.builders import PARTICIPATING, as_row, cells

pytestmark = pytest.mark.crash

BEFORE = [cells(f"{name} Police Department", signed="2025-03-03") for name in ("Amber", "Basalt", "Cedar")]
AFTER = [*BEFORE[1:], cells("Dunes Police Department", signed="2026-02-02")]
SAID = [("terminated", "Amber Police Department"), ("new", "Dunes Police Department")]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with settings and a state.db that knows the first list; ICE has published the second."""
    folder = tmp_path_factory.mktemp("known")
    with FakeIce() as ice:
        (folder / "config.toml").write_text(f'[source]\npage = "{ice.page_url}"\n')
        publish(ice, BEFORE, 2)
        assert start(folder).wait(60) == 0
        publish(ice, AFTER, 3)
        yield folder


@pytest.fixture
def folder(known: Path, tmp_path: Path) -> Path:
    """A copy of that folder."""
    return shutil.copytree(known, tmp_path / "copy")


def publish(ice: FakeIce, rows: list[Cells], day: int) -> None:
    saved = datetime(2026, 3, day, 14, tzinfo=UTC)
    ice.publishes(
        participating=workbook(PARTICIPATING, [as_row(r) for r in rows], saved=saved, title="SAMPLE"), saved=saved
    )


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "cli", "check"], cwd=folder, stdout=subprocess.DEVNULL, text=True)


def said(folder: Path) -> list[tuple[str, str]]:
    """The kind and the agency of each entry of the log."""
    with closing(open_reader(folder / "state.db")) as log:
        return sorted((entry.kind.value, entry.agency) for entry in log.changelog.entries())


def test_a_check_that_is_killed_at_any_moment_is_finished_by_the_next(known: Path, tmp_path: Path) -> None:
    """At moments from before the first import to after the commit; each leaves all of the check, or nothing of it."""
    for delay in (0.1, 0.4, 0.6, 0.8, 1.1):
        folder = shutil.copytree(known, tmp_path / f"killed after {delay}")
        check = start(folder)
        time.sleep(delay)
        check.send_signal(signal.SIGKILL)
        check.wait()
        assert said(folder) in ([], sorted(SAID))
        assert start(folder).wait(60) == 0
        assert said(folder) == sorted(SAID)


def test_two_checks_at_once_record_a_publication_once(folder: Path) -> None:
    both = [start(folder), start(folder)]
    assert [check.wait(60) for check in both] == [0, 0]
    assert said(folder) == sorted(SAID)
