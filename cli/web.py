"""The commands `serve` and `publish`."""

from __future__ import annotations

from pathlib import Path

import click

from cli.context import Context
from monitor.errors import StateUnusable
from monitor.storage.log import open_reader
from web.server import serve_forever
from web.static_site.publish import publish as write


@click.command()
@click.option("--host", help="Address to listen on. Default: web.host of the settings.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on. Default: web.port of the settings.")
@click.option("--any-port", is_flag=True, help="Use another port if this one is in use.")
@click.pass_obj
def serve(context: Context, host: str | None, port: int | None, any_port: bool) -> None:
    """Serve the change log on the web until stopped (Ctrl-C or SIGTERM); nothing is checked or sent."""
    settings = context.settings
    if not settings.state.exists():
        raise StateUnusable(settings.state, "there is no such file; run `check` or `replay` first")
    open_reader(settings.state).close()  # says what is wrong with it now, not at the first request

    def ready(url: str) -> None:
        click.echo(f"Serving {url} (Ctrl-C stops it)")
        click.echo("What visitors ask for by the forms waits until `run` or `check` sends it.", err=True)

    serve_forever(settings, context.clock, ready=ready, host=host, port=port, any_port=any_port)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def publish(context: Context, folder: Path) -> None:
    """Write the whole site into FOLDER as files for any web host: pages, feeds and data.

    These are the pages that `serve` serves, with links to web.base_url. Run it again after each check: only files that
    changed are written, and no file is ever half written.
    """
    settings = context.settings
    if not settings.state.exists():
        raise StateUnusable(settings.state, "there is no such file; run `check` or `replay` first")
    done = write(settings, folder, context.now, lambda far: click.echo(far, err=True))
    click.echo(f"{done.files} files in {folder}: {done.written} written, {done.removed} removed.")
