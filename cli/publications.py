"""The commands by which an operator looks at what waits for a person, and decides: publications, review, retract."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from cli import output, wiring
from cli.context import Context, Exit
from cli.parameters import Words, format_option
from monitor.errors import NotPossible
from monitor.exports import records

if TYPE_CHECKING:
    from monitor.model import Entry

_because = click.option("--why", type=Words(), help="Your reason; it is kept, and shown with the decision.")


@click.group()
def publications() -> None:
    """Print the publications that were seen, and decide on those that are held."""


@publications.command("list")
@format_option
@click.option("--held", is_flag=True, help="Only those that are not believed yet.")
@click.pass_obj
def list_publications(context: Context, form: str, held: bool) -> None:
    """Print publications, oldest first."""
    with wiring.store(context.settings) as store:
        wanted = (p for p in store.publications.all() if not held or p.verdict == "held")
        output.write(form, map(records.publication_line, wanted), output.PUBLICATION_COLUMNS)


@publications.command("show")
@click.argument("id")
@click.pass_obj
def show_publication(context: Context, id: str) -> None:
    """Print a publication, what became of it, and what it says; of a held one what accepting it would say."""
    print_publication(context, id)


def print_publication(context: Context, id: str) -> None:
    """Print what became of a publication and what it says; or what it would say, found out by trying."""
    with wiring.store(context.settings) as store:
        publication = store.publications.get(id)
        entries: tuple[Entry, ...] = tuple(store.changelog.entries(publication=id))
        refused = ""
        if publication.verdict in ("held", "rejected"):
            from monitor.checks.decisions import rehearse

            try:
                with wiring.reader(lambda: context.settings) as reading:
                    entries = rehearse(store, reading, id, now=context.now, rules=wiring.rules(context.settings))
            except NotPossible as exc:
                refused = str(exc)
        output.print_publication(publication, store.publications.verdicts(id), entries, refused)


@publications.command()
@click.argument("id")
@_because
@click.pass_obj
def accept(context: Context, id: str, why: str | None) -> None:
    """Believe a held publication: record what it says as of when it was seen, and tell subscribers.

    `publications show` prints beforehand what that would say.
    """
    from monitor.checks.decisions import accept as act
    from monitor.storage.lock import one_check_at_a_time

    with (
        wiring.reader(lambda: context.settings) as reading,
        wiring.store(context.settings) as store,
        one_check_at_a_time(context.settings.state),
    ):
        result = act(store, reading, id, now=context.now, rules=wiring.rules(context.settings), why=why or "")
    click.echo(f"Accepted {id}: {output.entries_added(result.entries)}.")
    _follow_up(context, asked=result.asked)


@publications.command()
@click.argument("id")
@_because
@click.pass_obj
def reject(context: Context, id: str, why: str | None) -> None:
    """Never believe a held publication, however long ICE serves it."""
    from monitor.checks.decisions import reject as act

    with wiring.store(context.settings) as store:
        act(store, id, now=context.now, why=why or "")
    click.echo(f"Rejected {id}: nothing of it will be recorded. The next workbook that differs is judged anew.")


# --- review ----------------------------------------------------------------------------------------------------


@click.group()
def review() -> None:
    """Say of doubtful pairs, one that left and one that came, whether they are one agreement.

    Until you do, they stand as an unconfirmed departure and a new agreement, each saying that it may be the other;
    after a week they count as different.
    """


@review.command("list")
@format_option
@click.option("--all", "everything", is_flag=True, help="Also those that are settled.")
@click.pass_obj
def list_reviews(context: Context, form: str, everything: bool) -> None:
    """Print doubtful pairs, oldest first."""
    with wiring.store(context.settings) as store:
        now, ask_for = context.now, context.settings.log.ask_for
        found = store.reviews.all() if everything else store.reviews.open(now, ask_for)
        output.write(form, (records.review_line(r, now, ask_for) for r in found), output.REVIEW_COLUMNS)


@review.command()
@click.argument("id")
@_because
@click.pass_obj
def same(context: Context, id: str, why: str | None) -> None:
    """They are one agreement: take the departure back, and let the younger id lead to the older."""
    from monitor.checks.decisions import same as act

    _answer(context, act, id, why)
    click.echo(f"{id}: one agreement. The departure is withdrawn, and whoever was told of it is told so.")
    _follow_up(context)


@review.command()
@click.argument("id")
@_because
@click.pass_obj
def different(context: Context, id: str, why: str | None) -> None:
    """They are two agreements: the departure is confirmed as any other."""
    from monitor.checks.decisions import different as act

    _answer(context, act, id, why)
    click.echo(f"{id}: two agreements. Nothing is taken back; the departure is confirmed as any other.")


def _answer(context: Context, act: Callable[..., None], id: str, why: str | None) -> None:
    from monitor.storage.lock import one_check_at_a_time

    with wiring.store(context.settings) as store, one_check_at_a_time(context.settings.state):
        act(store, id, now=context.now, why=why or "")


# --- retract ---------------------------------------------------------------------------------------------------


@click.command()
@click.argument("id")
@click.option(
    "--why", "--reason", type=Words(), required=True, help="What was wrong; it is kept, and shown with the entry."
)
@click.pass_obj
def retract(context: Context, id: str, why: str | None) -> None:
    """Say that an entry of the log (c-…) was wrong; whoever was told of it is told so. Nothing is deleted."""
    from monitor.checks.decisions import retract as act

    _answer(context, act, id, why)
    click.echo(f"Retracted {id}.")
    _follow_up(context)


def _follow_up(context: Context, *, asked: int = 0) -> None:
    """Tell subscribers at once, as after a check. `asked`: doubtful pairs that came of it."""
    if asked:
        click.echo(f"Doubtful pairs to look at: {asked}, see `review list`.")
    context.end(Exit.NEEDS_A_PERSON if context.follow_up() or asked else Exit.DONE)
