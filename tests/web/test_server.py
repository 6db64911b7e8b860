"""`serve`, as its own process."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.web.builders import Log, at, row

pytestmark = pytest.mark.service

ROOT = Path(__file__).parents[2]
SECONDS = 30


@contextmanager
def serving(state: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`serve` on a log, and the address that it names."""
    command = [sys.executable, "-m", "cli", "--db", str(state), "serve", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            assert said.startswith("Serving http://127.0.0.1:"), said
            yield process, said.split()[1]
        finally:
            process.kill()


def fails(state: Path, *options: str) -> str:
    """What `serve` says when it cannot; with the exit status of that."""
    command = [sys.executable, "-m", "cli", "--db", str(state), "serve", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 2
    return done.stderr


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(log: Log, stop: signal.Signals) -> None:
    log.begins(at("2025-08-01 14:00"), row())
    with serving(log.path, "--port", "0") as (process, address):
        answer = requests.get(f"{address}/states/ga", timeout=SECONDS)
        assert answer.status_code == 200
        assert "Quillmarsh County" in answer.text
        assert "Server" not in answer.headers
        process.send_signal(stop)
        assert process.wait(SECONDS) == 0


def test_it_says_that_what_visitors_ask_for_waits(log: Log) -> None:
    log.begins(at("2025-08-01 14:00"), row())
    with serving(log.path, "--port", "0") as (process, _):
        assert process.stderr
        assert "waits until `run` or `check` sends it" in process.stderr.readline()


def test_a_form_is_sent_with_cookies_and_what_is_too_large_is_not_read(log: Log) -> None:
    log.begins(at("2025-08-01 14:00"), row())
    with serving(log.path, "--port", "0") as (_, address), requests.Session() as visitor:
        form = visitor.get(f"{address}/subscribe", timeout=SECONDS).text
        token = form.partition('name="csrf_token" value="')[2].partition('"')[0]
        typed = {"csrf_token": token, "email": "reader@example.org", "kinds": "new"}
        answer = visitor.post(f"{address}/subscribe", typed, allow_redirects=False, timeout=SECONDS)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/subscribe/sent")
        assert requests.post(f"{address}/subscribe", typed, timeout=SECONDS).status_code == 400
        large = visitor.post(f"{address}/subscribe", typed | {"webhook": "x" * 100_000}, timeout=SECONDS)
        assert large.status_code == 413


def test_a_port_in_use_is_said_in_a_line(log: Log, busy_port: int) -> None:
    log.begins(at("2025-08-01 14:00"), row())
    said = fails(log.path, "--port", str(busy_port))
    assert said.startswith(f"agreement-monitor: port {busy_port} of 127.0.0.1 is in use; ")
    assert len(said.splitlines()) == 1


def test_another_port_is_taken_when_any_will_do(log: Log, busy_port: int) -> None:
    log.begins(at("2025-08-01 14:00"), row())
    with serving(log.path, "--port", str(busy_port), "--any-port") as (_, address):
        assert not address.endswith(f":{busy_port}")
        assert requests.get(address, timeout=SECONDS).status_code == 200


def test_a_log_that_is_not_there_is_not_made_up(tmp_path: Path) -> None:
    said = fails(tmp_path / "typing-eror.db", "--port", "0")
    assert "there is no such file" in said
    assert list(tmp_path.iterdir()) == []
