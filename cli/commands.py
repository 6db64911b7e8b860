"""The commands about lists and the log. Each gathers, calls, prints; what is printed is formatted in `output`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from cli import output, wiring
from cli.context import AfterCheck, Context, Exit
from cli.parameters import Moment, StateCode, format_option
from monitor.errors import MonitorError, NotFound
from monitor.exports import records
from monitor.model import Kind, ListName, Outcome

if TYPE_CHECKING:
    from monitor.checks.record import CheckResult
    from monitor.rebuild.inputs import PastCheck
    from monitor.settings import Settings
    from monitor.workbooks.sandbox import Reader


@click.command()
@click.pass_obj
def check(context: Context) -> None:
    """Look at both lists once, record what changed and tell subscribers.

    For cron: exit status 0 done, 1 something new needs a person, 2 a list could not be checked.
    """
    with wiring.reader(lambda: context.settings) as reading:  # first: its child gets ready meanwhile
        results, needs_a_person = check_once(reading, context.settings, context.now, context.after_check)
    for result in results:
        click.echo(output.check_line(result))
    if any(result.outcome is Outcome.FAILED for result in results):
        context.end(Exit.COULD_NOT)
    context.end(Exit.NEEDS_A_PERSON if needs_a_person else Exit.DONE)


def check_once(
    reading: Reader, settings: Settings, now: datetime, after_check: Iterable[AfterCheck]
) -> tuple[list[CheckResult], bool]:
    """Check both lists, then do what follows a check; the results, and whether something new needs a person.

    What follows is done even after a failed check: what waits to be sent does not depend on ICE.
    """
    from monitor.checks.prefetch import Ahead
    from monitor.storage.lock import one_check_at_a_time
    from monitor.storage.writer import open_store

    acts: list[Callable[[Settings, datetime], bool]] = []
    try:
        with open_store(settings.state) as store, one_check_at_a_time(settings.state):
            source = Ahead(wiring.ice_site(settings), reading, store)
            # The rest is imported while the workbooks are being read.
            from monitor.checks.check import run_check

            acts = [load() for load in after_check]
            rules = wiring.rules(settings)
            results = [run_check(source, reading, store, name, now=now, rules=rules) for name in ListName]
    finally:
        # Whatever went wrong with one list: what was recorded of the other, and what waits, is told all the same.
        needs_a_person = sum(act(settings, now) for act in acts) > 0
    return results, needs_a_person or any(result.needs_a_person for result in results)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--until", type=Moment(), help="Stop before the first workbook published after this time.")
@click.option("--alerts", is_flag=True, help="Tell subscribers of what is found; silent otherwise.")
@click.pass_obj
def replay(context: Context, folder: Path, until: datetime | None, alerts: bool) -> None:
    """Read a folder of past workbooks as if each were checked at its time.

    FOLDER holds manifest.csv (published, link, file, sha256 …); without one, its workbooks are taken in the order in
    which they were saved. What is recorded already is passed over, so a replay can be repeated or taken up again.
    """
    from monitor.checks.replay import WORKERS, replay_steps
    from monitor.sources.folder import steps_of
    from monitor.storage.lock import one_check_at_a_time

    settings = context.settings
    needs_a_person = False

    def tell() -> None:
        nonlocal needs_a_person
        # At today's time, by which deliveries are tried again and given up.
        needs_a_person |= alerts and context.follow_up()

    with (
        wiring.reader(lambda: settings, WORKERS) as reading,
        wiring.store(context.settings) as store,
        one_check_at_a_time(settings.state),
    ):
        steps = [s for s in steps_of(folder, reading) if until is None or s.at <= until]
        done = replay_steps(steps, folder, reading, store, wiring.rules(settings), announce=alerts, after_each=tell)
    click.echo(output.replay_line(done.workbooks, done.entries, done.held))
    context.end(Exit.NEEDS_A_PERSON if done.held or needs_a_person else Exit.DONE)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--since", type=Moment(), default="2025-01-01", show_default=True, help="Only what was captured since.")
@click.pass_obj
def backfill(context: Context, folder: Path, since: datetime) -> None:
    """Fill an empty state.db with what the Internet Archive has seen of the lists.

    FOLDER keeps what is downloaded (slowly, one request at a time: it takes hours) and a manifest.csv of it, which is
    then replayed in silence. Interrupted, run the same command again: nothing is downloaded twice. Once there is a
    manifest.csv, nobody is asked any more; delete it to look for further captures, and fill a new --db from them.

    Exit status 0 done, 1 captures were passed over or a publication is held, 2 could not.
    """
    from monitor.checks.replay import WORKERS, refuse_another_log, replay_steps
    from monitor.sources.backfill import MANIFEST, download
    from monitor.sources.folder import steps_of
    from monitor.storage.lock import one_check_at_a_time

    settings = context.settings
    passed_over: tuple[str, ...] = ()
    with wiring.reader(lambda: settings, WORKERS) as reading, wiring.store(settings) as store:
        if not (folder / MANIFEST).exists():
            refuse_another_log(store, (), folder, settings.state)  # now, and not hours later
            passed_over = download(
                wiring.archive(settings),
                folder,
                reading,
                page=settings.source.page,
                workbooks=settings.archive.workbooks,
                since=since,
            )
            for said in passed_over:
                click.echo(f"Passed over: {output.printable(said)}", err=True)
        with one_check_at_a_time(settings.state):
            steps = steps_of(folder, reading)
            refuse_another_log(store, steps, folder, settings.state)
            done = replay_steps(steps, folder, reading, store, wiring.rules(settings))
    click.echo(output.replay_line(done.workbooks, done.entries, done.held))
    if passed_over:
        click.echo(f"Passed over: {len(passed_over)}, see above.")
    context.end(Exit.NEEDS_A_PERSON if done.held or passed_over else Exit.DONE)


@click.command()
@format_option
@click.option("--state", "states", multiple=True, type=StateCode(), help="A state, by code or name; repeatable.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice([k.value for k in Kind]), help="A kind; repeatable.")
@click.option("--list", "lists", multiple=True, type=click.Choice([n.value for n in ListName]), help="One list only.")
@click.option("--since", type=Moment(), help="First seen at or after this time.")
@click.option("--until", type=Moment(), help="First seen before this time.")
@click.pass_obj
def changes(
    context: Context,
    form: str,
    states: tuple[str, ...],
    kinds: tuple[str, ...],
    lists: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
) -> None:
    """Print the change log, oldest first. Times without a zone are UTC."""
    with wiring.store(context.settings) as store:
        entries = store.entries(
            states=states,
            kinds=[Kind(k) for k in kinds],
            lists=[ListName(n) for n in lists],
            since=since,
            until=until,
        )
        output.write(form, map(records.entry_line, entries), output.CHANGE_COLUMNS)


@click.command()
@format_option
@click.option("--state", "states", multiple=True, type=StateCode(), help="A state, by code or name; repeatable.")
@click.option("--all", "everything", is_flag=True, help="Also those that are no longer listed.")
@click.option("--as-of", type=Moment(), help="As the lists stood at this time; a day means its beginning, UTC.")
@click.pass_obj
def agreements(context: Context, form: str, states: tuple[str, ...], everything: bool, as_of: datetime | None) -> None:
    """Print the agreements that are listed, on either list."""
    with wiring.store(context.settings) as store:
        wanted = (
            a for a in store.agreements(as_of=as_of) if (everything or a.listed) and (not states or a.state in states)
        )
        output.write(form, map(records.agreement_line, wanted), output.AGREEMENT_COLUMNS)


@click.command()
@click.argument("id")
@click.pass_obj
def show(context: Context, id: str) -> None:
    """Print one agreement (a-…), entry (c-…), publication (p-…) or doubtful pair (r-…) with its history."""
    if id.startswith("p-"):
        from cli.publications import print_publication

        print_publication(context, id)
        return
    with wiring.store(context.settings) as store:
        if id.startswith("a-"):
            for agreement in store.agreements(id):
                output.print_agreement(agreement, list(store.entries(agreement=id)))
                return
        elif id.startswith("c-"):
            entry = store.entry(id)
            output.print_entry(entry, list(store.entries(about=[id])))
            return
        elif id.startswith("r-"):
            output.print_review(store.review(id), context.now, context.settings.log.ask_for)
            return
    raise NotFound(id, "`agreements`, `changes`, `publications list` and `review list` print ids")


@click.command()
@click.argument("new", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def rebuild(context: Context, new: Path) -> None:
    """Derive everything again, by the rules of this version, into a NEW file; and print what differs.

    Starts from the workbooks, the checks and your decisions. Ids stay; an entry that no longer arises is kept,
    retracted. Watches and deliveries go along; nobody is told of anything. Stop the service first: what it saw or sent
    meanwhile would be missing from the new file. This one is left as it is; put the new one in its place, and start the
    service again.
    """
    from cli.progress import progress
    from monitor.rebuild.rebuild import rebuild as derive
    from monitor.rebuild.rebuild import whole_or_not_at_all
    from monitor.rebuild.target import open_successor
    from monitor.storage.changelog import open_reader
    from monitor.storage.lock import one_check_at_a_time, only_one

    settings = context.settings
    if not settings.state.exists():
        raise MonitorError(f"{settings.state}: there is no such file to rebuild; name it with --db")
    carriers = [load() for load in context.rebuilders]

    def ahead(look: PastCheck) -> None:
        if look.sha256:
            reading.ahead(look.fetched())

    with (
        wiring.reader(lambda: settings, 2) as reading,
        open_reader(settings.state) as old,
        only_one(settings.state),
        one_check_at_a_time(settings.state),
        whole_or_not_at_all(new) as unfinished,
    ):
        for carrier in carriers:
            carrier.ready(settings.state)
        with open_successor(unfinished, old) as store:
            result = derive(
                old,
                store,
                reading,
                rules=wiring.rules(settings),
                now=context.now,
                shown=lambda looks: progress(looks, "Rebuilding", ahead=ahead, depth=4),
            )
        for carrier in carriers:
            carrier.carry(settings.state, unfinished, named=new)
    output.print_rebuilt(result, settings.state, new)


@click.command("export-workbook")
@click.argument("hash")
@click.option("-o", "--output", "to", type=click.File("wb", lazy=False), default="-", help="A file; standard output.")
@click.pass_obj
def export_workbook(context: Context, hash: str, to: BinaryIO) -> None:
    """Write the workbook with this sha256 (or its beginning), byte for byte as it was fetched."""
    with wiring.store(context.settings) as store:
        found = store.workbooks(hash.lower())
        if len(found) != 1:
            what = f"{len(found)} workbooks begin so; give more of it" if found else "no workbook has this sha256"
            raise MonitorError(f"{hash}: {what}; `publications list --format csv` prints them")
        to.write(store.workbook(found[0]))


@click.command()
@click.pass_obj
def status(context: Context) -> None:
    """Say when the lists were last checked and whether anything is wrong.

    Exit status 1 where a list is held or has not been checked successfully for three intervals, where a doubtful pair
    waits for an answer, or where sending is paused.
    """
    settings = context.settings
    with wiring.store(context.settings) as store:
        checks = store.last_checks()
        waiting = [p for p in store.publications() if p.verdict == "held"]
        doubtful = store.doubtful(context.now, settings.log.ask_for)
        listed = {name: len(current.standings) if (current := store.current(name)) else 0 for name in ListName}
        position = store.position()
    stale_after = 3 * 60 * settings.source.every_minutes
    troubles = output.print_status(
        settings.state, checks, waiting, doubtful, listed, position, context.now, stale_after
    )
    for standing in context.standings:
        for line in standing()(settings):
            click.echo(line)
            troubles = True
    context.end(Exit.NEEDS_A_PERSON if troubles else Exit.DONE)
