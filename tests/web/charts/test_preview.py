"""Pictures for the previews of links, and what a page says of itself to those who preview it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime

import pytest
from selectolax.lexbor import LexborHTMLParser

from monitor.settings import Settings, WebSettings
from tests.web.builders import Browser, Log, Page, at, gone, new, row
from web.app import create_app
from web.charts.preview import png
from web.request import Visit
from web.views import maps, previews

ReadAt = Callable[[datetime], Browser]
NOW = at("2025-08-29 14:30")


@pytest.fixture
def told(log: Log) -> Log:
    log.begins(at("2025-03-03 14:00"), row(), row("An Agency in Ohio", state="OHIO"))
    log.publishes(at("2025-08-20 14:00"), new(row("Another one", state="OHIO")))
    return log


def said(page: Page) -> dict[str, str]:
    """What the page says of itself: each `meta`, by its name."""
    found = LexborHTMLParser(page.html).css("meta[property], meta[name]")
    return {str(m.attributes.get("property") or m.attributes["name"]): str(m.attributes["content"]) for m in found}


@pytest.mark.parametrize("name", ["front", "map", "states/ga", "states/oh"])
def test_a_preview_is_a_picture_of_the_size_that_is_said(told: Log, name: str) -> None:
    answer = create_app(Settings(state=told.path), lambda: NOW).test_client().get(f"/preview/{name}.png")
    assert answer.status_code == 200
    assert answer.mimetype == "image/png"
    assert struct.unpack(">II", answer.data[16:24]) == (1200, 630)


@pytest.mark.parametrize("name", ["states/tx", "states/GA", "states/zz", "states/unknown", "else"])
def test_there_is_no_preview_of_what_never_was(told: Log, read_at: ReadAt, name: str) -> None:
    assert read_at(NOW).get(f"/preview/{name}.png").status == 404


def test_a_page_names_its_picture_by_the_address_that_readers_use(told: Log) -> None:
    settings = Settings(state=told.path, web=WebSettings(base_url="https://monitor.example.org"))
    client = create_app(settings, lambda: NOW).test_client()
    for address, picture in (("/", "front"), ("/map", "map"), ("/over-time", "front"), ("/states/oh", "states/oh")):
        meta = said(Page(200, {}, client.get(address).get_data(as_text=True)))
        assert meta["og:image"] == f"https://monitor.example.org/preview/{picture}.png"
        assert meta["twitter:card"] == "summary_large_image"


def test_a_page_without_a_picture_names_none(told: Log, read_at: ReadAt) -> None:
    for address in ("/map/2025-06-01", "/days/", "/states/tx", "/nothing"):
        meta = said(read_at(NOW).get(address))
        assert "og:image" not in meta
        assert meta["twitter:card"] == "summary"


def test_a_title_cannot_leave_its_attribute(log: Log, read_at: ReadAt) -> None:
    attack = '"><script>alert(1)</script>'
    log.begins(at("2025-03-03 14:00"), row(attack))
    (entry,) = log.publishes(at("2025-08-20 14:00"), gone(1))
    page = read_at(NOW).get(f"/agreements/{entry.agreement}")
    assert said(page)["og:title"] == f"{attack}, Georgia: Task Force Model"
    assert page.all("script") == []


def test_the_same_numbers_are_the_same_bytes(told: Log, read_at: ReadAt) -> None:
    first, later = read_at(NOW).client, read_at(at("2025-08-30 14:30")).client
    pictures = [client.get("/preview/states/oh.png").data for client in (first, later)]
    assert pictures[0] == pictures[1]
    told.publishes(at("2025-08-30 15:00"), new(row("A third", state="OHIO")))
    assert later.get("/preview/states/oh.png").data != pictures[0]


def test_a_picture_has_its_words_without_any_font_of_the_machine() -> None:
    def drawn(family: str, words: str) -> bytes:
        text = f'<text y="15" font-family="{family}">{words}</text>'
        return png(f'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="20">{text}</svg>')

    assert drawn("DejaVu Sans", "Ohio") != drawn("DejaVu Sans", "")
    assert drawn("DejaVu Serif", "Ohio") not in (drawn("DejaVu Serif", ""), drawn("DejaVu Sans", "Ohio"))


def test_every_address_that_is_listed_for_a_copy_of_the_site_is_served(told: Log, read_at: ReadAt) -> None:
    browser, here = read_at(at("2025-03-05 14:30")), Visit(Settings(state=told.path), at("2025-03-05 14:30"))
    listed = ["/over-time", *maps.addresses(here), *previews.addresses(here)]
    here.end()
    assert {"/map", "/over-time", "/map/2025-03-04", "/map/counties/2025-03-05", "/preview/states/oh.png"} <= set(
        listed
    )
    client = create_app(Settings(state=told.path), lambda: at("2025-03-05 14:30")).test_client()
    assert {address: client.get(address).status_code for address in listed} == dict.fromkeys(listed, 200)
    assert browser.get("/map/2025-03-06").status == 404
