"""What a reader on a poor connection pays for the first page."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Request
from pytest_playwright.pytest_playwright import CreateContextCallback

from tests.browser.served import serving
from tests.browser.sites import BUSY_READ_AT, PHONE, busy

MOST_BYTES = 60_000
MOST_REQUESTS = 4  # the page, its style sheet, its icon, and one more


@pytest.fixture
def busy_site(tmp_path: Path) -> Iterator[str]:
    with serving(busy(tmp_path), BUSY_READ_AT) as address:
        yield address


def transferred(request: Request) -> int:
    """The bytes of an answer as they went over the wire; of one that came unpacked, as it would pack."""
    answer = request.response()
    assert answer
    sizes = request.sizes()
    if "content-encoding" in answer.headers:
        return sizes["responseHeadersSize"] + sizes["responseBodySize"]
    return sizes["responseHeadersSize"] + len(gzip.compress(answer.body()))


@pytest.mark.parametrize("scripts", [False, True], ids=["scripts off", "scripts on"])
def test_the_first_page_after_a_week_of_the_largest_batches_is_light(
    new_context: CreateContextCallback, busy_site: str, scripts: bool
) -> None:
    page = new_context(viewport=PHONE, java_script_enabled=scripts).new_page()
    requests: list[Request] = []
    page.on("requestfinished", lambda request: requests.append(request))
    page.goto(busy_site, wait_until="networkidle")
    assert page.locator("ul.entries > li").count() > 100
    assert len(requests) <= MOST_REQUESTS
    assert {request.url.startswith(f"{busy_site}/") for request in requests} == {True}
    assert sum(map(transferred, requests)) <= MOST_BYTES
