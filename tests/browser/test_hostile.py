"""What a workbook says is only ever read, in a browser that would run it."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import suppress
from email.message import EmailMessage

import pytest
import requests
from click.testing import CliRunner
from playwright.sync_api import Error, Page
from pytest_playwright.pytest_playwright import CreateContextCallback

from cli.__main__ import group
from tests.browser.files import faults_of_file, formulas, wait_for_what_runs
from tests.browser.infested import READ_AT, Infested, infested
from tests.browser.looking import facts, faults_of_form, witnessed
from tests.browser.served import serving
from tests.browser.sites import DESKTOP, PHONE
from tests.browser.walking import SECONDS, walk
from tests.hostile import ADDRESSES, MARKUP

# Of agreements and of changes; the pages of the state and of the days have every text of the corpus.
MANY = 40
ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>Planted</title><id>urn:x</id>'
    "<entry><id>urn:y</id>{}</entry></feed>"
)


@pytest.fixture(scope="package")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Infested:
    return infested(tmp_path_factory.mktemp("infested"))


@pytest.fixture(scope="package")
def infested_site(planted: Infested) -> Iterator[str]:
    with serving(planted.state, READ_AT) as address:
        yield address


def test_nothing_runs_on_any_page_even_where_the_browser_is_not_told_to_forbid_it(
    new_context: CreateContextCallback, infested_site: str
) -> None:
    with witnessed(new_context(viewport=DESKTOP, bypass_csp=True)) as (page, witness):
        walked = walk(page, witness, infested_site, wait_for_what_runs, of_a_kind=MANY)
        for path in walked.files:
            answer = requests.get(infested_site + path, timeout=SECONDS)
            kind = answer.headers["Content-Type"].partition(";")[0]
            if faults := faults_of_file(page, witness, kind, answer.content):
                walked.faults[path] = faults
    assert walked.faults == {}
    kinds = list(walked.pages.values())
    assert [kinds.count(name) for name in ("agreements.agreement", "changes.change")] == [MANY, MANY]
    assert any(path.endswith(".atom") for path in walked.files)


def test_long_words_and_odd_letters_fit_a_phone_where_no_script_helps(
    new_context: CreateContextCallback, infested_site: str
) -> None:
    with witnessed(new_context(viewport=PHONE, java_script_enabled=False)) as (page, witness):
        assert walk(page, witness, infested_site, of_a_kind=5).faults == {}


def test_nothing_runs_in_any_mail_and_no_header_is_of_a_workbooks_making(
    new_context: CreateContextCallback, planted: Infested
) -> None:
    assert len(planted.mails) >= 6
    with witnessed(new_context(viewport=PHONE)) as (page, witness):
        for mail in planted.mails:
            page.set_content(part(mail.message, "text/html"))
            wait_for_what_runs(page)
            assert [mail.recipients, *faults_of_form(facts(page)), *witness.complaints] == [mail.recipients]
            assert witness.requests == []
            assert [name for name in mail.message if name.lower() in ("bcc", "cc")] == []
            assert mail.message["To"].addresses[0].addr_spec == mail.recipients[0]
            assert mail.message.get_all("Subject") == [mail.message["Subject"]]


@pytest.mark.parametrize("command", ["changes", "agreements"])
def test_no_cell_of_a_csv_is_a_formula(planted: Infested, command: str) -> None:
    done = CliRunner().invoke(group, ["--db", str(planted.state), command, "--format", "csv"])
    assert done.exit_code == 0
    assert formulas(done.stdout) == []


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text/csv", 'a,b\r\n"=1+1",c\r\n'),
        ("text/csv", 'a,b\r\nd,"\t=2"\r\n'),
        ("application/feed+json", '{"items": [{"content_html": "<img src=x onerror=__pwned=1>"}]}'),
        (
            "application/atom+xml",
            ATOM.format('<title>Text</title><content type="html">&lt;script>__pwned=1&lt;/script></content>'),
        ),
        ("application/atom+xml", ATOM.format('<title type="html">&lt;img src=x onerror=__pwned=1></title>')),
        ("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg"><title><script>__pwned=1</script></title></svg>'),
        ("application/x-unheard-of", ""),
    ],
)
def test_a_file_that_would_do_something_is_found(new_context: CreateContextCallback, kind: str, content: str) -> None:
    with witnessed(new_context()) as (page, witness):
        assert faults_of_file(page, witness, kind, content.encode()) != []


PLACES = (
    "<p>{}</p>",
    '<p title="{}">Text</p>',
    "<p title='{}'>Text</p>",
    "<textarea>{}</textarea>",
    "<svg><title>{}</title></svg>",
    "<svg><text><title>{}</title></text></svg>",
    "<script>let text = '{}'</script>",
    "<style>p::after {{content: '{}'}}</style>",
    "<svg><![CDATA[{}]]></svg>",
    "<!-- {} -->",
    '<a href="{}">Text</a>',
)


@pytest.mark.parametrize("text", [*MARKUP, *ADDRESSES[:4]])
def test_the_corpus_springs_the_trap_where_it_is_not_escaped(new_context: CreateContextCallback, text: str) -> None:
    twice_decoded = html.unescape(text).replace("\\u003c", "<").replace("\\u003e", ">")
    with witnessed(new_context()) as (page, witness):
        page.route("**/*", lambda route: route.fulfill(status=404))
        planted = [acting(page, place, twice_decoded) for place in PLACES]
        usual = [acting(page, place, "Text") for place in PLACES]
    executed = [what for what in witness.complaints if "was executed" in what]
    assert planted != usual or executed or [url for url in witness.requests if "evil.test" in url]


def acting(page: Page, place: str, text: str) -> int:
    """How much of a page could run with a text in a place of it, and a chance to run it."""
    page.set_content(f"<h1>Planted</h1>{place.format(text)}")
    with suppress(Error):  # led away from the page
        wait_for_what_runs(page)
        return len(facts(page)["acting"])
    return -1


def part(mail: EmailMessage, kind: str) -> str:
    (found,) = (one.get_content() for one in mail.walk() if one.get_content_type() == kind)
    return str(found)
