"""A visitor with a browser and a mailbox: forms filled in and sent over HTTP, mail taken by a real server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from alerts.delivery.run import tell
from demo.smtp import FakeSmtp, ReceivedMail
from monitor.settings import Settings
from tests.alerts.builders import Log
from tests.web.builders import Page
from web.app import create_app

BASE = "http://127.0.0.1:8287"
_LINK = re.compile(rf"{re.escape(BASE)}(/(?:confirm|manage|unsubscribe)/[\w.-]+)")


@dataclass
class Visitor:
    """Somebody at the pages of a log, and the clock there."""

    log: Log
    settings: Settings
    smtp: FakeSmtp
    client: FlaskClient = field(init=False)
    asks_from: str = "192.0.2.7"

    def __post_init__(self) -> None:
        self.client = self.browser()

    def browser(self) -> FlaskClient:
        """Another browser, without cookies."""
        return create_app(self.settings, lambda: self.log.now).test_client()

    def later(self, by: timedelta) -> datetime:
        """Let time pass."""
        self.log.now += by
        return self.log.now

    def open(
        self,
        address: str,
        method: str = "GET",
        data: dict[str, object] | str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Page:
        """Ask for a page as a browser does."""
        where = {"REMOTE_ADDR": self.asks_from}
        with self.client.open(address, method=method, environ_base=where, data=data, headers=headers) as answer:
            return Page(answer.status_code, dict(answer.headers), answer.get_data(as_text=True))

    def send(self, address: str, button: str = "", **typed: Any) -> Page:
        """Open a page, fill in its form as it is but for what is typed, and send it. Redirects are not followed."""
        page = self.open(address)
        form = next(
            form
            for form in LexborHTMLParser(page.html).css("form:not(.search)")
            if not button or form.css_first(f'button[value="{button}"]')
        )
        filled: dict[str, object] = {}
        for node in form.css("input, option"):
            given = node.attributes
            name = given.get("name") or ""
            if node.tag == "option":
                if "selected" not in given or node.parent is None:
                    continue
                name = node.parent.attributes.get("name") or ""
            elif given.get("type") in ("checkbox", "radio") and "checked" not in given:
                continue
            filled.setdefault(name, [])
            found = filled[name]
            assert isinstance(found, list)
            found.append(given.get("value") or "")
        filled |= typed
        if button:
            filled["do"] = button
        return self.open(form.attributes.get("action") or address, "POST", data=filled)

    def subscribes(self, email: str = "reader@example.org", **typed: Any) -> Page:
        """Fill in the form for alerts by mail."""
        return self.send("/subscribe", email=email, **typed)

    def works_off(self) -> None:
        """What `run` does every minute."""
        tell(self.settings, self.log.now)

    def mail(self) -> ReceivedMail:
        """The newest mail."""
        return self.smtp.messages[-1]

    def link(self, kind: str) -> str:
        """The path of a link in the newest mail."""
        return links(self.mail())[kind]

    def confirms(self) -> Page:
        """Read the newest mail, open its link, press the button."""
        return self.send(self.link("confirm"))

    def is_subscribed(self, email: str = "reader@example.org", **typed: Any) -> None:
        """The whole way from the form to the button."""
        self.subscribes(email, **typed)
        self.works_off()
        assert self.confirms().status == 200


def links(mail: ReceivedMail) -> dict[str, str]:
    """The personal links in a mail's text, by what they are for; those in its HTML are the same."""
    text, html = (part.get_content() for part in mail.message.iter_parts())
    found = {path.split("/")[1]: path for path in _LINK.findall(text)}
    assert set(_LINK.findall(html)) == set(found.values())
    return found
