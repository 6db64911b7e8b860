"""Pictures of the main pages for the documents: `python -m tests.browser.screenshots` (`make screenshots`).

Without --db they show the sample lists. Of each page there is one on a desktop, of some one on a phone as well.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Error, ViewportSize, sync_playwright

from tests.browser import sites
from tests.browser.chromium import EXECUTABLE, MISSING, launched
from tests.browser.served import ROOT, serving

FOLDER = ROOT / "docs" / "screenshots"
LARGEST = 200_000
_COLOURS = 128  # more than a page has; what is lost is between the edges of letters
SIZES = {"phone": sites.PHONE, "desktop": sites.DESKTOP}
# A step after the address follows the first link of that kind on it; {day} is that of --day.
PAGES = (
    ("front", "/"),
    ("day", "/days/{day}"),
    ("change", "/days/{day} .terminated a[href^='/changes/']"),
    ("state", "/states/tx"),
    ("agreement", "/states/tx a[href^='/agreements/']"),
    ("agency", "/search?q=county a[href^='/agencies/']"),
    ("search", "/search?q=county"),
    ("map", "/map"),
    ("map-of-counties", "/map/counties"),
    ("over-time", "/over-time"),
    ("subscribe", "/subscribe"),
    ("status", "/status"),
)
ON_A_PHONE = {"front", "day", "state", "subscribe"}
# On which an agreement left one of the sample lists.
SAMPLE_DAY = date(2026, 3, 6)


def take(state: Path, now: datetime, pages: Sequence[tuple[str, str]], folder: Path) -> list[Path]:
    """Write NAME-desktop.png of each page of a log, and NAME-phone.png of those that have one; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    with serving(state, now) as site, sync_playwright() as playwright, launched(playwright) as browser:
        return [
            _take(browser, site, now, address, viewport, folder / f"{name}-{size}.png")
            for name, address in pages
            for size, viewport in SIZES.items()
            if size == "desktop" or name in ON_A_PHONE
        ]


def _take(browser: Browser, site: str, now: datetime, address: str, viewport: ViewportSize, path: Path) -> Path:
    with browser.new_context(viewport=viewport, color_scheme="light") as context:
        page = context.new_page()
        page.clock.set_fixed_time(now)  # the slider of the map ends today
        place, _, link = address.partition(" ")
        answer = page.goto(site + place)
        if link:
            answer = page.goto(site + str(page.locator(link).first.get_attribute("href")))
        if answer is None or answer.status != 200:
            raise Error(f"{address} answers {answer.status if answer else 'nothing'}")
        path.write_bytes(packed(page.screenshot()))
    return path


def packed(png: bytes) -> bytes:
    """The picture in few colours, which is a third of the bytes."""
    result = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").quantize(_COLOURS).save(result, "PNG", optimize=True)
    assert result.tell() <= LARGEST, f"{result.tell()} bytes"
    return result.getvalue()


def _page(text: str) -> tuple[str, str]:
    name, given, address = text.partition("=")
    if not given or not address.startswith("/"):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=/address")
    return name, address


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description=__doc__)
    parser.add_argument("--db", type=Path, help="a state.db to show instead of the sample lists; --now goes with it")
    parser.add_argument("--now", type=datetime.fromisoformat, help="the moment to show it at: 2025-12-29T22:00Z")
    parser.add_argument("--day", type=date.fromisoformat, default=SAMPLE_DAY, help="the day to show: 2025-12-29")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    parser.add_argument("pages", nargs="*", type=_page, metavar="NAME=/ADDRESS", help="instead of the usual pages")
    asked = parser.parse_args()
    if EXECUTABLE is None:
        sys.exit(MISSING)
    if (asked.db is None) != (asked.now is None):
        parser.error("--db and --now go together")
    with tempfile.TemporaryDirectory() as folder:
        state = asked.db or sites.samples(Path(folder))
        pages = asked.pages or [(name, address.format(day=asked.day)) for name, address in PAGES]
        for path in take(state, asked.now or sites.SAMPLES_READ_AT, pages, asked.folder):
            print(f"{path} ({path.stat().st_size // 1000} kB)")


if __name__ == "__main__":
    main()
