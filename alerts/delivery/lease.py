"""Tells whether the process that holds a lease still runs, so that the deliveries of a killed one are sent at once.

Between machines only the time at which a lease expires counts. On one machine the kernel can tell whether the process
still runs.
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
    """A lease token of this run, made of place, process and run. No two runs have the same."""
    return f"{_place()} {os.getpid()} {_process(os.getpid())} {next(_runs)}"


def is_gone(token: str) -> bool:
    """Whether the process that made this token is known to have ended. False if that cannot be told from here."""
    try:
        place, pid_text, process, _ = token.split(" ")
        pid = int(pid_text)
    except ValueError:
        return False
    if place != _place():
        return False
    if pid == os.getpid():
        return process != _process(pid)  # an earlier process with our number (it is 1 in every container)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


@cache
def _place() -> str:
    """This machine since its last boot, and the namespace of its process ids."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # not Linux
        return socket.gethostname()


@cache
def _process(pid: int) -> str:
    """Random, to distinguish this process from an earlier one with the same id."""
    return uuid.uuid4().hex[:12]
