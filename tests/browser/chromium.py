"""Debian's chromium: where it is, and how it is started."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

EXECUTABLE = shutil.which("chromium")
MISSING = "chromium is not installed (on Debian: apt-get install chromium)"
_ARGUMENTS = (
    "--no-sandbox",  # as root it starts in no other way
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The guard of tests/conftest.py does not reach into another process: no other host has a name in there.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def launched(playwright: Playwright) -> Browser:
    """A browser without a window; close it."""
    return playwright.chromium.launch(executable_path=EXECUTABLE, args=_ARGUMENTS)
