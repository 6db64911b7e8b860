"""The eye finds what it looks for: each fault, planted into an otherwise sound page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route
from pytest_playwright.pytest_playwright import CreateContextCallback

from tests.browser.looking import Witness, facts, faults_of_access, faults_of_form, faults_of_skip_link, witnessed

SITE = "http://127.0.0.1:9"
SOUND = """<!doctype html><html lang="en"><head><title>Sound</title></head><body>
<a href="#main">Skip</a><main id="main" tabindex="-1"><h1>Sound</h1><p>Text</p></main></body></html>"""


def looked_at(page: Page, witness: Witness, html: str, policy: str = "") -> list[str]:
    """Every fault of a page."""

    def answer(route: Route) -> None:
        if route.request.is_navigation_request():
            headers = {"Content-Security-Policy": policy} if policy else {}
            route.fulfill(body=html, content_type="text/html", headers=headers)
        else:
            route.fulfill(status=404)

    page.route("**/*", answer)
    page.goto(SITE)
    faults = faults_of_form(facts(page)) + faults_of_skip_link(page) + faults_of_access(page)
    return faults + witness.faults(SITE)


def test_a_sound_page_has_no_fault(new_context: CreateContextCallback) -> None:
    with witnessed(new_context()) as (page, witness):
        assert looked_at(page, witness, SOUND) == []


@pytest.mark.parametrize(
    ("sound", "planted", "fault"),
    [
        ("<title>Sound</title>", "", "has no title"),
        (' lang="en"', "", "is in the language ''"),
        ("<p>Text</p>", "<h1>Again</h1>", "has 2 headings of the first rank"),
        ("<p>Text</p>", "<p style='width: 3000px'>Text</p>", "wide in a window of"),
        ("<p>Text</p>", "<a href='#nowhere'>Text</a>", "leads to #nowhere on itself"),
        ("<p>Text</p>", "<p id='a'>Text</p><p id='a'>Text</p>", "has the id 'a' twice"),
        ("<p>Text</p>", "<p onclick='x()'>Text</p>", "could run: <p onclick"),
        ("<p>Text</p>", "<script>x = 1</script>", "could run: <script>"),
        ("<p>Text</p>", "<a href='java&#9;script:x()'>Text</a>", "could run: <a href"),
        ("<p>Text</p>", "<a href='data:text/html,x'>Text</a>", "could run: <a href"),
        ("<p>Text</p>", "<iframe srcdoc='x' title='x'></iframe>", "could run: <iframe"),
        ("<p>Text</p>", "<svg><a xlink:href='javascript:x()'><text>Text</text></a></svg>", "could run: <a xlink:href"),
        ("<p>Text</p>", "<img alt='' src='http://elsewhere.test/x.png'>", "asks another host: http://elsewhere.test/"),
        ("<p>Text</p>", "<img alt='' src='/x.png'>", "answered with 404: http://127.0.0.1:9/x.png"),
        ("<p>Text</p>", "<script>x.y()</script>", "error in a script: "),
        ("<p>Text</p>", "<script>alert('hello')</script>", "opened a dialog: hello"),
        ("<p>Text</p>", "<script>__pwned = 7</script>", "console: hostile text was executed: 7"),
        ('<a href="#main">Skip</a>', "", "has no skip link"),
        ('<a href="#main">', '<a href="#main" style="position: absolute; left: -99rem">', "out of sight"),
        (' tabindex="-1"', "", "does not move the focus"),
        ("<p>Text</p>", "<p style='color: #eee; background: #fff'>Text</p>", "axe: color-contrast (serious)"),
        ("<p>Text</p>", "<img src='data:,x'>", "axe: image-alt (critical)"),
        (
            "</head>",
            "<style>@media (prefers-color-scheme: dark) {p {color: #222; background: #000}}</style></head>",
            "axe: in the dark, color-contrast",
        ),
    ],
)
def test_a_planted_fault_is_found(new_context: CreateContextCallback, sound: str, planted: str, fault: str) -> None:
    assert sound in SOUND
    with witnessed(new_context()) as (page, witness):
        faults = looked_at(page, witness, SOUND.replace(sound, planted))
    assert [found for found in faults if fault in found]


def test_a_breach_of_the_content_security_policy_is_found(new_context: CreateContextCallback) -> None:
    html = SOUND.replace("<p>Text</p>", "<p style='color: red'>Text</p>")
    with witnessed(new_context()) as (page, witness):
        faults = looked_at(page, witness, html, "style-src 'none'")
    assert [found for found in faults if "Content Security Policy" in found]
