"""The command `watch allow`: an address that must not be written to may be, since whoever reads it wants that."""

from __future__ import annotations

import click

from cli.context import Context
from cli.watch_options import address, address_options
from monitor.errors import MonitorError


@click.command()
@address_options
@click.pass_obj
def allow(context: Context, email: str | None, slack: str | None, slack_channel: str | None) -> None:
    """Let an address be added again that was erased or unsubscribed, or that its server did not know.

    Only where whoever reads it has asked for that. Nothing is sent by it: `watch add` comes next, and a mail address
    is asked to confirm as if it were new.
    """
    from alerts.keys import open_keys
    from alerts.storage.store import open_alerts

    channel, text = address(context.settings, email, slack, slack_channel)
    hashed = open_keys(context.settings).of_address(channel, text)
    with open_alerts(context.settings.state) as alerts, alerts.write():
        lifted = alerts.subscribers.lift_suppression(hashed)
        known = alerts.subscribers.find(channel, text)
        if known and known.disabled_at:
            alerts.subscribers.enable(known.subscriber.number)
            lifted = lifted or known.disabled_why
    if not lifted:
        raise MonitorError("nothing keeps this address from being written to; `watch add` adds it")
    click.echo(f"This address may be added again with `watch add`; it was kept from it: {lifted}.")
