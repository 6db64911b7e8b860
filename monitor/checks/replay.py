"""Checks past workbooks, each as if at its time: what `replay` and `backfill` do once they know the steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from monitor.checks.check import run_check
from monitor.checks.decide import Rules
from monitor.checks.record import CheckResult
from monitor.errors import ManifestError, StateError
from monitor.model import ListName
from monitor.sources.folder import Step
from monitor.storage.writer import Store
from monitor.workbooks.sandbox import Reader

WORKERS = 2  # processes that read side by side


def steps_to_check(steps: Sequence[Step], store: Store, folder: Path) -> list[Step]:
    """The steps that are not recorded yet. Raises ManifestError if the first is older than the last check."""
    steps_by_look: dict[tuple[ListName, datetime, str], Step] = {}
    for step in steps:
        steps_by_look.setdefault((step.list, step.at, step.sha256), step)
    to_check = [step for look, step in steps_by_look.items() if not store.was_checked(*look)]
    last = store.last_check_at()
    if last and to_check and to_check[0].at < last:
        raise ManifestError(
            folder,
            f"{to_check[0].file} was published {to_check[0].at:%Y-%m-%d %H:%M} UTC, before the last check"
            f" ({last:%Y-%m-%d %H:%M} UTC); the log cannot be continued backwards, replay into a new --db",
        )
    return to_check


def replay(
    steps: Sequence[Step], reader: Reader, store: Store, rules: Rules, *, announce: bool = False
) -> Iterator[tuple[Step, CheckResult]]:
    """Check each step at its own time, and yield what came of it."""
    for step in reader.ahead_of(steps, Step.fetched, 2 * WORKERS):
        yield step, run_check(step, reader, store, step.list, now=step.at, rules=rules, announce=announce)


def refuse_another_log(store: Store, steps: Sequence[Step], folder: Path, state: Path) -> None:
    """Raise StateError if the store holds checks other than those of the steps: a log cannot be continued backwards.

    Recorded checks of the steps themselves are an interrupted run, which can be continued.
    """
    looks = {(s.list, s.at, s.sha256) for s in steps}
    if store.count_checks() > sum(store.was_checked(*look) for look in looks):
        raise StateError(
            state,
            f"holds checks that are not from {folder}; a backfill goes into an empty file only, since a log cannot be"
            " continued backwards: name a new one with --db, and let `run` use that once it is filled",
        )
