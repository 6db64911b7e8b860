"""Who holds a lease, so that what a killed process left behind is taken up by the next run, not minutes later.

A lease ends by itself after a while; that is what counts between machines. On one machine the kernel knows better.
"""

from __future__ import annotations

import os
import socket
import uuid
from functools import cache
from itertools import count
from pathlib import Path

_runs = count(1)


def new_token() -> str:
    """A lease token of this run: place, process, run. No other run ever has the same."""
    return f"{_place()} {os.getpid()} {_process(os.getpid())} {next(_runs)}"


def is_gone(token: str) -> bool:
    """Whether the process that made this token is known to have ended. False where nobody here can tell."""
    try:
        place, pid_text, process, _ = token.split(" ")
        pid = int(pid_text)
    except ValueError:
        return False
    if place != _place():
        return False
    if pid == os.getpid():
        return process != _process(pid)  # our number, after a restart (it is 1 in every container)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


@cache
def _place() -> str:
    """This machine since its last start, and the space in which its process numbers count."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # not Linux
        return socket.gethostname()


@cache
def _process(pid: int) -> str:
    """Tells this process from an earlier one with the same number."""
    return uuid.uuid4().hex[:12]
