"""The command `status`: prints when the lists were last checked and whether anything is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from cli.context import Context, ExitStatus
from cli.output import minute, printable
from cli.pause import paused_line
from monitor.health import ListHealth, Verdict, list_health, overall, stale_after
from monitor.model import ListName, Standing
from monitor.storage.publications import PublicationRecord
from monitor.storage.reviews import ReviewRecord
from monitor.storage.writer import open_store


@click.command()
@click.pass_obj
def status(context: Context) -> None:
    """Print when the lists were last checked and whether anything is wrong.

    Exit status 1 if the last check of a list failed, was held, or did not find the participating list; if a list has
    not been checked for three intervals (and at least three hours); if a publication or a doubtful pair waits for a
    decision; or if sending is paused.
    """
    settings = context.settings
    with open_store(settings.state) as store:
        checks = store.checks.last()
        waiting = [p for p in store.publications.all() if p.verdict == "held"]
        doubtful = store.reviews.open()
        listed = {name: current.standings if (current := store.current(name)) else () for name in ListName}
        position = store.changelog.position()
    lists = list_health(checks, context.now, stale_after(settings.source.every_minutes))
    troubles = _print_status(settings.state, lists, waiting, doubtful, listed, position)
    if paused := paused_line(settings):
        click.echo(paused)
        troubles = True
    context.end(ExitStatus.NEEDS_A_PERSON if troubles else ExitStatus.DONE)


def _print_status(
    state: Path,
    lists: Sequence[ListHealth],
    waiting: Sequence[PublicationRecord],
    doubtful: Sequence[ReviewRecord],
    listed: Mapping[ListName, Sequence[Standing]],
    position: int,
) -> bool:
    """Print the status of lists and decisions; whether something is wrong."""
    click.echo(f"{state}: {position} entries in the log")
    if not lists:
        click.echo("No list was ever checked; run `check` or `run`.")
        return True
    troubles = overall(lists) is not Verdict.FRESH
    for each in lists:
        last = f"{each.outcome} at {minute(each.at)}"
        good = each.succeeded_at and minute(each.succeeded_at)
        click.echo(
            f"{each.list} list: {_rows(listed[each.list])}; last check {last}; last good check {good or 'never'}"
        )
        if each.verdict in (Verdict.FAILED, Verdict.HELD):
            click.echo(f"    {printable(each.detail)}")
        elif each.verdict is Verdict.MISSING:
            click.echo("    ICE's page does not link this list")
        elif each.verdict is Verdict.STALE:
            click.echo("    this is too long ago: is `run` or cron still running?")
    for review in doubtful:
        names = f"{printable(review.departure.agency)} → {printable(review.arrival.agency)}"
        click.echo(f"doubtful since {minute(review.arrival.observed_at)}: {names} ({review.id})")
        troubles = True
    for publication in waiting:
        click.echo(f"held since {minute(publication.observed_at)}: {printable(publication.file)} ({publication.id})")
        troubles = True
    return troubles


def _rows(standings: Sequence[Standing]) -> str:
    """How many rows a list has, and how many agreements, where a row repeats one."""
    repeated = sum(standing.spare for standing in standings)
    if not repeated:
        return f"{len(standings)} rows"
    repeats = "1 row repeats" if repeated == 1 else f"{repeated} rows repeat"
    return f"{len(standings)} rows; {len(standings) - repeated} agreements, {repeats} another"
