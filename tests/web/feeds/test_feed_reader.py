"""lemon24/reader, which no one here wrote, follows the feeds over HTTP while the log grows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from reader import EntryUpdateStatus, Reader, make_reader
from waitress.server import create_server

from cli import wiring
from monitor.checks.replay import replay, steps_to_check
from monitor.settings import Settings
from monitor.sources.folder import Step, steps_of
from monitor.storage.log import open_reader
from monitor.storage.writer import open_store
from tests.web.builders import Log, at, confirmed, gone, new, returned, row, withdrawn
from web.app import create_app
from web.feeds.items import urn

pytestmark = pytest.mark.replay

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "lists"
DAYS = timedelta(days=60)


@contextmanager
def served(path: Path) -> Iterator[str]:
    """The log's pages on loopback; their address."""
    app = create_app(Settings(state=path), lambda: at("2026-01-01 12:00"))
    server = create_server(app, host="127.0.0.1", port=0, threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"  # type: ignore[union-attr]
    finally:
        server.close()
        thread.join()


@dataclass
class Follower:
    """A subscriber's feed reader, and what it said was new or modified, in order."""

    reader: Reader
    told: list[tuple[str, str]] = field(default_factory=list)

    def follow(self, *feeds: str) -> None:
        for feed in feeds:
            self.reader.add_feed(feed)
        self.reader.after_entry_update_hooks.append(
            lambda _, entry, status: self.told.append(
                (entry.id, "new" if status is EntryUpdateStatus.NEW else "updated")
            )
        )

    def look(self) -> None:
        for result in self.reader.update_feeds_iter(scheduled=False):
            assert not isinstance(result.value, Exception), result.value


@pytest.fixture
def follower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Follower]:
    # The feedparser that reader carries along wants a package that feedparser itself requires no more.
    monkeypatch.setenv("READER_NO_VENDORED_FEEDPARSER", "1")
    reader = make_reader(str(tmp_path / "reader.sqlite"))
    yield Follower(reader)
    reader.close()


def test_a_correction_is_an_update_and_nothing_is_told_twice(log: Log, follower: Follower) -> None:
    log.begins(at("2025-08-01 14:00"), row(), row("Another"))
    with served(log.path) as address:
        follower.follow(f"{address}/feed.atom")
        follower.look()
        left, out = log.publishes(at("2025-08-05 14:00"), gone(1), gone(2))
        follower.look()
        (back, _) = log.publishes(at("2025-08-06 14:00"), returned(1, row()), withdrawn(1, left))
        follower.look()
        follower.look()
        log.publishes(at("2025-08-07 14:00"), confirmed(2, out))
        follower.look()
    first, second, third = urn(left.id), urn(out.id), urn(back.id)
    assert sorted(follower.told[:2]) == sorted([(first, "new"), (second, "new")])
    assert sorted(follower.told[2:4]) == sorted([(third, "new"), (first, "updated")])
    assert follower.told[4:] == [(second, "updated")]


def test_json_is_followed_like_atom(log: Log, follower: Follower) -> None:
    log.begins(at("2025-08-01 14:00"), row())
    with served(log.path) as address:
        follower.follow(f"{address}/feed.json")
        (left,) = log.publishes(at("2025-08-05 14:00"), gone(1))
        follower.look()
        log.publishes(at("2025-08-06 14:00"), returned(1, row()), withdrawn(1, left), new(row("Another")))
        follower.look()
    assert [(id_, how) for id_, how in follower.told if id_ == urn(left.id)] == [
        (urn(left.id), "new"),
        (urn(left.id), "updated"),
    ]
    assert len(follower.told) == 4


def replayed(folder: Path, path: Path, after_each: Callable[[], None]) -> None:
    """The first sixty days of a folder of lists."""
    settings = Settings(state=path)
    with wiring.reader(lambda: settings, 2) as reading, open_store(settings.state) as store:
        steps: list[Step] = list(steps_of(folder, reading))
        first = [step for step in steps if step.at <= steps[0].at + DAYS]
        for _ in replay(steps_to_check(first, store, folder), reading, store, wiring.rules(settings)):
            after_each()


@pytest.mark.parametrize(
    "folder",
    [
        ROOT / "demo" / "lists",
        pytest.param(
            SHARED,
            marks=pytest.mark.skipif(not SHARED.is_dir(), reason="the real lists lie beside the project, not in it"),
        ),
    ],
    ids=["samples", "sixty days of 2025"],
)
def test_each_change_of_a_replay_comes_once_and_each_correction_as_an_update(
    folder: Path, tmp_path: Path, follower: Follower
) -> None:
    path = tmp_path / "state.db"
    with open_store(path), served(path) as address:
        follower.follow(f"{address}/feed.atom")
        replayed(folder, path, follower.look)
        follower.look()
    with open_reader(path) as log:
        entries = list(log.changelog.entries())
    changes = {urn(entry.id) for entry in entries if not entry.kind.is_note}
    noted = {urn(entry.about or "") for entry in entries if entry.kind.is_note}
    assert changes
    assert sorted(id_ for id_, how in follower.told if how == "new") == sorted(changes)
    assert {id_ for id_, how in follower.told if how == "updated"} == noted
