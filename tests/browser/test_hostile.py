"""What a workbook says is only ever read, in a browser that would run it."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterator
from contextlib import suppress
from email.message import EmailMessage

import pytest
import requests
from click.testing import CliRunner
from playwright.sync_api import Error, Page
from pytest_playwright.pytest_playwright import CreateContextCallback

from monitor.__main__ import group
from tests.browser.infested import READ_AT, Infested, infested
from tests.browser.looking import Witness, facts, faults_of_form, witnessed
from tests.browser.served import serving
from tests.browser.sites import DESKTOP, PHONE
from tests.browser.walking import SECONDS, walk
from tests.hostile import ADDRESSES, MARKUP

# Of agreements and of changes; the pages of the state and of the days have every text of the corpus.
MANY = 40
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture(scope="package")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Infested:
    return infested(tmp_path_factory.mktemp("infested"))


@pytest.fixture(scope="package")
def infested_site(planted: Infested) -> Iterator[str]:
    with serving(planted.state, READ_AT) as address:
        yield address


def wait_for_what_runs(page: Page) -> list[str]:
    """Events that a page sets off while it loads have had their turn, and nothing has led away from it."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    return []


def test_nothing_runs_on_any_page_even_where_the_browser_is_not_told_to_forbid_it(
    new_context: CreateContextCallback, infested_site: str
) -> None:
    with witnessed(new_context(viewport=DESKTOP, bypass_csp=True)) as (page, witness):
        walked = walk(page, witness, infested_site, wait_for_what_runs, of_a_kind=MANY)
    assert walked.faults == {}
    kinds = list(walked.pages.values())
    assert [kinds.count(name) for name in ("site.agreement", "site.change")] == [MANY, MANY]
    for path in walked.files:
        assert faults_of_file(page, witness, infested_site + path) == []


def test_long_words_and_odd_letters_fit_a_phone_where_no_script_helps(
    new_context: CreateContextCallback, infested_site: str
) -> None:
    with witnessed(new_context(viewport=PHONE, java_script_enabled=False)) as (page, witness):
        assert walk(page, witness, infested_site, of_a_kind=8).faults == {}


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


def test_a_formula_is_found() -> None:
    assert formulas('a,b\r\n"=1+1",c\r\nd,"\t=2"\r\n') == ["=1+1", "\t=2"]


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


def formulas(sheet: str) -> list[str]:
    """The cells that a spreadsheet would work out instead of showing."""
    return [cell for row in csv.reader(io.StringIO(sheet, newline="")) for cell in row if cell.startswith(FORMULA)]


def part(mail: EmailMessage, kind: str) -> str:
    (found,) = (one.get_content() for one in mail.walk() if one.get_content_type() == kind)
    return str(found)


def faults_of_file(page: Page, witness: Witness, url: str) -> list[str]:
    """What a file that a page leads to would do in the program that opens it."""
    answer = requests.get(url, timeout=SECONDS)
    match answer.headers["Content-Type"].partition(";")[0]:
        case "text/csv":
            return [f"{url} has the formula {cell!r}" for cell in formulas(answer.text)]
        case _:
            return []
