"""The command `check`: checks both lists once and alerts subscribers."""

from __future__ import annotations

import click

from cli import wiring
from cli.context import Context, ExitStatus
from monitor.model import Outcome


@click.command()
@click.pass_obj
def check(context: Context) -> None:
    """Check both lists once, record what changed and alert subscribers.

    Use this with cron. Exit status: 0 done, 1 something new needs a person, 2 a list could not be checked.
    """
    with wiring.reader(lambda: context.settings) as reading:
        # The reading process has been started and loads openpyxl while this one imports the rest.
        from cli.checking import check_once
        from cli.output import check_line

        results, needs_a_person = check_once(reading, context.settings, context.now)
    for result in results:
        click.echo(check_line(result))
    if any(result.outcome is Outcome.FAILED for result in results):
        context.end(ExitStatus.COULD_NOT)
    context.end(ExitStatus.NEEDS_A_PERSON if needs_a_person else ExitStatus.DONE)
