"""What tests of checks share: one reading process a worker, and a service on a new state.db."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.workbooks.sandbox import Reader, ReadLimits
from tests.monitor.builders import Service, service


@pytest.fixture(scope="session")
def reader() -> Iterator[Reader]:
    with Reader(lambda: ReadLimits(60, 1 << 30)) as reading:
        yield reading


@pytest.fixture
def here(tmp_path: Path, reader: Reader) -> Iterator[Service]:
    """A service on a new state.db."""
    with service(tmp_path, reader) as made:
        yield made
