"""What the browser looks at, each change log in a real state.db; and how large its window is."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner
from playwright.sync_api import ViewportSize

from cli.__main__ import group
from demo.samples import LISTS
from monitor.model import Cells
from tests.web.builders import Log, changed, document, gone, new, row

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
# An hour after the last of the samples.
SAMPLES_READ_AT = datetime(2026, 3, 6, 22, tzinfo=UTC)
BUSY_READ_AT = datetime(2025, 8, 27, 20, tzinfo=UTC)


def samples(folder: Path) -> Path:
    """The sample lists, replayed."""
    state = folder / "state.db"
    done = CliRunner().invoke(group, ["--db", str(state), "replay", str(LISTS)])
    assert done.exit_code == 0, done.output
    return state


def busy(folder: Path) -> Path:
    """The largest batches of 2025 on one day: 100 new, 146 documents posted at once, 40 corrections and 4 that left."""
    log = Log(folder / "state.db")
    states = ("FLORIDA", "TEXAS", "GEORGIA", "TENNESSEE", "ALABAMA", "OKLAHOMA", "PENNSYLVANIA", "WISCONSIN")
    rows = [_agency(n, states[n % len(states)]) for n in range(300)]
    log.begins(BUSY_READ_AT - timedelta(days=30), *rows[:200])
    log.publishes(
        BUSY_READ_AT - timedelta(hours=1),
        *(new(row) for row in rows[200:]),
        *(
            changed(n, replace(row, moa="link", moa_address=document(f"{n}.pdf")))
            for n, row in enumerate(rows[:146], 1)
        ),
        *(changed(n, replace(row, agency=f"{row.agency} ")) for n, row in enumerate(rows[146:186], 147)),
        *(gone(n) for n in range(187, 191)),
    )
    return folder / "state.db"


def _agency(n: int, state: str) -> Cells:
    # Names of no pattern, for a list of towns that are alike packs into nothing.
    name = hashlib.sha256(str(n).encode()).hexdigest()[:10].translate(str.maketrans("0123456789", "ghijklmnop"))
    return row(f"{name.title()} County Sheriff's Office", state=state, county=f"{name.title()} County")
