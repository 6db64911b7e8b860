"""Pages of the whole replay of 2025 over HTTP: waits at 50 requests a second, and requests/s beside Datasette.

The server is `serve` as it ships, in a process of its own on one core; the load comes from another. Requests are
sent when they are due, whether or not earlier ones were answered, and a wait is counted from when its request was due.
`BENCH_STATE` names a state.db to take instead of replaying the lists.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile
from threading import Thread, local
from urllib.parse import urlsplit

from bench.measure import LISTS, Figure, process, seconds
from monitor.normalize import STATES
from monitor.storage.changelog import open_reader
from web.pages.calendar import day_of

RATE, SECONDS, COLD = 50, 20, 100
CONNECTIONS = 4
CLOSED_SECONDS = 4
ENCODING = {"Accept-Encoding": "gzip"}


def figures() -> Iterator[Figure]:
    """p99 by page, when each is asked for the first time and again; then requests/s, ours and Datasette's."""
    given = os.environ.get("BENCH_STATE")
    if not given and not LISTS.is_dir():
        yield Figure("skipped: the real lists are not here", "")
        return
    with tempfile.TemporaryDirectory() as name:
        state = Path(name) / "state.db"
        if given:
            copyfile(given, state)
        else:
            process(["-m", "cli", "--db", str(state), "replay", str(LISTS)], Path(name))
        addresses = _addresses(state)
        yield from _waits(state, addresses)
        yield from _throughput(state, addresses)


def _addresses(state: Path) -> dict[str, list[str]]:
    """What is asked for, by sort; in an order that is the same in every run."""
    from zoneinfo import ZoneInfo

    with open_reader(state) as log:
        days = sorted({day_of(t.observed_at, ZoneInfo("America/New_York")) for t in log.tally()})
        ids = [entry.id for entry in log.entries()]
        agreements = [agreement.id for agreement in log.agreements()]
    chance = random.Random(287)
    found = {
        "front": ["/"],
        "day": [f"/days/{day.isoformat()}" for day in days],
        "state": [f"/states/{code.lower()}" for code in STATES],
        "change": [f"/changes/{id}" for id in chance.sample(ids, 400)],
        "agreement": [f"/agreements/{id}" for id in chance.sample(agreements, 200)],
        "change API": [
            *(f"/api/changes?after={after}" for after in range(0, len(ids), 100)),
            *(f"/api/changes?state={code}&limit=100" for code in STATES),
            *(f"/api/changes/{id}" for id in chance.sample(ids, 100)),
        ],
    }
    for of_sort in found.values():
        chance.shuffle(of_sort)
    return found


def _waits(state: Path, addresses: dict[str, list[str]]) -> Iterator[Figure]:
    every = [address for of_sort in addresses.values() for address in of_sort]
    random.Random(2025).shuffle(every)
    with _served(["-m", "cli", "--db", str(state), "serve", "--port", "0"], state.parent) as (url, pid):
        size, raw = _weigh(url, "/")
        yield Figure(
            "the front page over the wire, gzip (as it is)", f"{size / 1000:.0f} ({raw / 1000:.0f}) kB", "≤ 60 kB"
        )
        for sort, chosen in (("each page once", every), ("the same again", every)):
            before = _cpu_seconds(pid)
            waits = _at_rate(url, chosen)
            spent = (_cpu_seconds(pid) - before) / len(every)
            yield Figure(f"p50 / p99 of all, {sort}, {RATE}/s", _quantiles(list(waits.values())), "≤ 25 ms")
            yield Figure("  of the server's time, each", f"{spent * 1000:.1f} ms")
            for of, some in addresses.items():
                yield Figure(f"  of them {of} ({len(some)})", _quantiles([waits[a] for a in some]))
        for address in ("/states/tx", "/states/fl"):
            yield Figure(f"{address}, {RATE}/s, kept", _quantiles(_waited(url, [address] * RATE * SECONDS)))
            before, anew = _cpu_seconds(pid), [f"{address}?again={n}" for n in range(COLD)]
            yield Figure(f"{address}, made anew each time, one at a time", _quantiles(_one_by_one(url, anew)))
            yield Figure("  of the server's time, each", f"{(_cpu_seconds(pid) - before) / COLD * 1000:.1f} ms")


def _throughput(state: Path, addresses: dict[str, list[str]]) -> Iterator[Figure]:
    """Closed loops over the same data, one after the other, each server alone on its core."""
    with open_reader(state) as log:
        newest = log.position()
    ours = {
        "a change": addresses["change"][0],
        "a day": "/days/2025-12-10",
        "a state (Florida)": "/states/fl",
    }
    theirs = {
        "a row of the table of entries": f"/state/entries/{newest}",
        "a row, as JSON": f"/state/entries/{newest}.json",
        "100 rows of Florida": "/state/entries?state=FL",
        "100 rows of Florida, as JSON": "/state/entries.json?state=FL",
    }
    with _served(["-m", "cli", "--db", str(state), "serve", "--port", "0"], state.parent) as (url, _):
        for what, address in ours.items():
            yield Figure(f"requests/s, {what}", f"{_per_second(url, address):.0f}")
    if not find_spec("datasette"):
        yield Figure("skipped: datasette is not installed", "")
        return
    with _served(["-m", "datasette", "serve", str(state), "--port", "8287"], state.parent) as (url, _):
        for what, address in theirs.items():
            yield Figure(f"requests/s, Datasette, {what}", f"{_per_second(url, address):.0f}")


@contextmanager
def _served(arguments: Sequence[str], cwd: Path) -> Iterator[tuple[str, int]]:
    """The address and the process of a server on the first core; the load is on another, where there is one."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})  # the child takes it over
    server = subprocess.Popen(
        [sys.executable, *arguments], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    os.sched_setaffinity(0, set(cores[1:] or cores))
    try:
        assert server.stdout
        for line in server.stdout:
            if found := re.search(r"http://[\w.:]+", line):
                Thread(target=server.stdout.read, daemon=True).start()  # what it goes on printing must not stop it
                yield found[0], server.pid
                break
        else:
            raise RuntimeError(f"{arguments}: no address was printed")
    finally:
        os.sched_setaffinity(0, set(cores))
        server.terminate()
        server.wait(10)


_here = local()


def _get(url: str, address: str) -> bytes:
    """An answer's body, over a connection that the thread keeps."""
    where = urlsplit(url).netloc
    if getattr(_here, "where", None) != where:
        _here.where, _here.connection = where, http.client.HTTPConnection(where, timeout=30)
    _here.connection.request("GET", address, headers=ENCODING)
    answer = _here.connection.getresponse()
    body: bytes = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{address}: {answer.status}")
    return body


def _at_rate(url: str, addresses: Sequence[str]) -> dict[str, float]:
    """How long each address took, in seconds, counted from when it was due."""
    return dict(zip(addresses, _waited(url, addresses), strict=True))


def _one_by_one(url: str, addresses: Sequence[str]) -> list[float]:
    return [seconds(lambda address=address: _get(url, address)) for address in addresses]  # type: ignore[misc]


def _waited(url: str, addresses: Sequence[str]) -> list[float]:
    with ThreadPoolExecutor(CONNECTIONS * 4) as pool:
        begin = time.perf_counter() + 0.2

        def ask(number: int) -> float:
            due = begin + number / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            _get(url, addresses[number])
            return time.perf_counter() - due

        return list(pool.map(ask, range(len(addresses))))


def _per_second(url: str, address: str) -> float:
    def loop(_: int) -> int:
        count, until = 0, time.perf_counter() + CLOSED_SECONDS
        while time.perf_counter() < until:
            _get(url, address)
            count += 1
        return count

    _get(url, address)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return sum(pool.map(loop, range(CONNECTIONS))) / CLOSED_SECONDS


def _cpu_seconds(pid: int) -> float:
    """What a process has computed so far: it tells on a busy machine, too, what waiting times do not."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _weigh(url: str, address: str) -> tuple[int, int]:
    """Bytes of a page over the wire where the browser takes gzip, and where it does not."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    sizes = []
    for headers in (ENCODING, {}):
        connection.request("GET", address, headers=headers)
        sizes.append(len(connection.getresponse().read()))
    return sizes[0], sizes[1]


def _quantiles(waits: Sequence[float]) -> str:
    p99 = statistics.quantiles(waits, n=100)[98] if len(waits) > 1 else waits[0]
    return f"{statistics.median(waits) * 1000:.1f} / {p99 * 1000:.1f} ms"
