"""Pure: a feed as Atom (RFC 4287, its pages by RFC 5005) and as JSON Feed 1.1; and feeds as OPML 2.0."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from feedgenerator import Atom1Feed

from web.feeds.items import FeedPage, FeedScope, Item, urn

HISTORY = "http://purl.org/syndication/history/1.0"
ATOM, JSON_FEED, OPML = "application/atom+xml", "application/feed+json", "text/x-opml"


@dataclass(frozen=True, slots=True)
class RenderedItem:
    """An item with its texts: `title` is plain text, `content` HTML; both are safe to publish."""

    item: Item
    title: str
    content: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A page of a feed with its texts. `base`: the start of addresses. `began_at`: its time while it has no items."""

    scope: FeedScope
    page: FeedPage
    base: str
    site: str
    title: str
    about: str
    began_at: datetime
    items: tuple[RenderedItem, ...]

    @property
    def updated_at(self) -> datetime:
        return max((told.item.updated_at for told in self.items), default=self.began_at)

    def link(self, path: str) -> str:
        return f"{self.base}{path}"


class _Atom(Atom1Feed):  # type: ignore[misc]  # it has no types
    """Adds what feedgenerator lacks: the feed's own time, and its pages."""

    def root_attributes(self) -> dict[str, str]:
        return {**super().root_attributes(), "xmlns:fh": HISTORY}

    def add_root_elements(self, handler: Any) -> None:
        super().add_root_elements(handler)
        for rel, address in self.feed["pages"]:
            handler.addQuickElement("link", "", {"rel": rel, "href": address})
        if self.feed["archived"]:
            handler.addQuickElement("fh:archive", "")

    def latest_post_date(self) -> datetime:
        updated: datetime = self.feed["updated"]
        return updated


def atom(feed: Feed) -> bytes:
    """The feed as Atom."""

    def at(number: int | None) -> str:
        return feed.link(feed.scope.address("atom", number))

    page = feed.page
    pages = [("prev-archive", at(page.older))] if page.older else []
    pages += [("next-archive", at(page.newer))] if page.newer else []
    pages += [("current", at(None))] if page.number else []
    made = _Atom(
        feed.title,
        feed.link(feed.scope.path),
        feed.about,
        language="en",
        author_name=feed.site,
        author_link=feed.link("/"),
        feed_url=at(page.number),
        feed_guid=urn(f"feed {feed.scope.key}"),
        updated=feed.updated_at,
        archived=page.number is not None,
        pages=pages,
    )
    for told in feed.items:
        entry = told.item.entry
        made.add_item(
            told.title,
            feed.link(f"/changes/{entry.id}"),
            None,
            pubdate=entry.observed_at,
            updateddate=told.item.updated_at,
            unique_id=told.item.id,
            categories=_tags(told.item),
            content=told.content,
        )
    sheet = io.StringIO()
    made.write(sheet, "utf-8")
    return sheet.getvalue().encode()


def json_feed(feed: Feed) -> dict[str, object]:
    """The feed as JSON Feed 1.1."""

    def at(number: int | None) -> str:
        return feed.link(feed.scope.address("json", number))

    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.link(feed.scope.path),
        "feed_url": at(feed.page.number),
        "description": feed.about,
        **({"next_url": at(feed.page.older)} if feed.page.older else {}),
        "authors": [{"name": feed.site, "url": feed.link("/")}],
        "language": "en",
        "items": [
            {
                "id": told.item.id,
                "url": feed.link(f"/changes/{told.item.entry.id}"),
                "title": told.title,
                "content_html": told.content,
                "date_published": told.item.entry.observed_at.isoformat(),
                "date_modified": told.item.updated_at.isoformat(),
                "tags": list(_tags(told.item)),
            }
            for told in feed.items
        ],
    }


def opml(title: str, base: str, feeds: Iterable[tuple[str, FeedScope]], at: datetime) -> bytes:
    """Feeds with their titles, as a list that a feed reader imports."""
    sheet = io.StringIO()
    xml = XMLGenerator(sheet, "utf-8", short_empty_elements=True)
    xml.startDocument()
    plain = AttributesImpl({})
    xml.startElement("opml", AttributesImpl({"version": "2.0"}))
    xml.startElement("head", plain)
    for name, text in (("title", title), ("dateModified", f"{at:%a, %d %b %Y %H:%M:%S} GMT")):
        xml.startElement(name, plain)
        xml.characters(text)
        xml.endElement(name)
    xml.endElement("head")
    xml.startElement("body", plain)
    for text, scope in feeds:
        xml.startElement(
            "outline",
            AttributesImpl(
                {
                    "type": "rss",  # what OPML calls a feed of any form
                    "text": text,
                    "title": text,
                    "xmlUrl": f"{base}{scope.address('atom')}",
                    "htmlUrl": f"{base}{scope.path}",
                }
            ),
        )
        xml.endElement("outline")
    xml.endElement("body")
    xml.endElement("opml")
    return sheet.getvalue().encode()


def _tags(item: Item) -> tuple[str, ...]:
    entry = item.entry
    return tuple(filter(None, (entry.state, entry.kind.value, entry.significance.value, entry.status)))
