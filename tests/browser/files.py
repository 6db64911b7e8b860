"""What a site hands out beside pages, as a spreadsheet, a feed reader or a browser opens it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

import feedparser
from playwright.sync_api import Error, Page

from tests.browser.looking import Witness, facts

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def faults_of_file(page: Page, witness: Witness, kind: str, content: bytes) -> list[str]:
    """What a file of some type would do beside being read."""
    match kind:
        case "text/csv":
            return [f"has the formula {cell!r}" for cell in formulas(content.decode())]
        case "application/atom+xml":
            feed = feedparser.parse(content, sanitize_html=False, resolve_relative_uris=False)
            said = [said for entry in feed.entries for said in (*entry.get("content", ()), entry.title_detail)]
            return faults_of_html(page, witness, [one.value for one in said if one.type != "text/plain"])
        case "application/feed+json":
            return faults_of_html(page, witness, [item["content_html"] for item in json.loads(content)["items"]])
        case "image/svg+xml":
            return faults_of_html(page, witness, [content.decode()])
        case "application/json" | "text/x-opml" | "text/xml" | "application/xml" | "text/plain":
            return []  # shown by nothing that would run it
        case _:
            return [f"is a {kind}, of which nobody has said what it would do"]


def formulas(sheet: str) -> list[str]:
    """The cells that a spreadsheet would work out instead of showing."""
    return [cell for row in csv.reader(io.StringIO(sheet, newline="")) for cell in row if cell.startswith(FORMULA)]


def faults_of_html(page: Page, witness: Witness, shown: Sequence[str]) -> list[str]:
    """What pieces of HTML do in a program that runs what it is given."""
    witness.forget()
    page.set_content("<h1>Shown</h1>" + "".join(f"<article>{piece}</article>" for piece in shown))
    try:
        wait_for_what_runs(page)
        acting = facts(page)["acting"]
    except Error:
        acting = ["leads away from what is read"]
    return [*acting, *witness.complaints, *witness.requests]


def wait_for_what_runs(page: Page) -> list[str]:
    """Events that a page sets off while it loads have had their turn, and nothing has led away from it."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    return []
