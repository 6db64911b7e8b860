"""Those who read feeds: a parser and two validators, and what all of them saw."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import feedparser
from jsonschema import Draft202012Validator
from lxml import etree

from tests.web.builders import Browser

HERE = Path(__file__).parent
ATOM_GRAMMAR = etree.RelaxNG(etree.parse(HERE / "atom.rng"))
JSON_FEED = Draft202012Validator(json.loads((HERE / "json_feed.schema.json").read_text()))


@dataclass(frozen=True, slots=True)
class Seen:
    """An item of a feed, in whatever form it came."""

    id: str
    link: str
    title: str
    html: str
    updated: str


def atom(browser: Browser, address: str) -> tuple[list[Seen], dict[str, str]]:
    """A feed that is valid Atom: its items, and where its links lead, by what they are called."""
    page = browser.get(address)
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("application/atom+xml")
    body = page.html.encode()
    tree = etree.fromstring(body)
    ATOM_GRAMMAR.assertValid(tree)
    parsed = feedparser.parse(body, response_headers={"content-type": page.headers["Content-Type"]})
    assert not parsed.bozo, parsed.bozo_exception
    name = "{http://www.w3.org/2005/Atom}"
    return [
        Seen(e.id, e.link, e.title, entry.findtext(f"{name}content") or "", e.updated)
        for e, entry in zip(parsed.entries, tree.iterfind(f"{name}entry"), strict=True)
    ], {link.get("rel", ""): link.get("href", "") for link in tree.iterfind(f"{name}link")}


def json_feed(browser: Browser, address: str) -> tuple[list[Seen], dict[str, Any]]:
    """A feed that is valid JSON Feed 1.1: its items, and all of it."""
    page = browser.get(address)
    assert page.status == 200
    assert page.headers["Content-Type"] == "application/feed+json"
    feed = json.loads(page.html)
    JSON_FEED.validate(feed)
    return [Seen(i["id"], i["url"], i["title"], i["content_html"], i["date_modified"]) for i in feed["items"]], feed


def back_to_the_beginning(browser: Browser, address: str) -> Iterator[list[Seen]]:
    """All pages of an Atom feed, the newest first."""
    following: str | None = address
    while following:
        items, links = atom(browser, following)
        yield items
        older = links.get("prev-archive")
        following = older and urlsplit(older).path
