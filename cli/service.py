"""The command `run`: checks, sends and serves until it is stopped."""

from __future__ import annotations

import logging
from datetime import UTC, timedelta
from threading import Event

import click
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from alerts.delivery.run import tell
from cli import wiring
from cli.checking import check_once
from cli.context import Context
from cli.output import check_line
from monitor.errors import MonitorError
from monitor.storage.lock import only_one
from web.server import serve_forever

_log = logging.getLogger(__name__)

_MISFIRE_GRACE_S = 3600  # a job that is late by more (a suspended machine) waits for its next turn
_JITTER_SHARE = 0.05  # of the interval, so that a thousand installations do not ask ICE in one second


@click.command()
@click.pass_obj
def run(context: Context) -> None:
    """Watch the lists, send alerts and serve the change log until stopped (Ctrl-C or SIGTERM).

    Checks right away and then every source.every_minutes. Sends waiting messages every minute. Only one process can run
    on a state.db at a time.
    """
    stop = Event()
    scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(4)})

    def begin(url: str) -> None:
        """Only once the address is bound: a service that is started again and again must not ask ICE each time."""
        _log.info("Serving %s", url)
        _add_jobs(scheduler, context, stop)
        scheduler.start()

    with only_one(context.settings.state):
        try:
            serve_forever(context.settings, context.clock, ready=begin)
        finally:
            stop.set()
            if scheduler.running:
                scheduler.shutdown(wait=True)  # a check, or a message under way, is finished


def _add_jobs(scheduler: BackgroundScheduler, context: Context, stop: Event) -> None:
    """Check every `source.every_minutes` and send every minute, both at once for the first time.

    Each runs in a thread, and never twice at a time. A job that fails is logged and runs again at its next turn.
    """
    settings, started_at = context.settings, context.clock()

    def check() -> None:
        now = context.clock()
        with wiring.reader(lambda: settings) as reading:
            results, _ = check_once(reading, settings, now, stop)
        for result in results:
            _log.info("%s", check_line(result))

    def send() -> None:
        tell(settings, context.clock(), started_at, stop)

    for job, every in ((check, timedelta(minutes=settings.source.every_minutes)), (send, timedelta(minutes=1))):
        scheduler.add_job(
            job,
            "interval",
            id=job.__name__,
            seconds=every.total_seconds(),
            jitter=every.total_seconds() * _JITTER_SHARE,
            next_run_time=started_at,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=_MISFIRE_GRACE_S,
        )
    scheduler.add_listener(_log_trouble, EVENT_JOB_ERROR | EVENT_JOB_MISSED)


def _log_trouble(event: JobExecutionEvent) -> None:
    job = {"job": event.job_id}
    if event.exception is None:
        _log.warning("missed its turn; it runs at the next", extra=job)
    elif isinstance(event.exception, MonitorError):
        _log.error("could not be done; it is tried again at its next turn: %s", event.exception, extra=job)
    else:
        _log.error("failed; it is tried again at its next turn", exc_info=event.exception, extra=job)
