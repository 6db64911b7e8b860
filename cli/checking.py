"""Checks both lists and then alerts subscribers, for `check`, `run` and `demo`."""

from __future__ import annotations

from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING

from cli import wiring
from monitor.checks.prefetch import Ahead
from monitor.model import ListName
from monitor.settings import Settings
from monitor.storage.lock import one_check_at_a_time
from monitor.storage.writer import open_store
from monitor.workbooks.sandbox import Reader

if TYPE_CHECKING:
    from monitor.checks.record import CheckResult


def check_once(
    reading: Reader, settings: Settings, now: datetime, stop: Event | None = None
) -> tuple[list[CheckResult], bool]:
    """Check both lists, then tell subscribers; the results, and whether something new needs a person.

    Subscribers are told even if a check fails: what was recorded of the other list, and messages that wait, do not
    depend on it. Once `stop` is set, no further message is begun.
    """
    try:
        results = _check_lists(reading, settings, now)
    finally:
        from alerts.delivery.run import tell

        needs_a_person = tell(settings, now, stop=stop)
    return results, needs_a_person or any(result.needs_a_person for result in results)


def _check_lists(reading: Reader, settings: Settings, now: datetime) -> list[CheckResult]:
    with open_store(settings.state) as store, one_check_at_a_time(settings.state):
        source = Ahead(wiring.ice_site(settings, reading), reading, store)
        # Imported while the workbooks are being read: 0.1 s of the 0.5 that a check takes.
        import alerts.delivery.run  # noqa: F401  # for `check_once`
        from monitor.checks.check import run_check

        rules = wiring.rules(settings)
        return [run_check(source, reading, store, list_, now=now, rules=rules) for list_ in ListName]
