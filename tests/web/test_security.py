"""Forms take nothing that is too much, too often, from another site, or hostile; and what they take is not logged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from demo.smtp import FakeSmtp
from monitor.settings import FormSettings, SlackSettings, WebSettings
from tests.alerts.builders import Log, add_watch, new, open_log
from tests.web.builders import Page
from tests.web.views.signup.test_subscribe import settings
from tests.web.visitor import Visitor, links

pytestmark = pytest.mark.slow

SLACK = SlackSettings(hosts=("hooks.slack.com",))


@pytest.fixture
def smtp() -> Iterator[FakeSmtp]:
    with FakeSmtp() as smtp:
        yield smtp


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = open_log(tmp_path / "state.db")
    with closing(log.alerts):
        yield log


@pytest.fixture
def visitor(log: Log, smtp: FakeSmtp) -> Visitor:
    return Visitor(log, settings(log, smtp, slack=SLACK), smtp)


def requests(log: Log) -> list[str]:
    """The addresses that were asked for."""
    return [r["address"] for r in log.alerts.state.rows("SELECT address FROM requests ORDER BY id")]


# --- what is typed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "reader",
        "reader@",
        "reader@example.org\nBcc: all@example.org",
        "reader@example.org\r\n\r\nbody",
        "reader@example.org%0d%0aBcc:all@example.org",
        "reader@example.org, other@example.org",
        "Reader <reader@example.org>",
        "rea\x00der@example.org",
        "\x00",
        "\N{RIGHT-TO-LEFT OVERRIDE}reader@example.org",
        "a" * 64 + "@" + "b" * 250 + ".org",
        "x" * 20_000,
        "<script>alert(1)</script>@example.org",
        '"><script>alert(1)</script>',
        "{{ 7 * 7 }}@example.org",
    ],
)
def test_what_is_no_mail_address_is_said_at_its_field_and_stored_nowhere(
    visitor: Visitor, log: Log, typed: str
) -> None:
    page = visitor.subscribes(typed)
    assert page.status == 422
    assert page.links(".faults a") == ["#email"]
    assert page.one("#email-fault").startswith("Error: Enter an email address")
    assert "<script>" not in page.html
    assert not set("\x00\N{RIGHT-TO-LEFT OVERRIDE}") & set(page.html)
    assert requests(log) == []


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "https://hooks.slack.com.evil.test/services/T/B/x",
        "https://evil.test/services/T/B/x",
        "https://hooks.slack.com@evil.test/services/T/B/x",
        "https://me@hooks.slack.com/services/T/B/x",
        "https://:pw@hooks.slack.com/services/T/B/x",
        "https://@hooks.slack.com/services/T/B/x",
        "https://hooks.slack.com:8443/services/T/B/x",
        "https://hooks.slack.com:443/services/T/B/x",
        "https://hooks.slack.com:/services/T/B/x",
        "http://hooks.slack.com/services/T/B/x",
        "//hooks.slack.com/services/T/B/x",
        "https:hooks.slack.com/services/T/B/x",
        "https://hooks.slack.com/",
        "https://hooks.slack.com/services/T/B/x?to=evil",
        "https://hooks.slack.com/services/T/B/x#y",
        "https://hooks.slack.com\\@evil.test/x",
        "https://hooks.slack.com/services/T\r\nHost: evil.test/B",
        "https://hooks.slack.com/\x00",
        "https://127.0.0.1/services/T/B/x",
        "https://[::1]/services/T/B/x",
        "https://[hooks.slack.com/x",
        "https://hooks.slack.com/" + "x" * 600,
        "file:///etc/passwd",
        "javascript:alert(1)",
    ],
)
def test_a_webhook_lies_at_slack_or_nowhere(visitor: Visitor, log: Log, typed: str) -> None:
    page = visitor.send("/subscribe", channel="slack", webhook=typed)
    assert page.status == 422
    assert page.links(".faults a") == ["#webhook"]
    assert "slack.hosts" not in page.text
    assert requests(log) == []


def test_a_webhook_of_slack_is_taken(visitor: Visitor, log: Log) -> None:
    webhook = "https://hooks.slack.com/services/T01/B02/aBc"
    assert visitor.send("/subscribe", channel="slack", webhook=webhook).status == 303
    assert requests(log) == [webhook]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"where": "some"}, "states"),
        ({"where": "nowhere"}, "where"),
        ({"where": "some", "states": ["TX", "XX"]}, "states"),
        ({"kinds": []}, "kinds"),
        ({"kinds": ["merged"]}, "kinds"),
        ({"departures": "never"}, "departures"),
        ({"cadence": "hourly"}, "cadence"),
        ({"minute": "7am"}, "minute"),
        ({"minute": "99999"}, "minute"),
        ({"weekday": "7"}, "weekday"),
        ({"weekday": "9" * 5000}, "weekday"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": "\x00"}, "time_zone"),
        ({"channel": "slack-bot"}, "channel"),
    ],
)
def test_what_is_not_offered_cannot_be_chosen(visitor: Visitor, log: Log, typed: dict[str, Any], field: str) -> None:
    page = visitor.subscribes(**typed)
    assert page.status == 422
    assert page.links(".faults a") == [f"#{field}"]
    assert requests(log) == []


def test_what_was_typed_is_still_there_beside_what_is_wrong(visitor: Visitor) -> None:
    page = visitor.subscribes("not-an-address", where="some", states=["TX"], cadence="weekly", minute="540")
    assert 'value="not-an-address"' in page.html
    assert 'aria-describedby="email-hint email-fault"' in page.html
    assert page.one("title").startswith("Error: ")
    ticked = {node.attributes.get("value") for node in LexborHTMLParser(page.html).css("input[checked]")}
    assert {"some", "TX", "weekly"} <= ticked
    assert '<option value="540" selected>' in page.html


@pytest.mark.parametrize("sent", ["[1, 2]", '{"email": 5}', '{"email": "reader@example.org", "kinds": ["new"]}', '"x"'])
@pytest.mark.parametrize("path", ["/subscribe", "/manage"])
def test_what_is_no_form_is_not_taken_for_one(visitor: Visitor, log: Log, path: str, sent: str) -> None:
    token = visitor.open(path).html.partition('name="csrf_token" value="')[2].partition('"')[0]
    page = visitor.open(path, "POST", sent, {"Content-Type": "application/json", "X-CSRFToken": token})
    assert page.status == 422
    assert requests(log) == []


# --- how much, and how often ------------------------------------------------------------------------------------


def test_a_form_that_is_too_large_is_refused(visitor: Visitor, log: Log) -> None:
    page = visitor.open("/subscribe", "POST", data={"email": "x" * 40_000})
    assert page.status == 413
    assert "That is too much" in page.text
    assert requests(log) == []


def test_a_network_may_ask_only_so_often_and_is_told_when_it_may_again(log: Log, smtp: FakeSmtp) -> None:
    visitor = Visitor(log, settings(log, smtp, forms=FormSettings(asks_per_network=2)), smtp)
    for number, neighbour in enumerate(("192.0.2.7", "192.0.2.200")):
        visitor.asks_from = neighbour
        assert visitor.subscribes(f"reader{number}@example.org").status == 303
    page = visitor.subscribes("reader2@example.org")
    assert page.status == 429
    assert page.headers["Retry-After"] == "3600"
    assert page.one("h1") == "Too many forms were sent"
    assert visitor.send("/manage", email="reader0@example.org").status == 429
    visitor.asks_from = "198.51.100.1"
    assert visitor.subscribes("reader3@example.org").status == 303
    assert len(requests(log)) == 3


def test_a_network_of_ipv6_is_its_first_half(log: Log, smtp: FakeSmtp) -> None:
    visitor = Visitor(log, settings(log, smtp, forms=FormSettings(asks_per_network=1)), smtp)
    statuses = []
    for address in ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1", "::ffff:192.0.2.1", "192.0.2.9"):
        visitor.asks_from = address
        statuses.append(visitor.subscribes().status)
    assert statuses == [303, 429, 303, 303, 429]


def test_all_together_may_ask_only_so_often(log: Log, smtp: FakeSmtp) -> None:
    visitor = Visitor(log, settings(log, smtp, forms=FormSettings(asks_overall=2)), smtp)
    statuses = []
    for number in range(3):
        visitor.asks_from = f"198.51.{number}.1"
        statuses.append(visitor.subscribes().status)
    assert statuses == [303, 303, 429]


def test_behind_a_proxy_the_visitor_counts_and_not_the_proxy(log: Log, smtp: FakeSmtp) -> None:
    forms = FormSettings(asks_per_network=1, trusted_proxies=1)
    visitor = Visitor(log, settings(log, smtp, forms=forms), smtp)
    visitor.asks_from = "10.0.0.1"

    def asks(forwarded: str) -> int:
        token = visitor.open("/subscribe").html.partition('name="csrf_token" value="')[2].partition('"')[0]
        typed: dict[str, object] = {"csrf_token": token, "email": "reader@example.org", "kinds": "new"}
        return visitor.open("/subscribe", "POST", typed, {"X-Forwarded-For": forwarded}).status

    assert asks("192.0.2.1") == 303
    assert asks("198.51.100.1") == 303
    # What the visitor made up stands before what the proxy added.
    assert asks("203.0.113.5, 192.0.2.1") == 429


@pytest.mark.parametrize(
    ("forwarded", "again"),
    [("192.0.2.1:50312", "192.0.2.9"), ("[2001:db8:0:1::1]:443", "2001:db8:0:1::2"), ("unknown", "_hidden")],
)
def test_a_proxy_may_write_a_port_or_no_address(log: Log, smtp: FakeSmtp, forwarded: str, again: str) -> None:
    forms = FormSettings(asks_per_network=1, trusted_proxies=1)
    visitor = Visitor(log, settings(log, smtp, forms=forms), smtp)
    token = visitor.open("/subscribe").html.partition('name="csrf_token" value="')[2].partition('"')[0]
    typed: dict[str, object] = {"csrf_token": token, "email": "reader@example.org", "kinds": "new"}
    statuses = [
        visitor.open("/subscribe", "POST", typed, {"X-Forwarded-For": said}).status
        for said in (forwarded, again, "198.51.100.1")
    ]
    assert statuses == [303, 429, 303]


def test_without_a_proxy_nobody_can_say_that_they_are_somebody_else(log: Log, smtp: FakeSmtp) -> None:
    visitor = Visitor(log, settings(log, smtp, forms=FormSettings(asks_per_network=1)), smtp)
    token = visitor.open("/subscribe").html.partition('name="csrf_token" value="')[2].partition('"')[0]
    typed: dict[str, object] = {"csrf_token": token, "email": "reader@example.org", "kinds": "new"}
    statuses = [
        visitor.open("/subscribe", "POST", typed, {"X-Forwarded-For": f"198.51.{n}.1"}).status for n in range(2)
    ]
    assert statuses == [303, 429]


# --- whose form it is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/subscribe", "/manage", "/manage/x", "/manage/x/1"])
def test_a_form_from_elsewhere_is_refused(visitor: Visitor, log: Log, path: str) -> None:
    for data in ({"email": "reader@example.org", "kinds": "new"}, {"csrf_token": "forged", "do": "leave"}):
        page = visitor.open(path, "POST", data=dict(data))
        assert page.status == 400
        assert "go back, load the page again" in page.text
    assert requests(log) == []


def test_only_pages_with_forms_set_a_cookie(visitor: Visitor, log: Log) -> None:
    log.publishes(new())
    for path in ("/", "/days/", "/states/", "/subscribe/sent", "/manage/sent", "/confirm/x", "/unsubscribe/x"):
        assert "Set-Cookie" not in visitor.open(path).headers
    cookie = visitor.open("/subscribe").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Expires" not in cookie


def test_over_https_the_cookie_is_for_https_alone(log: Log, smtp: FakeSmtp) -> None:
    https = settings(log, smtp, web=WebSettings(base_url="https://monitor.example.org"))
    visitor = Visitor(log, https, smtp)
    with visitor.client.get("/subscribe", base_url="https://monitor.example.org") as answer:
        cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-forms=")
    assert "Secure" in cookie


def every_page(visitor: Visitor, log: Log) -> dict[str, Page]:
    """Every page with a form or a token, by its address."""
    number = add_watch(log.alerts, "TX", email="known@example.org")
    visitor.subscribes()
    visitor.send("/manage", email="known@example.org")
    visitor.works_off()
    found = {path for mail in visitor.smtp.messages for path in links(mail).values()}
    manage = next(path for path in found if path.startswith("/manage/"))
    addresses = ["/subscribe", "/manage", *sorted(found), f"{manage}/{number}", f"{manage}/kept.json", "/manage/x"]
    return {address: visitor.open(address) for address in addresses}


def test_pages_with_forms_and_tokens_are_kept_and_told_nowhere(visitor: Visitor, log: Log) -> None:
    for address, page in every_page(visitor, log).items():
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "form-action 'self'" in page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert ("noindex" in page.headers.get("X-Robots-Tag", "")) is (address != "/subscribe")
        elsewhere = [link for link in page.links() if not link.startswith(("/", "#"))]
        assert elsewhere == []
        assert "<script" not in page.html


def test_no_page_offers_its_token_as_its_address(visitor: Visitor, log: Log) -> None:
    for address, page in every_page(visitor, log).items():
        assert bool(page.links('link[rel="canonical"]')) is (address in ("/subscribe", "/manage"))


def test_pages_with_forms_and_tokens_tell_nothing_by_their_length(visitor: Visitor, log: Log) -> None:
    for address in every_page(visitor, log):
        page = visitor.open(address, headers={"Accept-Encoding": "gzip, br"})
        assert "Content-Encoding" not in page.headers
        assert "ETag" not in page.headers


# --- logs -------------------------------------------------------------------------------------------------------


def test_neither_addresses_nor_tokens_reach_a_log(
    visitor: Visitor, log: Log, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    pages = every_page(visitor, log)
    visitor.subscribes("not-an-address")
    for _ in range(30):
        visitor.subscribes()
    for address in pages:
        visitor.open(address, "POST")
    visitor.works_off()
    # The fake mail server tells all that it hears; it is none of ours.
    ours = [record.getMessage() for record in caplog.records if record.name != "mail.log"]
    said = "\n".join([*ours, *capfd.readouterr()])
    assert "exceeded at endpoint" in said  # the limits do log, and by network
    secrets = [address.split("/")[2] for address in pages if address.count("/") > 1]
    assert [secret for secret in secrets if len(secret) > 1 and secret in said] == []
    assert [word for word in ("reader@", "known@", "not-an-address") if word in said] == []


def test_a_page_that_fails_is_logged_without_its_address(
    visitor: Visitor, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    token = next(iter(path for path in every_page(visitor, log) if path.startswith("/confirm/"))).split("/")[2]
    log.alerts.state.run("UPDATE confirmations SET wish = 'broken'")
    caplog.clear()
    assert visitor.open(f"/confirm/{token}").status == 500
    assert "GET /confirm/<token>" in caplog.text
    assert token not in caplog.text
