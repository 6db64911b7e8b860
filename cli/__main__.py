"""The command line `agreement-monitor`: joins the packages' commands and wires the service together.

The only file that may know every package, and one of two that read the clock (the other is `schedule`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from cli.collector import look_seldom
from cli.context import Context, Exit, Rebuilder
from monitor import __version__
from monitor.errors import MonitorError

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

    from cli.schedule import Job
    from monitor.settings import Settings

# Where each command lives; a module is imported when its command is called (or its help is asked for).
COMMANDS = {
    "demo": ("cli.demo", "Run the whole service once on sample lists, against servers of its own."),
    "run": (__name__, "Watch the lists, send alerts and serve the change log until stopped."),
    "check": ("cli.commands", "Look at the lists once, record what changed and tell subscribers."),
    "replay": ("cli.commands", "Read a folder of past workbooks as if each were checked at its time."),
    "backfill": ("cli.commands", "Fill an empty state.db with what the Internet Archive has seen of the lists."),
    "changes": ("cli.commands", "Print the change log."),
    "agreements": ("cli.commands", "Print the agreements."),
    "show": ("cli.commands", "Print one agreement, entry or publication."),
    "publications": ("cli.publications", "Print the publications that were seen, and decide on those that are held."),
    "review": ("cli.publications", "Say whether doubtful pairs are one agreement."),
    "retract": ("cli.publications", "Say that an entry of the log was wrong."),
    "rebuild": ("cli.commands", "Derive everything again by today's rules, into a new file; and say what differs."),
    "export-workbook": ("cli.commands", "Write a workbook that was fetched, byte for byte."),
    "watch": ("cli.watch", "Say who is told of what, and how often."),
    "deliveries": ("cli.deliveries", "Print what was sent to whom, and what waits."),
    "pause": ("cli.doctor", "Hold back everything that would be sent; lists are checked as ever."),
    "resume": ("cli.doctor", "Send what waits, and what is new, again."),
    "serve": ("cli.web", "Serve the change log on the web."),
    "publish": ("cli.web", "Write the whole site as files for any web host."),
    "status": ("cli.commands", "Say when the lists were last checked and whether anything is wrong."),
    "doctor": ("cli.doctor", "Look whether everything is in place, and send a test message to the operator."),
    "verify": ("cli.doctor", "Check that state.db adds up: nothing that was to be told is unaccounted for."),
}  # fmt: skip


class Commands(click.Group):
    """Loads a command's module only when that command is wanted, so that `--help` costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name][0], name.replace("-", "_")
        command = globals()[attribute] if module == __name__ else getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="agreement-monitor")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Settings file; config.toml in this folder if it is there.",
)
@click.option(
    "--db",
    "state",
    type=click.Path(path_type=Path),
    help="Where everything is kept; state.db in this folder.",
)
@click.pass_context
def group(ctx: click.Context, config: Path | None, state: Path | None) -> None:
    """Watches ICE's lists of 287(g) agreements and tells people what is new, changed or no longer listed."""
    ctx.obj = Context(_clock, config, state, after_check=[_telling], rebuilders=[_carrying], standings=[_sending])


def _clock() -> datetime:
    return datetime.now(UTC)


def _telling() -> Callable[[Settings, datetime], bool]:
    from alerts.delivery.run import tell

    return tell


def _sending() -> Callable[[Settings], list[str]]:
    from cli.doctor import held_back

    return held_back


def _carrying() -> Rebuilder:
    from alerts.storage.rebuild import Carrier

    return Carrier()


@click.command()
@click.pass_obj
def run(context: Context) -> None:
    """Watch the lists, send alerts and serve the change log until stopped (Ctrl-C or SIGTERM).

    Checks at once and then every source.every_minutes; what waits to be sent is tried every minute. One process at a
    time on one state.db.
    """
    from cli import schedule
    from cli.web import serve_forever
    from monitor.storage.lock import only_one

    settings = context.settings
    running: list[BackgroundScheduler] = []
    stop = Event()

    def begin(url: str) -> None:
        """Only once the address is had: a service that is started again and again must not ask ICE each time."""
        click.echo(f"Serving {url}", err=True)
        running.append(schedule.start(service_jobs(settings, stop)))

    with only_one(settings.state):
        try:
            serve_forever(settings, context.clock, ready=begin)
        finally:
            stop.set()
            for jobs in running:
                jobs.shutdown(wait=True)  # a check, or a message under way, is finished


def service_jobs(settings: Settings, stop: Event) -> list[Job]:
    """What `run` does again and again, beside serving the pages; once `stop` is set, no message is begun any more."""
    from alerts.delivery.run import tell
    from cli import output, wiring
    from cli.commands import check_once
    from cli.schedule import Job

    running_since: datetime | None = None

    def check(now: datetime) -> None:
        with wiring.reader(lambda: settings) as reading:
            results, _ = check_once(reading, settings, now, [lambda: partial(tell, stop=stop)])
        for result in results:
            click.echo(f"{now:%Y-%m-%d %H:%M:%S} {output.check_line(result)}", err=True)

    def send(now: datetime) -> None:
        nonlocal running_since
        running_since = running_since or now
        tell(settings, now, running_since, stop)

    return [
        Job("check", timedelta(minutes=settings.source.every_minutes), check),
        Job("send", timedelta(minutes=1), send),
    ]


def main() -> None:
    """Run the command line; an error that the caller can mend is said in one line, and the exit status is 2."""
    look_seldom()
    try:
        group(prog_name="agreement-monitor")
    except MonitorError as exc:
        click.echo(f"agreement-monitor: {exc}", err=True)
        sys.exit(Exit.COULD_NOT)


if __name__ == "__main__":
    main()
