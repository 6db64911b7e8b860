"""Has past workbooks checked, each as if at its time: what `replay` and `backfill` do once they know the steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from cli import output
from cli.progress import progress
from monitor.checks.check import run_check
from monitor.checks.decide import Rules
from monitor.errors import ManifestError, StateError
from monitor.model import Outcome
from monitor.sources.folder import Step
from monitor.storage.writer import Store
from monitor.workbooks.sandbox import Reader

WORKERS = 2  # processes that read side by side


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was done: workbooks looked at, entries added to the log, publications that are still held."""

    workbooks: int
    entries: int
    held: int


def replay_steps(
    steps: Sequence[Step],
    folder: Path,
    reading: Reader,
    store: Store,
    rules: Rules,
    *,
    announce: bool = False,
    after_each: Callable[[], None] = lambda: None,
) -> Replayed:
    """Check each step that is not recorded already, saying how far it is; what is held or fails is said at once.

    Raises ManifestError where the first of them lies before the last check.
    """
    steps = [s for s in steps if not store.was_checked(s.list, s.at, s.sha256)]
    _refuse_the_past(store, steps, folder)
    entries = 0
    for step in progress(steps, "Replaying", ahead=lambda s: reading.ahead(s.fetched()), depth=2 * WORKERS):
        if store.was_checked(step.list, step.at, step.sha256):
            continue  # listed twice
        result = run_check(step, reading, store, step.list, now=step.at, rules=rules, announce=announce)
        entries += result.entries
        if result.outcome in (Outcome.HELD, Outcome.FAILED):
            click.echo(f"{step.file}: {output.check_line(result)}", err=True)
        after_each()
    held = sum(p.verdict == "held" for p in store.publications())
    return Replayed(len(steps), entries, held)


def _refuse_the_past(store: Store, steps: Sequence[Step], folder: Path) -> None:
    last = store.last_check_at()
    if last and steps and steps[0].at < last:
        raise ManifestError(
            folder,
            f"{steps[0].file} was published {steps[0].at:%Y-%m-%d %H:%M} UTC, before the last check"
            f" ({last:%Y-%m-%d %H:%M} UTC); the log cannot be continued backwards, replay into a new --db",
        )


def refuse_another_log(store: Store, steps: Sequence[Step], folder: Path, state: Path) -> None:
    """Raise StateError where other checks are recorded than those of the steps: history goes before a log, not after.

    What is recorded of the steps themselves is an interrupted run, which can be taken up again.
    """
    looks = {(s.list, s.at, s.sha256) for s in steps}
    if store.count_checks() > sum(store.was_checked(*look) for look in looks):
        raise StateError(
            state,
            f"holds checks that are not from {folder}; a backfill goes into an empty file only, since a log cannot be"
            " continued backwards: name a new one with --db, and let `run` use that once it is filled",
        )
