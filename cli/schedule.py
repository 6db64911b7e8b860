"""Jobs as (name, every, callable) → APScheduler; nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from monitor.errors import MonitorError

_MISFIRE_GRACE_S = 3600  # a job that is late by more (a suspended machine) waits for its next turn
_JITTER_SHARE = 0.05  # of the interval, so that a thousand installations do not ask ICE in one second


@dataclass(frozen=True, slots=True)
class Job:
    """What is done again and again; `run` is given the time. It begins at once, and never runs twice at a time."""

    name: str
    every: timedelta
    run: Callable[[datetime], None]


def start(jobs: Iterable[Job]) -> BackgroundScheduler:
    """Run the jobs in threads of their own until the scheduler is shut down.

    A job that fails is logged and comes round again; jobs live in code, no store of jobs is kept.
    """
    scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(4)})
    scheduler.add_listener(_log_trouble, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    for job in jobs:
        scheduler.add_job(
            _once,
            "interval",
            args=[job],
            id=job.name,
            seconds=job.every.total_seconds(),
            jitter=job.every.total_seconds() * _JITTER_SHARE,
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=_MISFIRE_GRACE_S,
        )
    scheduler.start()
    return scheduler


def _once(job: Job) -> None:
    job.run(datetime.now(UTC))


def _log_trouble(event: JobExecutionEvent) -> None:
    log = structlog.get_logger(job=event.job_id)
    if event.exception is None:
        log.warning("missed its turn; it runs at the next")
    elif isinstance(event.exception, MonitorError):
        log.error("could not be done; it is tried again at its next turn", why=str(event.exception))
    else:
        log.error("failed; it is tried again at its next turn", exc_info=event.exception)
