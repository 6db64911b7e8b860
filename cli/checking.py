"""One look at both lists, and telling subscribers afterwards: what `check`, `run` and `demo` do."""

from __future__ import annotations

from datetime import datetime
from threading import Event

from alerts.delivery.run import tell
from cli import wiring
from monitor.checks.check import CheckResult, run_check
from monitor.checks.prefetch import Ahead
from monitor.model import ListName
from monitor.settings import Settings
from monitor.storage.lock import one_check_at_a_time
from monitor.storage.writer import open_store
from monitor.workbooks.sandbox import Reader


def check_once(
    reading: Reader, settings: Settings, now: datetime, stop: Event | None = None
) -> tuple[list[CheckResult], bool]:
    """Check both lists, then tell subscribers; the results, and whether something new needs a person.

    Subscribers are told even if a check fails: what was recorded of the other list, and messages that wait, do not
    depend on it. Once `stop` is set, no further message is begun.
    """
    try:
        with open_store(settings.state) as store, one_check_at_a_time(settings.state):
            source = Ahead(wiring.ice_site(settings), reading, store)
            rules = wiring.rules(settings)
            results = [run_check(source, reading, store, list_, now=now, rules=rules) for list_ in ListName]
    finally:
        needs_a_person = tell(settings, now, stop=stop)
    return results, needs_a_person or any(result.needs_a_person for result in results)
