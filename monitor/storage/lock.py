"""The locks beside a state.db: one service at a time, and one check at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from monitor.errors import StateBusy, StateUnusable


@contextmanager
def only_one(state: Path) -> Iterator[None]:
    """Hold `state.db.lock` beside the file. Raises StateBusy while another process holds it.

    Two schedulers on one file would check and send everything twice. The operating system releases the lock when the
    process ends, however it ends.
    """
    with _opened(state, "lock") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise StateBusy(state, "another `run` is watching with this file; stop it, or use another --db") from exc
        yield


@contextmanager
def one_check_at_a_time(state: Path) -> Iterator[None]:
    """Wait until no other process is checking with this state.db, and make others wait meanwhile.

    Of two checks at once, the one that fetched first could be the last to record: an older list would count as newer.
    """
    with _opened(state, "check.lock") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _opened(state: Path, suffix: str) -> IO[str]:
    path = state.with_name(f"{state.name}.{suffix}")
    try:
        return path.open("a")
    except OSError as exc:
        what = f"cannot be written (its {suffix}: {exc.strerror}); make the file and its folder writable"
        raise StateUnusable(state, what) from exc
