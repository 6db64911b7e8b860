"""The commands with which an operator decides: `publications`, `review`, `retract`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import click

from alerts.delivery.run import tell
from cli import output, wiring
from cli.context import Context, ExitStatus
from cli.parameters import Words, format_option, named_columns
from monitor.checks import decisions
from monitor.errors import NotPossible
from monitor.exports import records
from monitor.model import Entry
from monitor.storage.lock import one_check_at_a_time
from monitor.storage.writer import open_store

_columns = click.option(
    "--column",
    "columns",
    multiple=True,
    callback=named_columns,
    metavar="HEADER=COLUMN",
    help='What a column of the workbook is, from now on too: "DATE SIGNED=SIGNED"; NONE takes it back; repeatable.',
)
_because = click.option("--why", type=Words(), help="Your reason; it is stored and shown with the decision.")


@click.group()
def publications() -> None:
    """Print the versions of the lists (publications); accept or reject those that are held."""


@publications.command("list")
@format_option
@click.option("--held", is_flag=True, help="Only publications that are held.")
@click.pass_obj
def list_publications(context: Context, form: str, held: bool) -> None:
    """Print publications, oldest first."""
    with open_store(context.settings.state) as store:
        wanted = (p for p in store.publications.all() if not held or p.verdict == "held")
        output.write(form, map(records.publication_line, wanted), output.PUBLICATION_COLUMNS)


@publications.command("show")
@click.argument("id")
@_columns
@click.pass_obj
def show_publication(context: Context, id: str, columns: Mapping[str, str]) -> None:
    """Print a publication, the decisions on it, and its entries.

    For a held publication, these are the entries that accepting it would add.
    """
    print_publication(context, id, columns)


def print_publication(context: Context, id: str, columns: Mapping[str, str] = decisions.NO_COLUMNS) -> None:
    """Print a publication, the decisions on it, and its entries, or those that accepting it would make."""
    with open_store(context.settings.state) as store:
        publication = store.publications.get(id)
        entries: tuple[Entry, ...] = tuple(store.changelog.entries(publication=id))
        refused = ""
        if publication.verdict in ("held", "rejected"):
            try:
                with wiring.reader(lambda: context.settings) as reading:
                    entries = decisions.rehearse(
                        store, reading, id, now=context.now, rules=wiring.rules(context.settings), columns=columns
                    )
            except NotPossible as exc:
                refused = str(exc)
        output.print_publication(publication, store.publications.verdicts(id), entries, refused)


@publications.command()
@click.argument("id")
@_columns
@_because
@click.pass_obj
def accept(context: Context, id: str, columns: Mapping[str, str], why: str | None) -> None:
    """Accept a held publication: record it as of when it was first seen, and alert subscribers.

    Before you accept it, `publications show` prints the entries that it would add.
    """
    with (
        wiring.reader(lambda: context.settings) as reading,
        open_store(context.settings.state) as store,
        one_check_at_a_time(context.settings.state),
    ):
        result = decisions.accept(
            store,
            reading,
            id,
            now=context.now,
            rules=wiring.rules(context.settings),
            why=why or "",
            columns=columns,
        )
    click.echo(f"Accepted {id}: {output.entries_added(result.entries)}.")
    _tell_subscribers(context, asked=result.asked)


@publications.command()
@click.argument("id")
@_because
@click.pass_obj
def reject(context: Context, id: str, why: str | None) -> None:
    """Reject a held publication: it is never recorded, however long ICE serves it."""
    with open_store(context.settings.state) as store:
        decisions.reject(store, id, now=context.now, why=why or "")
    click.echo(f"Rejected {id}: nothing of it will be recorded. The next workbook that differs is judged anew.")


# --- review ----------------------------------------------------------------------------------------------------


@click.group()
def review() -> None:
    """Decide whether the two agreements of a doubtful pair, one gone and one new, are the same.

    Until you decide, the log has an unconfirmed departure and a new agreement, and each says that it may be the other.
    The departure is not confirmed until then, and you are reminded (log.review_days).
    """


@review.command("list")
@format_option
@click.option("--all", "everything", is_flag=True, help="Also pairs that are already decided.")
@click.pass_obj
def list_reviews(context: Context, form: str, everything: bool) -> None:
    """Print doubtful pairs, oldest first."""
    with open_store(context.settings.state) as store:
        found = store.reviews.all() if everything else store.reviews.open()
        output.write(form, (records.review_line(r) for r in found), output.REVIEW_COLUMNS)


@review.command()
@click.argument("id")
@_because
@click.pass_obj
def same(context: Context, id: str, why: str | None) -> None:
    """Decide that a pair is one agreement: withdraw the departure, and make the newer id lead to the older one."""
    _decide(context, decisions.same, id, why)
    click.echo(f"{id}: one agreement. The departure is withdrawn, and whoever was told of it is told so.")
    _tell_subscribers(context)


@review.command()
@click.argument("id")
@_because
@click.pass_obj
def different(context: Context, id: str, why: str | None) -> None:
    """Decide that a pair is two agreements: the departure is then confirmed like any other."""
    _decide(context, decisions.different, id, why)
    click.echo(f"{id}: two agreements. Nothing is taken back; the departure is confirmed as any other.")


def _decide(context: Context, decision: Callable[..., None], id: str, why: str | None) -> None:
    with open_store(context.settings.state) as store, one_check_at_a_time(context.settings.state):
        decision(store, id, now=context.now, why=why or "")


# --- retract ---------------------------------------------------------------------------------------------------


@click.command()
@click.argument("id")
@click.option(
    "--why", "--reason", type=Words(), required=True, help="What was wrong; it is stored and shown with the entry."
)
@click.pass_obj
def retract(context: Context, id: str, why: str | None) -> None:
    """Mark an entry of the log (c-…) as wrong, and tell everyone who was alerted to it. Nothing is deleted."""
    _decide(context, decisions.retract, id, why)
    click.echo(f"Retracted {id}.")
    _tell_subscribers(context)


def _tell_subscribers(context: Context, *, asked: int = 0) -> None:
    """Alert subscribers at once, as after a check. `asked`: how many doubtful pairs the decision made."""
    if asked:
        click.echo(f"Doubtful pairs to look at: {asked}, see `review list`.")
    context.end(ExitStatus.NEEDS_A_PERSON if tell(context.settings, context.now) or asked else ExitStatus.DONE)
