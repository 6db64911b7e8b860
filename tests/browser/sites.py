"""What the browser looks at, each change log in a real state.db; and how large its window is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner
from playwright.sync_api import ViewportSize

from demo.samples import LISTS
from monitor.__main__ import group

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
# An hour after the last of the samples.
SAMPLES_READ_AT = datetime(2026, 3, 6, 22, tzinfo=UTC)


def samples(folder: Path) -> Path:
    """The sample lists, replayed."""
    state = folder / "state.db"
    done = CliRunner().invoke(group, ["--db", str(state), "replay", str(LISTS)])
    assert done.exit_code == 0, done.output
    return state
