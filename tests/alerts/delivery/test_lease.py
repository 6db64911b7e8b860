"""Who holds a lease, and whether they are still there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from alerts.delivery.lease import is_gone, new_token

ROOT = Path(__file__).parents[3]
PRINT_TOKEN = "from alerts.delivery.lease import new_token; print(new_token(), flush=True)"


def test_no_two_runs_have_the_same_token() -> None:
    assert new_token() != new_token()


def test_a_run_of_this_process_is_still_there() -> None:
    assert not is_gone(new_token())


def test_a_process_that_has_ended_is_gone() -> None:
    ended = subprocess.run([sys.executable, "-c", PRINT_TOKEN], cwd=ROOT, capture_output=True, text=True, check=True)
    assert is_gone(ended.stdout.strip())


def test_a_process_that_runs_is_still_there() -> None:
    command = [sys.executable, "-c", f"{PRINT_TOKEN}; input()"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        token = running.stdout.readline().strip()
        assert not is_gone(token)
        running.communicate("\n")


def test_an_earlier_process_with_our_number_is_gone() -> None:
    place, pid, _, run = new_token().split(" ")
    assert pid == str(os.getpid())
    assert is_gone(f"{place} {pid} 0123456789ab {run}")


def test_nobody_here_can_tell_about_another_machine() -> None:
    _, _, process, run = new_token().split(" ")
    assert not is_gone(f"elsewhere 1 {process} {run}")
    assert not is_gone("a token of some other kind")
