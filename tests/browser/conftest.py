"""Debian's chromium for as long as these tests run, and the sites that it looks at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.browser import sites
from tests.browser.chromium import EXECUTABLE, MISSING, launched
from tests.browser.served import serving


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder; pytest hands over those of the others too."""
    folder = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(folder):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """pytest-playwright's own lasts until the last test of all, and its event loop is in the way of all that follow."""
    if EXECUTABLE is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING, pytrace=False)
        pytest.skip(MISSING)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launched(playwright) as started:
        yield started


@pytest.fixture
def browser_context_args() -> dict[str, Any]:
    """Nothing beside what a test asks `new_context` for; pytest-playwright's own needs its own `playwright`."""
    return {}


@pytest.fixture(scope="package")
def sample_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the sample lists' change log."""
    state = sites.samples(tmp_path_factory.mktemp("samples"))
    with serving(state, sites.SAMPLES_READ_AT) as address:
        yield address
