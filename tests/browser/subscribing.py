"""A reader with a browser and a mailbox, at the real server: pages looked at, mail taken by a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from alerts.delivery.run import tell
from demo.smtp import FakeSmtp
from monitor.settings import MailSettings, Settings, WebSettings
from tests.alerts.builders import Log, cells, new, open_log
from tests.browser.looking import Witness, facts, faults_of_access, faults_of_form
from tests.browser.served import serving
from tests.browser.walking import addresses, kind_of

_LINK = re.compile(r"http://127\.0\.0\.1:\d+(/(?:confirm|manage|unsubscribe)/[\w.-]+)")

# Chromium's console says so of a page, too, that is a form with faults (422) or an error; what such a page needs
# beside itself is in the witness's own words.
_SAID_OF_PAGES = "console: Failed to load resource: the server responded with a status of"


@dataclass
class Newsroom:
    """The log, its site, and the mail that comes of it; the clock stands where the log's does."""

    log: Log
    smtp: FakeSmtp
    settings: Settings
    site: str

    def lists(self, agency: str, state: str = "TEXAS") -> None:
        """A publication comes with one new agreement, and everybody is told."""
        self.log.publishes(new(cells(agency, state)))
        self.works_off()

    def works_off(self) -> None:
        """What `run` does every minute."""
        tell(self.settings, self.log.now)

    def mail(self) -> EmailMessage:
        """The newest mail."""
        return self.smtp.messages[-1].message

    def subjects(self) -> list[str]:
        """What was sent so far, the oldest first."""
        return [str(mail.message["Subject"]) for mail in self.smtp.messages]

    def link(self, kind: str) -> str:
        """Where a link in the newest mail leads, on this site."""
        html = html_of(self.mail())
        return self.site + str(next(path for path in _LINK.findall(html) if path.startswith(f"/{kind}/")))


@contextmanager
def newsroom(folder: Path) -> Iterator[Newsroom]:
    """A log with one agreement in it, served, with a mail server beside it."""
    log = open_log(folder / "state.db")
    with closing(log.alerts), FakeSmtp() as smtp:
        log.publishes(new(cells("Before Police Department")))
        mail = MailSettings(host=smtp.host, port=smtp.port, sender="Monitor <alerts@monitor.example.org>", timeout=5)
        settings = Settings(state=log.alerts.state.path, web=WebSettings(base_url="http://127.0.0.1:8287"), mail=mail)
        with serving(log.alerts.state.path, log.now) as site:
            yield Newsroom(log, smtp, settings, site)


@dataclass
class Reader:
    """Somebody at a browser who looks at each page that they come to. `axe`: goes by it, too; scripts must be on."""

    page: Page
    witness: Witness
    at: Newsroom
    axe: bool
    opened: set[str] = field(default_factory=set)  # the kinds of pages

    def opens(self, address: str, *, status: int = 200) -> None:
        """Follow a link from a mail."""
        answer = self.page.goto(address)
        assert answer
        assert answer.status == status
        self.looks()

    def follows(self, link: str) -> None:
        """Click a link of the page, and look once the next page is there."""
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            self.page.get_by_role("link", name=link).first.click()
        self.looks()

    def presses(self, button: str, said: str, *, look: bool = True) -> None:
        """Press a button in the page's content, and come to a page that says something new."""
        expect(self.page.locator("main")).not_to_contain_text(said)
        self.page.locator("main").get_by_role("button", name=button, exact=True).first.click()
        self.reads(said)
        if look:
            self.looks()

    def reads(self, text: str) -> None:
        """Find a text in the page's content."""
        expect(self.page.locator("main")).to_contain_text(text)

    def field(self, label: str) -> Locator:
        """The field with this label in the page's content."""
        return self.page.locator("main").get_by_label(label, exact=True)

    def reads_mail(self) -> None:
        """Look at the newest mail, in a window of its own: what a page of ours may load says nothing of mails."""
        self.witness.forget()
        with self.page.context.new_page() as window:
            window.set_content(html_of(self.at.mail()))
            faults = self._faults(window) + self.witness.requests
        assert faults == [], "\n".join(faults)

    def looks(self) -> None:
        """Look at the page that is open: nothing is wrong with it."""
        self.opened.add(kind_of(urlsplit(self.page.url).path, addresses()))
        faults = self._faults(self.page)
        assert faults == [], "\n".join(faults)
        self.witness.forget()

    def _faults(self, window: Page) -> list[str]:
        faults = faults_of_form(facts(window))
        if self.axe:
            faults += faults_of_access(window)
        said = self.witness.faults(self.at.site)
        return faults + [fault for fault in said if not fault.startswith(_SAID_OF_PAGES)]


def html_of(mail: EmailMessage) -> str:
    """What a mail program shows."""
    part = mail.get_body(("html",))
    assert part
    return str(part.get_content())
