"""One `run` at a time on one state.db."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from monitor.errors import StateBusy, StateUnusable
from monitor.storage.lock import only_one

HOLD = (
    "import sys; from pathlib import Path; from monitor.storage.lock import only_one\n"
    "with only_one(Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()"
)


def holder(state: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_one_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with only_one(state), pytest.raises(StateBusy) as caught, only_one(state):
        pass
    assert str(caught.value) == f"{state}: another `run` is watching with this file; stop it, or use another --db"


def test_another_process_is_refused_while_this_one_holds_it(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with holder(state) as other:
        with pytest.raises(StateBusy), only_one(state):
            pass
        assert other.poll() is None


def test_one_after_the_other_may_hold_it(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    for _ in range(2):
        with only_one(state):
            pass


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with holder(state) as other:
        other.kill()
    with only_one(state):
        pass


def test_another_file_has_a_lock_of_its_own(tmp_path: Path) -> None:
    with only_one(tmp_path / "state.db"), only_one(tmp_path / "other.db"):
        pass


def test_holding_it_leaves_the_file_itself_alone(tmp_path: Path) -> None:
    with only_one(tmp_path / "state.db"):
        assert [path.name for path in tmp_path.iterdir()] == ["state.db.lock"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    state = tmp_path / "nowhere" / "state.db"
    with pytest.raises(StateUnusable) as caught, only_one(state):
        pass
    assert str(caught.value) == (
        f"{state}: cannot be written (its lock: No such file or directory); make the file and its folder writable"
    )
