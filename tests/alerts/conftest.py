"""A real log, and the real servers that messages go to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import group
from demo.slack import FakeSlack
from demo.smtp import FakeSmtp
from monitor.settings import MailSettings, Settings
from tests.alerts.builders import Log, open_log, settings

Typed: TypeAlias = Callable[..., Result]


def ok(result: Result) -> str:
    """What a command printed that did what it should."""
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


@pytest.fixture
def smtp() -> Iterator[FakeSmtp]:
    with FakeSmtp() as smtp:
        yield smtp


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def log(path: Path) -> Iterator[Log]:
    log = open_log(path)
    with closing(log.alerts):
        yield log


@pytest.fixture
def configured(path: Path, smtp: FakeSmtp) -> Settings:
    """Settings whose mail goes to `smtp`."""
    sender = "Agreement monitor <alerts@monitor.example.org>"
    return settings(path, mail=MailSettings(host=smtp.host, port=smtp.port, sender=sender, timeout=5))


@pytest.fixture
def typed(path: Path) -> Typed:
    """Runs a command line on the log's state.db."""

    def run(*words: str, typing: str = "") -> Result:
        return CliRunner().invoke(group, ["--db", str(path), *words], input=typing)

    return run
