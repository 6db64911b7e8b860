"""The commands `pause` and `resume`, which hold back all sending."""

from __future__ import annotations

from datetime import timedelta

import click

from alerts.storage.store import AlertStore, open_alerts
from cli.context import Context
from monitor.errors import MonitorError
from monitor.settings import Settings


@click.command()
@click.pass_obj
def pause(context: Context) -> None:
    """Stop sending messages until `resume`. Lists are still checked and recorded."""
    with open_alerts(context.settings.state) as alerts, alerts.write():
        alerts.outbox.pause(context.now)
        waiting = _waiting(alerts)
    click.echo(f"Paused: nothing is sent until `resume`. {waiting} so far. What is new waits as well.")


@click.command()
@click.pass_obj
def resume(context: Context) -> None:
    """Start sending messages again, beginning with those that waited."""
    with open_alerts(context.settings.state) as alerts, alerts.write():
        since = alerts.reports.paused_at()
        if since is None:
            raise MonitorError("nothing is paused; `deliveries list --state pending` prints what waits")
        alerts.outbox.resume()
        alerts.outbox.put_off_giving_up(context.now + timedelta(hours=context.settings.delivery.give_up_after_hours))
        waiting = _waiting(alerts)
    click.echo(f"Resumed after a pause since {since:%Y-%m-%d %H:%M} UTC.")
    click.echo(f"{waiting}: with the next `check`, or within a minute where `run` is running.")


def paused_line(settings: Settings) -> str:
    """For `status`: that sending is paused; "" if it is not."""
    with open_alerts(settings.state) as alerts:
        since = alerts.reports.paused_at()
        if since is None:
            return ""
        return f"sending is paused since {since:%Y-%m-%d %H:%M} UTC; {_waiting(alerts)}; `resume` goes on with it"


def _waiting(alerts: AlertStore) -> str:
    count = sum(states.get("pending", 0) for states in alerts.reports.counts().values())
    return "1 message waits" if count == 1 else f"{count} messages wait"
