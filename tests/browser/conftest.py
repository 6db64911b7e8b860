"""Debian's chromium for as long as these tests run, and the sites that it looks at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.browser import sites
from tests.browser.served import serving

CHROMIUM = shutil.which("chromium")
ARGUMENTS = (
    "--no-sandbox",  # as root it starts in no other way
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The guard of tests/conftest.py does not reach into another process: no other host has a name in there.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """pytest-playwright's own lasts until the last test of all, and its event loop is in the way of all that follow."""
    if CHROMIUM is None:
        why = "chromium is not installed (on Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(why, pytrace=False)
        pytest.skip(why)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as launched:
        yield launched


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
