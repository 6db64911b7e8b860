"""The commands that print what is recorded: `changes`, `agreements`, `show`, `export-workbook`."""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO

import click

from cli import output
from cli.context import Context
from cli.parameters import Moment, StateCode, format_option
from monitor.errors import MonitorError, NotFound
from monitor.exports import records
from monitor.model import Kind, ListName
from monitor.storage.writer import open_store


@click.command()
@format_option
@click.option("--state", "states", multiple=True, type=StateCode(), help="A state, by code or name; repeatable.")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice([k.value for k in Kind]), help="A kind of entry; repeatable."
)
@click.option(
    "--list", "lists", multiple=True, type=click.Choice([n.value for n in ListName]), help="Only this list; repeatable."
)
@click.option("--since", type=Moment(), help="Only entries first seen at or after this time.")
@click.option("--until", type=Moment(), help="Only entries first seen before this time.")
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
    with open_store(context.settings.state) as store:
        entries = store.changelog.entries(
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
@click.option("--all", "everything", is_flag=True, help="Also agreements that are no longer listed.")
@click.option("--as-of", type=Moment(), help="The lists as of this time. A date means the start of that day, UTC.")
@click.pass_obj
def agreements(context: Context, form: str, states: tuple[str, ...], everything: bool, as_of: datetime | None) -> None:
    """Print the agreements that are listed, on either list."""
    with open_store(context.settings.state) as store:
        wanted = (
            a
            for a in store.agreements.all(as_of=as_of)
            if (everything or a.listed) and (not states or a.state in states)
        )
        output.write(form, map(records.agreement_line, wanted), output.AGREEMENT_COLUMNS)


@click.command()
@click.argument("id")
@click.pass_obj
def show(context: Context, id: str) -> None:
    """Print an agreement (a-…), entry (c-…), publication (p-…) or doubtful pair (r-…) with its history."""
    if id.startswith("p-"):
        # It may have to read a workbook; what that needs takes 0.1 s to import, for which `changes` does not wait.
        from cli.publications import print_publication

        print_publication(context, id)
        return
    with open_store(context.settings.state) as store:
        if id.startswith("a-"):
            if agreement := store.agreements.find(id):
                output.print_agreement(agreement, list(store.changelog.entries(agreement=id)))
                return
        elif id.startswith("c-"):
            entry = store.changelog.get(id)
            output.print_entry(entry, list(store.changelog.entries(about=[id])))
            return
        elif id.startswith("r-"):
            output.print_review(store.reviews.get(id))
            return
    raise NotFound(id, "`agreements`, `changes`, `publications list` and `review list` print ids")


@click.command("export-workbook")
@click.argument("hash")
@click.option(
    "-o", "--output", "to", type=click.File("wb", lazy=False), default="-", help="A file. Default: standard output."
)
@click.pass_obj
def export_workbook(context: Context, hash: str, to: BinaryIO) -> None:
    """Write a workbook exactly as it was fetched. HASH is its sha256, or the first digits of it."""
    with open_store(context.settings.state) as store:
        found = store.publications.workbooks(hash.lower())
        if len(found) != 1:
            what = f"{len(found)} workbooks begin so; give more of it" if found else "no workbook has this sha256"
            raise MonitorError(f"{hash}: {what}; `publications list --format csv` prints them")
        to.write(store.publications.workbook(found[0]))
