"""How fast messages are handed over, outcomes stored, beside a bare smtplib loop; and one Slack channel's pace.

Counted at the server, which runs in a process of its own. The loop stores nothing: once it composes a mail for each
reader, as people write it, and once it has the bytes of ours ready before the clock starts.
"""

from __future__ import annotations

import smtplib
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from alerts.channels.email import composed
from alerts.delivery.run import route, send
from alerts.model import Delivery
from alerts.storage.store import open_alerts
from bench.measure import Figure
from demo.slack import FakeSlack
from monitor.settings import DeliverySettings, MailSettings, Settings
from tests.alerts.builders import NOON, add_watch, cells, new, open_log, settings

ROUNDS = 5
READERS = 400
TO_SLACK = 15
SENDER = "alerts@monitor.example.org"


class Sink:
    """The counting mail server."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout
        self.port = int(process.stdout.readline())

    def taken(self) -> int:
        """How many mails it took since it was last asked."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def figures() -> Iterator[Figure]:
    """Messages a second at the sink, ours and the bare loop in turn, and the ratio of the medians."""
    with tempfile.TemporaryDirectory() as name, _sink() as sink:
        folder = Path(name)
        rates: dict[str, list[float]] = {}
        commits: list[float] = []
        for number in range(ROUNDS):
            state = folder / f"state{number}.db"
            one = _routed(state, sink.port)
            commits.append(_commit_ms(folder))
            for what, run in (
                ("composed", lambda one=one: _composing(sink.port, one)),
                ("each", lambda state=state: _ours(state, sink.port, 1)),
                ("prepared", lambda one=one: _bare(sink.port, composed(one, SENDER))),
                ("tens", lambda state=state: _ours(state, sink.port, 10)),
            ):
                if what == "tens":
                    _again(state)
                begin = time.perf_counter()
                run()
                taken = time.perf_counter() - begin
                assert sink.taken() == READERS
                rates.setdefault(what, []).append(READERS / taken)
        medians = {what: statistics.median(found) for what, found in rates.items()}
        yield Figure("a commit of one row on this disk, in between", f"{statistics.median(commits):.2f} ms")
        yield Figure("bare loop, a mail composed for each reader", f"{medians['composed']:.0f} /s")
        yield Figure("bare loop, the bytes of ours ready", f"{medians['prepared']:.0f} /s")
        yield Figure("ours, the outcome of each stored before the next", f"{medians['each']:.0f} /s")
        yield Figure("    beside the loop that composes", f"{medians['each'] / medians['composed']:.2f}")
        yield Figure("    beside the loop that has it ready", f"{medians['each'] / medians['prepared']:.2f}", "≥ 0.60")
        yield Figure("ours, acknowledged in tens", f"{medians['tens']:.0f} /s")
        yield Figure("    beside the loop that composes", f"{medians['tens'] / medians['composed']:.2f}")
        yield Figure("    beside the loop that has it ready", f"{medians['tens'] / medians['prepared']:.2f}", "≥ 0.85")
    yield _slack()


def _given(state: Path, port: int, every: int) -> Settings:
    return settings(
        state,
        mail=MailSettings(host="127.0.0.1", port=port, sender=SENDER),
        delivery=DeliverySettings(acknowledge_every=every),
    )


def _routed(state: Path, port: int) -> Delivery:
    """A publication of twenty changes, routed to all readers; one of the deliveries."""
    log = open_log(state)
    with closing(log.alerts):
        for n in range(READERS):
            add_watch(log.alerts, "TX", email=f"reader{n}@example.org")
        log.publishes(*(new(cells(f"Town {n} Police Department")) for n in range(20)), now=NOON)
        route(log.alerts, _given(state, port, 1), NOON)
        made = next(log.alerts.reports.deliveries())
    return Delivery(made.id, made.channel, made.address, made.message, made.message_id, made.created_at, NOON, 1, "")


def _again(state: Path) -> None:
    """All of it waits once more."""
    with open_alerts(state) as alerts:
        alerts.state.run(
            "UPDATE deliveries SET state = 'pending', sent_at = NULL, attempts = 0, parts_sent = 0,"
            " next_attempt_at = created_at"
        )


def _ours(state: Path, port: int, every: int) -> None:
    with open_alerts(state) as alerts:
        send(alerts, _given(state, port, every), NOON)


def _bare(port: int, mail: bytes) -> None:
    """The least that sends mail: one connection, a loop."""
    with smtplib.SMTP("127.0.0.1", port, "localhost") as server:
        for n in range(READERS):
            server.sendmail(SENDER, f"reader{n}@example.org", mail)


def _composing(port: int, one: Delivery) -> None:
    """What people write."""
    with smtplib.SMTP("127.0.0.1", port, "localhost") as server:
        for n in range(READERS):
            mail = EmailMessage(policy=SMTP)
            mail["From"], mail["To"], mail["Subject"] = SENDER, f"reader{n}@example.org", one.message.subject
            mail.set_content(one.message.text, cte="quoted-printable")
            mail.add_alternative(one.message.html, subtype="html", cte="quoted-printable")
            server.send_message(mail)


def _commit_ms(folder: Path) -> float:
    """How long a commit takes that writes one row, as state.db is set up."""
    with closing(sqlite3.connect(folder / "commits.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
        begin = time.perf_counter()
        for n in range(200):
            db.execute("INSERT INTO t VALUES (?)", [n])
        return (time.perf_counter() - begin) / 200 * 1000


def _slack() -> Figure:
    with tempfile.TemporaryDirectory() as name, FakeSlack() as slack:
        path = Path(name) / "state.db"
        log = open_log(path)
        with closing(log.alerts):
            add_watch(log.alerts, "TX", slack=slack.webhook_url("T1"))
            for n in range(TO_SLACK):
                log.publishes(new(cells(f"Town {n} Police Department")), now=NOON)
            given = _given(path, 1, 1)
            route(log.alerts, given, NOON)
            send(log.alerts, given, NOON)
        at = [message.received_at for message in slack.messages]
    rate = (len(at) - 1) / (at[-1] - at[0]).total_seconds()
    return Figure("one Slack channel", f"{rate:.3f} /s", "0.95 to 1.0")


@contextmanager
def _sink() -> Iterator[Sink]:
    command = [sys.executable, "-m", "bench.sink"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Sink(process)
        assert process.stdin
        process.stdin.close()
