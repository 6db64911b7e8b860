"""Routes the log and makes digests as `tell` does, and kills itself: `python -m tests.alerts.killed_digesting STATE N`.

It dies just before the N-th transaction is committed.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from alerts.delivery.digests import make_digests
from alerts.delivery.run import route
from alerts.storage.store import open_alerts
from tests.alerts.builders import NOON, settings


def main(state: str, number: str) -> None:
    left = int(number)

    def count(sql: str) -> None:
        nonlocal left
        left -= sql == "COMMIT"
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    configured = settings(Path(state))
    with open_alerts(Path(state)) as alerts:
        alerts.state.db.conn.set_trace_callback(count)
        route(alerts, configured, NOON + timedelta(days=1))
        make_digests(alerts, configured, NOON + timedelta(days=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
