"""The commands `replay` and `backfill`, which read past workbooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from alerts.delivery.run import tell
from cli import output, wiring
from cli.context import Context, ExitStatus
from cli.parameters import Moment
from cli.progress import progress
from monitor.checks import replay as past
from monitor.model import Outcome
from monitor.sources.backfill import MANIFEST, download
from monitor.sources.folder import Step, steps_of
from monitor.storage.lock import one_check_at_a_time
from monitor.storage.writer import Store, open_store
from monitor.workbooks.sandbox import Reader


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--until", type=Moment(), help="Stop before the first workbook published after this time.")
@click.option("--alerts", is_flag=True, help="Alert subscribers. Default: nobody is alerted.")
@click.pass_obj
def replay(context: Context, folder: Path, until: datetime | None, alerts: bool) -> None:
    """Read past workbooks as if each were checked when it was published.

    FOLDER holds workbooks and a manifest.csv (published, link, file, sha256 …). Without a manifest, the workbooks are
    read in the order in which they were saved. Workbooks that are already recorded are skipped, so you can repeat or
    continue a replay.
    """
    settings = context.settings
    with (
        wiring.reader(lambda: settings, past.WORKERS) as reading,
        open_store(settings.state) as store,
        one_check_at_a_time(settings.state),
    ):
        steps = [step for step in steps_of(folder, reading) if until is None or step.at <= until]
        needs_a_person = _replay(context, steps, folder, reading, store, announce=alerts)
    context.end(ExitStatus.NEEDS_A_PERSON if needs_a_person else ExitStatus.DONE)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--since", type=Moment(), default="2025-01-01", show_default=True, help="Only captures since this time.")
@click.pass_obj
def backfill(context: Context, folder: Path, since: datetime) -> None:
    """Fill an empty state.db with past lists from the Internet Archive.

    Downloads the lists and a manifest.csv into FOLDER, then replays FOLDER without alerting anybody. Downloading takes
    hours, because it sends one request at a time. If it is interrupted, run the same command again: nothing is
    downloaded twice. Once FOLDER has a manifest.csv, nothing more is downloaded. To look for more captures, delete
    manifest.csv and use a new --db.

    Exit status: 0 done, 1 captures were skipped or a publication is held, 2 it failed.
    """
    settings = context.settings
    passed_over: tuple[str, ...] = ()
    with wiring.reader(lambda: settings, past.WORKERS) as reading, open_store(settings.state) as store:
        if not (folder / MANIFEST).exists():
            past.refuse_another_log(store, (), folder, settings.state)  # now, and not hours later
            passed_over = download(
                wiring.archive(settings),
                folder,
                reading,
                progress,
                page=settings.source.page,
                workbooks=settings.archive.workbooks,
                since=since,
            )
            for reason in passed_over:
                click.echo(f"Passed over: {output.printable(reason)}", err=True)
        with one_check_at_a_time(settings.state):
            steps = steps_of(folder, reading)
            past.refuse_another_log(store, steps, folder, settings.state)
            needs_a_person = _replay(context, steps, folder, reading, store, announce=False)
    if passed_over:
        click.echo(f"Passed over: {len(passed_over)}, see above.")
    context.end(ExitStatus.NEEDS_A_PERSON if needs_a_person or passed_over else ExitStatus.DONE)


def _replay(
    context: Context, steps: Sequence[Step], folder: Path, reading: Reader, store: Store, *, announce: bool
) -> bool:
    """Check the steps that are not recorded yet and print what came of them; whether something needs a person."""
    settings = context.settings
    to_check = past.steps_to_check(steps, store, folder)
    checks = past.replay(to_check, reading, store, wiring.rules(settings), announce=announce)
    entries, needs_a_person = 0, False
    for step, result in progress(checks, "Replaying", len(to_check)):
        entries += result.entries
        if result.outcome in (Outcome.HELD, Outcome.FAILED):
            click.echo(f"{step.file}: {output.check_line(result)}", err=True)
        if announce:
            # At today's time, by which deliveries are tried again and given up.
            needs_a_person |= tell(settings, context.now)
    held = sum(publication.verdict == "held" for publication in store.publications.all())
    click.echo(output.replay_line(len(to_check), entries, held))
    return needs_a_person or held > 0
