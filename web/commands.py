"""The command `serve`. `run` and `demo` serve the same pages through `serve_forever`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from monitor.errors import StateUnusable
from web.server import serve_forever

if TYPE_CHECKING:
    from monitor.context import Context

__all__ = ["serve", "serve_forever"]


@click.command()
@click.option("--host", help="Address to listen on; web.host of the settings.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; web.port of the settings.")
@click.option("--any-port", is_flag=True, help="Take another port where that one is in use.")
@click.pass_obj
def serve(context: Context, host: str | None, port: int | None, any_port: bool) -> None:
    """Serve the change log on the web until stopped (Ctrl-C or SIGTERM); nothing is checked or sent."""
    from monitor.log import open_reader

    settings = context.settings
    if not settings.state.exists():
        raise StateUnusable(settings.state, "there is no such file; run `check` or `replay` first")
    open_reader(settings.state).close()  # says what is wrong with it now, not at the first request

    def ready(url: str) -> None:
        click.echo(f"Serving {url} (Ctrl-C stops it)")
        click.echo("What visitors ask for by the forms waits until `run` or `check` sends it.", err=True)

    serve_forever(
        settings,
        context.clock,
        ready=ready,
        host=host,
        port=port,
        any_port=any_port,
    )
