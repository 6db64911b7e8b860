"""The command `demo`: the whole service on sample lists, with its own servers on this machine."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

import click

from cli import wiring
from cli.checking import check_once
from cli.context import Context
from cli.output import check_line
from cli.watch import watch
from demo.ice import FakeIce
from demo.publications import SamplePublication, publications
from demo.samples import LISTS
from demo.slack import FakeSlack
from demo.smtp import FakeSmtp
from monitor.settings import Settings, load
from templates import dates
from web.server import serve_forever


@dataclass(frozen=True, slots=True)
class Desk:
    """A subscriber in the demo, with a Slack webhook or a mail address."""

    who: str
    states: tuple[str, ...]
    channel: str
    significance: str = "substantive"


DESKS = (
    Desk("Texas desk", ("TX", "UT"), "slack"),
    Desk("ohio@example.org", ("OH", "GA"), "email"),
    Desk("florida@example.org", ("FL",), "email", "clerical"),
    Desk("alaska@example.org", ("AK",), "email"),
)


@click.command()
@click.option("--once", is_flag=True, help="Exit after printing; do not serve the change log.")
@click.pass_obj
def demo(context: Context, once: bool) -> None:
    """Run the whole service on sample lists of invented agencies, with a fake ICE site, mail server and Slack on this
    machine. Print who was sent what, then serve the change log."""
    # Settings of a real service in the environment must not lead the demo to a real server.
    for name in [name for name in os.environ if name.startswith("AGREEMENT_MONITOR_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="agreement-monitor-demo-") as folder, _world(Path(folder)) as world:
        world.add_watches(context)
        for published, lists in groupby(publications(), key=lambda p: p.published):
            world.publish_and_check(published, list(lists))
        if not once:
            world.serve(context)


@contextmanager
def _world(folder: Path) -> Iterator[_World]:
    with FakeIce() as ice, FakeSlack() as slack, FakeSmtp() as smtp:
        yield _World(folder, ice, slack, smtp)


class _World:
    """The fake servers, and a service that uses no others."""

    def __init__(self, folder: Path, ice: FakeIce, slack: FakeSlack, smtp: FakeSmtp) -> None:
        self._ice, self._slack, self._smtp = ice, slack, smtp
        self._config = folder / "config.toml"
        port = _free_port(8287)
        self._config.write_text(
            f"""
            state = "{folder}/state.db"
            [source]
            page = "{ice.page_url}"
            contact = "demo"
            [mail]
            host = "{smtp.host}"
            port = {smtp.port}
            sender = "agreement-monitor@example.org"
            [slack]
            hosts = ["127.0.0.1"]
            [web]
            port = {port}
            base_url = "http://127.0.0.1:{port}"
            [log]
            level = "warning"
            """
        )
        self._desk_of = {slack.webhook_url(_webhook(desk)): desk for desk in DESKS if desk.channel == "slack"}

    @property
    def settings(self) -> Settings:
        return load(self._config)

    def add_watches(self, context: Context) -> None:
        """Subscribe the desks with the command that an operator types."""
        click.secho("Who watches what", bold=True)
        for desk in DESKS:
            address = ["--email", desk.who, "--confirmed"]
            if desk.channel == "slack":
                address = ["--slack", self._slack.webhook_url(_webhook(desk))]
            states = [word for state in desk.states for word in ("--state", state)]
            self._watch(context, "add", *states, *address, "--significance", desk.significance)

    def _watch(self, context: Context, *arguments: str) -> None:
        watch.main(arguments, obj=Context(context.clock, self._config), standalone_mode=False)

    def publish_and_check(self, at: datetime, lists: list[SamplePublication]) -> None:
        """ICE publishes, the service checks, records and alerts; print who got what."""
        for publication in lists:
            content = (LISTS / publication.file).read_bytes()
            self._ice.publishes(**{publication.list: content}, name=publication.file, saved=publication.saved)
        click.secho(f"\nICE publishes ({dates.day(at.date())}, {at:%H:%M} UTC)", bold=True)
        mails, posts = len(self._smtp.messages), len(self._slack.messages)
        with wiring.reader(lambda: self.settings) as reading:
            results, _ = check_once(reading, self.settings, at)
        for result in results:
            click.echo(f"  {check_line(result)}")
        for post in self._slack.messages[posts:]:
            desk = next(d for url, d in self._desk_of.items() if url.endswith(post.path))
            _print_message(f"Slack → {desk.who}", str(post.payload["text"]))
        for mail in self._smtp.messages[mails:]:
            text = mail.message.get_body(("plain",))
            assert text is not None
            _print_message(f"Email → {', '.join(mail.recipients)}: {mail.message['Subject']}", text.get_content())
        if len(self._smtp.messages) == mails and len(self._slack.messages) == posts:
            click.echo("  Nobody was sent anything.")

    def serve(self, context: Context) -> None:
        """Serve the change log until stopped."""
        serve_forever(
            self.settings,
            context.clock,
            ready=lambda url: click.secho(f"\nThe change log is open at {url} (Ctrl-C stops it)", bold=True),
            any_port=True,
        )


def _free_port(wanted: int) -> int:
    """This port, or a free one if it is in use. Chosen before serving, since links in messages name it."""
    for port in (wanted, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as found:
                return int(found.getsockname()[1])
        except OSError:
            continue
    return wanted


def _webhook(desk: Desk) -> str:
    return "T-" + desk.who.replace(" ", "-")


def _print_message(heading: str, text: str) -> None:
    click.secho(f"\n  ┌ {heading}", fg="cyan")
    for line in text.strip().splitlines():
        click.echo(f"  │ {line}".rstrip())
