"""The command line `agreement-monitor`: which module each command is in, and the clock."""

from __future__ import annotations

import gc
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import click

from cli.context import Context, ExitStatus
from monitor import __version__
from monitor.errors import MonitorError

# Where each command lives; a module is imported when its command is called (or its help is asked for).
COMMANDS = {
    "demo": ("cli.demo", "Run the whole service on sample lists, on this machine only."),
    "run": ("cli.service", "Watch the lists, send alerts and serve the change log until stopped."),
    "check": ("cli.check", "Check both lists once, record what changed and alert subscribers."),
    "replay": ("cli.replay", "Read past workbooks as if each were checked when it was published."),
    "backfill": ("cli.replay", "Fill an empty state.db with past lists from the Internet Archive."),
    "changes": ("cli.log", "Print the change log."),
    "agreements": ("cli.log", "Print the agreements that are listed, now or at an earlier time."),
    "show": ("cli.log", "Print one agreement, entry, publication or doubtful pair."),
    "publications": ("cli.publications", "Print the versions of the lists; accept or reject those that are held."),
    "review": ("cli.publications", "Decide whether two agreements are the same."),
    "retract": ("cli.publications", "Mark an entry of the log as wrong, and tell everyone who was alerted to it."),
    "rebuild": ("cli.rebuild", "Make the log again by this version's rules, in a new file."),
    "export-workbook": ("cli.log", "Write a workbook exactly as it was fetched."),
    "watch": ("cli.watch", "Add and change watches: who gets which alerts, and how often."),
    "deliveries": ("cli.deliveries", "Print which messages were sent to whom; send one again, or never."),
    "pause": ("cli.pause", "Stop sending messages; lists are still checked."),
    "resume": ("cli.pause", "Start sending messages again, beginning with those that waited."),
    "serve": ("cli.web", "Serve the change log on the web."),
    "publish": ("cli.web", "Write the whole site as files for any web host."),
    "status": ("cli.status", "Print when the lists were last checked and whether anything is wrong."),
    "doctor": ("cli.doctor", "Check the setup, and send a test message to the operator."),
    "verify": ("cli.verify", "Check that no alert is missing from state.db."),
}  # fmt: skip


class Commands(click.Group):
    """Loads a command's module only when that command is wanted, so that `--help` costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name][0], name.replace("-", "_")
        command = getattr(import_module(module), attribute)
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
    help="Settings file. Default: config.toml in this folder, if there is one.",
)
@click.option(
    "--db",
    "state",
    type=click.Path(path_type=Path),
    help="Database file. Default: state.db in this folder.",
)
@click.pass_context
def group(ctx: click.Context, config: Path | None, state: Path | None) -> None:
    """Watch ICE's lists of 287(g) agreements and tell people what is new, changed or no longer listed."""
    ctx.obj = Context(_clock, config, state)


def _clock() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """Run the command line; an error that the caller can fix is printed in one line, with exit status 2."""
    # A list makes some ten objects a row, which stay: looking for garbage after every 700 new objects, as Python does,
    # took a fifth of the time of a comparison of 150,000 rows.
    gc.set_threshold(50_000, 20, 100)
    try:
        group(prog_name="agreement-monitor")
    except MonitorError as exc:
        click.echo(f"agreement-monitor: {exc}", err=True)
        sys.exit(ExitStatus.COULD_NOT)


if __name__ == "__main__":
    main()
