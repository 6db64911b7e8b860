"""Holds the lock that lets only one service run on a state.db."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.errors import StateBusy, StateUnusable


@contextmanager
def only_one(state: Path) -> Iterator[None]:
    """Hold `state.db.lock` beside the file. Raises StateBusy while another process holds it.

    Two schedulers on one file would check and send everything twice. The lock is the process's: it goes with it,
    however it ends.
    """
    path = state.with_name(f"{state.name}.lock")
    try:
        held = path.open("a")
    except OSError as exc:
        raise StateUnusable(path, f"cannot be opened ({exc.strerror}); make its folder writable") from exc
    with held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise StateBusy(state, "another `run` is watching with this file; stop it, or use another --db") from exc
        yield
