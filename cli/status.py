"""The command `status`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import click

from cli.context import Context, ExitStatus
from cli.output import minute, printable
from cli.pause import paused_line
from monitor.model import ListName, Outcome
from monitor.storage.changelog import LastCheck, PublicationRecord, ReviewRecord
from monitor.storage.writer import open_store


@click.command()
@click.pass_obj
def status(context: Context) -> None:
    """Print when the lists were last checked and whether anything is wrong.

    Exit status 1 if a list is held or has not been checked successfully for three intervals, if a doubtful pair waits
    for a decision, or if sending is paused.
    """
    settings = context.settings
    with open_store(settings.state) as store:
        checks = store.last_checks()
        waiting = [p for p in store.publications() if p.verdict == "held"]
        doubtful = store.doubtful(context.now, settings.log.ask_for)
        listed = {name: len(current.standings) if (current := store.current(name)) else 0 for name in ListName}
        position = store.position()
    stale_after = 3 * 60 * settings.source.every_minutes
    troubles = _print_status(settings.state, checks, waiting, doubtful, listed, position, context.now, stale_after)
    if paused := paused_line(settings):
        click.echo(paused)
        troubles = True
    context.end(ExitStatus.NEEDS_A_PERSON if troubles else ExitStatus.DONE)


def _print_status(
    state: Path,
    checks: Sequence[LastCheck],
    waiting: Sequence[PublicationRecord],
    doubtful: Sequence[ReviewRecord],
    listed: Mapping[ListName, int],
    position: int,
    now: datetime,
    stale_after: float,
) -> bool:
    """Print the status of lists and decisions; whether something is wrong. `stale_after` in seconds."""
    troubles = False
    click.echo(f"{state}: {position} entries in the log")
    if not checks:
        click.echo("No list was ever checked; run `check` or `run`.")
        return True
    for check in checks:
        last = f"{check.outcome} at {minute(check.at)}"
        good = check.succeeded_at and minute(check.succeeded_at)
        click.echo(
            f"{check.list} list: {listed[check.list]} rows; last check {last}; last good check {good or 'never'}"
        )
        if check.outcome in (Outcome.FAILED, Outcome.HELD):
            click.echo(f"    {printable(check.detail)}")
            troubles = True
        elif check.outcome is not Outcome.NOT_LINKED and (now - check.at).total_seconds() > stale_after:
            click.echo("    this is too long ago: is `run` or cron still running?")
            troubles = True
    for review in doubtful:
        names = f"{printable(review.departure.agency)} → {printable(review.arrival.agency)}"
        click.echo(f"doubtful since {minute(review.arrival.observed_at)}: {names} ({review.id})")
        troubles = True
    for publication in waiting:
        click.echo(f"held since {minute(publication.observed_at)}: {printable(publication.file)} ({publication.id})")
        troubles = True
    return troubles
