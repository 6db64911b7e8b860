"""Kills a run at one point and looks, at the servers, what arrived once the next run is through.

A point is a commit (just before it), or one side of a reply of the mail server or of Slack: before the message is
handed over; when it was taken, before that is said; when the reply was read. `bench/crashes.py` goes through all of
them, and `test_crash.py` through a sample.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from alerts.channels.registry import open_channel
from alerts.model import ChannelName, Schedule, Wants
from alerts.storage.store import AlertStore, open_alerts
from demo.loopback import Reply, Request
from demo.slack import FakeSlack
from demo.smtp import FakeSmtp
from monitor.model import Hold
from monitor.storage.writer import Store
from tests.alerts.builders import NOON, add_watch, cells, new, open_log
from tests.alerts.killed import OPERATOR, WAYS, settings_of

ROOT = Path(__file__).parent.parent.parent
Side: TypeAlias = Literal["commit", "send", "taken", "reply"]
ChannelUnderTest: TypeAlias = Literal["mail", "slack", "digests by mail", "thread by bot"]

# Some more of each state than fit in a single message, so that each state has a part in the thread of the first.
PARTS = ("first", "Florida", "Texas")


@dataclass(frozen=True, slots=True)
class Point:
    """Where a run is killed: at its n-th commit, or on one side of handing over its n-th message."""

    side: Side
    number: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the servers saw in all: who was told nothing, how many messages came again, and whether under their ids.

    `threaded`: every further part of a message stands below a first part.
    """

    lost: tuple[str, ...]
    repeated: int
    same_ids: bool
    threaded: bool
    states: frozenset[str]


class _SlackThatTells(FakeSlack):
    def __init__(self, on_taken: Callable[[], None]) -> None:
        super().__init__()
        self._on_taken = on_taken

    def reply(self, request: Request) -> Reply:
        answer = super().reply(request)
        self._on_taken()
        return answer


class Crashes:
    """A log with news for some readers, and a held publication for the operator; told one way, over one channel."""

    def __init__(self, how: str, channel: ChannelUnderTest, readers: int, folder: Path) -> None:
        self._how, self._channel, self._readers = how, channel, readers
        self._folder = folder
        self._killing: Callable[[], None] = lambda: None
        self._smtp = FakeSmtp(lambda: self._killing())
        self._slack = _SlackThatTells(lambda: self._killing())

    def points(self) -> list[Point]:
        """Every point that a run has, each once."""
        ran = self._run(self._new_state(), Point("commit", 0))
        assert ran.returncode == 0, ran.stderr
        commits, messages = map(int, ran.stdout.split())
        sides: tuple[Side, ...] = ("send", "taken", "reply")
        return [
            *(Point("commit", n) for n in range(1, commits + 1)),
            *(Point(side, n) for n in range(1, messages + 1) for side in sides),
        ]

    def killed_at(self, point: Point) -> Verdict:
        """Kill a run there, let the next run go through, and look."""
        state = self._new_state()
        self._smtp.messages.clear()
        self._slack.messages.clear()
        ran = self._run(state, point)
        assert ran.returncode == -signal.SIGKILL, f"{point}: {ran.returncode} {ran.stderr}"
        settings = settings_of(self._how, state, self._smtp.port, self._slack.api_url)
        with open_alerts(state) as alerts:
            # At once: a lease would run for minutes yet, but its holder is known to be gone.
            WAYS[self._how](alerts, partial(open_channel, settings=settings), settings, NOON + timedelta(seconds=1))
            states = frozenset(d.state for d in alerts.reports.deliveries())
        return self._verdict(states)

    def _verdict(self, states: frozenset[str]) -> Verdict:
        arrived: dict[str, list[str]] = {}
        for mail in self._smtp.messages:
            arrived.setdefault(mail.recipients[0], []).append(mail.message["Message-ID"])
        for post in self._slack.messages:
            by_bot = post.payload.get("metadata", {}).get("event_payload")
            to = _part_of(post.to, by_bot["part"]) if by_bot else post.path
            arrived.setdefault(to, []).append(post.payload["blocks"][0]["block_id"])
        firsts = {(post.to, post.ts) for post in self._slack.messages if not post.thread_ts}
        return Verdict(
            lost=tuple(sorted(set(self._expected()) - set(arrived))),
            repeated=sum(n - 1 for ids in arrived.values() for n in Counter(ids).values()),
            same_ids=all(len(set(ids)) == 1 for ids in arrived.values()),
            threaded=all((post.to, post.thread_ts) in firsts for post in self._slack.messages if post.thread_ts),
            states=states,
        )

    def _expected(self) -> list[str]:
        if self._channel == "slack":
            return [f"/services/T{n}/B/x" for n in range(self._readers)]
        if self._channel == "thread by bot":
            return [_part_of(_channel(n), part) for n in range(self._readers) for part in range(1, len(PARTS) + 1)]
        # Only ours knows of an operator.
        operator = [OPERATOR] if WAYS[self._how] is WAYS["ours"] else []
        return [f"reader{n}@example.org" for n in range(self._readers)] + operator

    def _new_state(self) -> Path:
        made = self._folder / "made.db"
        if not made.exists():
            self._make(made)
        state = self._folder / "state.db"
        for left in self._folder.glob("state.db*"):
            left.unlink()
        shutil.copy(made, state)
        return state

    def _make(self, path: Path) -> None:
        log = open_log(path)
        with closing(log.alerts):
            for n in range(self._readers):
                self._add_watch(log.alerts, n)
            if self._channel == "thread by bot":
                towns = (
                    cells(f"Town {n}, {state.title()}", state) for state in ("TEXAS", "FLORIDA") for n in range(12)
                )
                log.publishes(*map(new, towns), now=NOON)
            else:
                log.publishes(new(), now=NOON)
            if "mail" in self._channel:
                log.publishes(new(cells("Elsewhere Police Department", "GEORGIA")), now=NOON)
                store = Store(log.alerts.state)
                with store.write():
                    store.publications.decide(2, NOON, "held", Hold(("Too many rows are gone.",), structural=False))
            log.alerts.state.run("PRAGMA wal_checkpoint(TRUNCATE)")

    def _add_watch(self, alerts: AlertStore, n: int) -> None:
        match self._channel:
            case "slack":
                add_watch(alerts, "TX", slack=self._slack.webhook_url(f"T{n}"))
            case "mail":
                add_watch(alerts, "TX", email=f"reader{n}@example.org")
            case "digests by mail":
                # Since yesterday, so that this morning's digest is due.
                seven, yesterday = Schedule(7 * 60), NOON - timedelta(days=1)
                add_watch(alerts, "TX", email=f"reader{n}@example.org", schedule=seven, at=yesterday)
            case "thread by bot":
                with alerts.write():
                    who = alerts.subscribers.ensure(
                        ChannelName.SLACK_BOT, _channel(n), confirmed_by="operator", at=NOON
                    )
                    alerts.watches.add(who, Wants(), at=NOON)

    def _run(self, state: Path, point: Point) -> subprocess.CompletedProcess[str]:
        side = "commit" if point.side == "taken" else point.side
        number = 0 if point.side == "taken" else point.number
        command = [sys.executable, "-m", "tests.alerts.killed", self._how, str(state)]
        command += [str(self._smtp.port), self._slack.api_url, side, str(number)]
        taken = 0
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:

            def killing() -> None:
                nonlocal taken
                taken += 1
                if point.side == "taken" and taken == point.number:
                    os.kill(running.pid, signal.SIGKILL)

            self._killing = killing
            stdout, stderr = running.communicate(timeout=60)
        self._killing = lambda: None
        return subprocess.CompletedProcess(command, running.returncode, stdout, stderr)

    def __enter__(self) -> Crashes:
        self._smtp.__enter__()
        self._slack.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._slack.__exit__(None, None, None)
        self._smtp.__exit__(None, None, None)


def _channel(n: int) -> str:
    return f"C0NEWSROOM{n}"


def _part_of(channel: str, part: int) -> str:
    return f"{channel}, {PARTS[part - 1]}"


@contextmanager
def crashes(how: str, channel: ChannelUnderTest, readers: int) -> Iterator[Crashes]:
    """Servers, and a folder for the state.db that each run begins with."""
    with tempfile.TemporaryDirectory() as folder, Crashes(how, channel, readers, Path(folder)) as made:
        yield made
