"""What the tests of pages share: a log to write, and a moment to read it at."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.web.builders import Browser, Log, browser


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """An empty log."""
    return Log(tmp_path / "state.db")


@pytest.fixture
def read_at(log: Log) -> Callable[[datetime], Browser]:
    """A browser on that log, at a moment: the same one for the same moment."""
    return functools.cache(lambda now: browser(log.path, now))
