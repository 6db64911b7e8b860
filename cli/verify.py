"""The command `verify`: checks that no alert is missing."""

from __future__ import annotations

import click

from alerts.storage.store import open_alerts
from cli.context import Context, ExitStatus

# Every state of a delivery, in the order of the table.
STATES = ("sent", "ambiguous", "dead", "suppressed", "pending", "leased")


@click.command()
@click.pass_obj
def verify(context: Context) -> None:
    """Check that no alert is missing: every entry for a watch is in a delivery.

    Prints how many deliveries are in each state. Exit status 1 if an entry is missing or records contradict each other.
    """
    with open_alerts(context.settings.state) as alerts:
        ledger = alerts.reports.counts()
        uneven = []
        entries = routed = 0
        for entry, watches, states in alerts.reports.entries_told():
            entries, routed = entries + 1, routed + watches
            if watches != sum(states.get(state, 0) for state in STATES):
                uneven.append(f"{entry}: was routed to {watches} watches, and is in no delivery for some of them")
        faults = [*uneven, *alerts.reports.contradictions()]
    click.echo(f"{context.settings.state}: {entries} entries told to watches, {routed} times")
    click.echo("".join(["deliveries".ljust(14), *(state.rjust(12) for state in STATES)]))
    for purpose, states in ledger.items():
        click.echo("".join([purpose.ljust(14), *(str(states.get(state, 0)).rjust(12) for state in STATES)]))
    for fault in faults:
        click.echo(fault)
    click.echo("Something contradicts itself; see above." if faults else "All of it adds up.")
    context.end(ExitStatus.NEEDS_A_PERSON if faults else ExitStatus.DONE)
