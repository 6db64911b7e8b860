"""How benches measure: whole processes and calls, interleaved with what they are compared to, medians."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

LISTS = Path(__file__).resolve().parents[2] / "shared" / "lists"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a bench's table; `bound` is the aim, in words."""

    what: str
    value: str
    bound: str = ""


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def medians(rounds: int, *calls: Callable[[], object]) -> list[float]:
    """The median time of each call, all called in turn in each round, so that noise meets them alike."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for taken, call in zip(times, calls, strict=True):
            taken.append(seconds(call))
    return [statistics.median(taken) for taken in times]


def process(arguments: Sequence[str], cwd: Path, ok: tuple[int, ...] = (0,)) -> None:
    """Run this Python with arguments in a folder; an unexpected exit status is an error."""
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode not in ok:
        raise RuntimeError(f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took for a part of its work, and at its peak for all of it; and how much it made."""

    seconds: float
    peak_mb: float
    count: int


def apart(arguments: Sequence[str]) -> Cost:
    """Run this Python with arguments that end in `report`, so that nothing else counts in its memory."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return Cost(**json.loads(done.stdout))


def report(seconds: float, count: int) -> None:
    """Print what `apart` reads."""
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb, "count": count}))
