"""The whole life of a subscription in a real browser: a form, a mail, a button, what is told, and the end of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from playwright.sync_api import ViewportSize, expect
from pytest_playwright.pytest_playwright import CreateContextCallback

from alerts.links import LinkScope, open_links
from tests.browser.looking import witnessed
from tests.browser.sites import DESKTOP, PHONE
from tests.browser.subscribing import Newsroom, Reader, newsroom
from tests.browser.test_walk import FOR_SUBSCRIBERS
from tests.browser.walking import SECONDS

ADDRESS = "reader@example.org"


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Newsroom]:
    with newsroom(tmp_path) as opened:
        yield opened


# What axe reads of a page is the same on a phone and a desktop but for the layout, which is looked at in all four; it
# cannot run where scripts are off.
@pytest.mark.parametrize(
    ("size", "scripts", "axe"),
    [(PHONE, False, False), (PHONE, True, True), (DESKTOP, False, False), (DESKTOP, True, False)],
    ids=["phone, scripts off", "phone, scripts on", "desktop, scripts off", "desktop, scripts on"],
)
def test_a_reader_subscribes_changes_their_mind_pauses_and_leaves(
    new_context: CreateContextCallback, at: Newsroom, size: ViewportSize, scripts: bool, axe: bool
) -> None:
    with witnessed(new_context(viewport=size, java_script_enabled=scripts)) as (page, witness):
        reader = Reader(page, witness, at, axe)
        reader.opens(at.site)
        asks_with_a_mistake_and_then_without(reader)
        confirms(reader)
        at.lists("Larkmere Police Department")
        assert "Larkmere" in at.subjects()[-1]
        reader.reads_mail()
        stop = at.link("unsubscribe")
        changes_the_states_and_pauses(reader)
        leaves(reader, stop)
        asks_for_a_lost_link(reader)
    assert reader.opened == FOR_SUBSCRIBERS - {"manage.kept"} | {"front.newest"}  # that one is a file
    assert at.log.alerts.reports.contradictions() == ()


def asks_with_a_mistake_and_then_without(reader: Reader) -> None:
    reader.follows("Subscribe")
    reader.field("Email address").fill("reader at example.org")
    reader.field("Only the states that I tick").check()
    reader.field("Once a day").check()
    reader.field("Time zone").select_option("Central")
    reader.presses("Subscribe", "There is a problem")
    email = reader.field("Email address")
    expect(email).to_have_value("reader at example.org")
    expect(email).to_have_accessible_description(
        "If you chose email. It is used for these alerts and for nothing else. "
        "Error: Enter an email address in the usual form, like name@example.org"
    )
    expect(reader.field("Once a day")).to_be_checked()
    expect(reader.field("Time zone")).to_have_value("America/Chicago")
    reader.page.get_by_role("link", name="Tick at least one state, or choose all states").click()
    expect(reader.field("Alabama")).to_be_in_viewport()

    email.fill(ADDRESS)
    reader.field("Texas").check()
    reader.field("At once, within the hour").check()
    reader.presses("Subscribe", "One more step: confirm")
    assert reader.at.smtp.messages == []


def confirms(reader: Reader) -> None:
    at = reader.at
    at.works_off()
    assert at.subjects() == ["Please confirm: alerts about 287(g) agreements"]
    reader.reads_mail()
    reader.opens(at.link("confirm"))
    reader.reads("Texas")
    at.lists("Meanwhile Police Department")
    assert len(at.smtp.messages) == 1, "opening the link has subscribed somebody"
    reader.presses("Yes, send me these alerts", "You are subscribed")


def changes_the_states_and_pauses(reader: Reader) -> None:
    at = reader.at
    reader.opens(at.link("manage"))
    reader.follows("Change alerts about Texas")
    reader.field("Texas").uncheck()
    reader.field("Georgia").check()
    reader.presses("Save", "What you are told is changed.")
    at.lists("Elsewhere Police Department")
    assert "Larkmere" in at.subjects()[-1]

    # The same page as above, but for a line and a button.
    reader.presses("Pause", "Paused: no news until you go on with it.", look=False)
    at.lists("Unheard Police Department", "GEORGIA")
    assert "Larkmere" in at.subjects()[-1]
    reader.presses("Go on with it", "You are told of what happens from now on.", look=False)
    at.lists("Heard Police Department", "GEORGIA")
    assert "Heard Police Department" in at.subjects()[-1]


def leaves(reader: Reader, stop: str) -> None:
    at = reader.at
    sent = len(at.smtp.messages)
    reader.opens(stop)
    at.lists("Still Police Department", "GEORGIA")
    assert len(at.smtp.messages) == sent + 1, "opening the link has stopped alerts"
    reader.presses("Stop all alerts", "All alerts are stopped")
    again = requests.post(stop, data={"List-Unsubscribe": "One-Click"}, timeout=SECONDS)
    assert again.status_code == 200
    at.lists("Late Police Department", "GEORGIA")
    assert len(at.smtp.messages) == sent + 1


def asks_for_a_lost_link(reader: Reader) -> None:
    at = reader.at
    sent = len(at.smtp.messages)
    reader.opens(f"{at.site}/manage")
    reader.field("Email address").fill(ADDRESS)
    reader.presses("Send me my link", "Look for a message")
    at.works_off()
    assert len(at.smtp.messages) == sent, "who has left was written to"


def test_whoever_lost_their_link_is_sent_it(new_context: CreateContextCallback, at: Newsroom) -> None:
    with witnessed(new_context(viewport=PHONE)) as (page, witness):
        reader = Reader(page, witness, at, axe=True)
        subscribes(reader)
        page.goto(f"{at.site}/manage")
        reader.presses("Send me my link", "Enter an email address")
        reader.field("Email address").fill(ADDRESS)
        reader.presses("Send me my link", "Look for a message")
        at.works_off()
        reader.reads_mail()
        reader.opens(at.link("manage"))
        reader.presses("Erase", "Tick the box to say that everything is to be erased")
        reader.page.locator("#sure").check()
        reader.presses("Erase", "Everything is erased")


def subscribes(reader: Reader) -> None:
    """From the form to the button, without looking around."""
    page, at = reader.page, reader.at
    page.goto(f"{at.site}/subscribe")
    reader.field("Email address").fill(ADDRESS)
    page.locator("main").get_by_role("button", name="Subscribe").click()
    at.works_off()
    page.goto(at.link("confirm"))
    page.locator("main").get_by_role("button").click()


def test_a_link_that_opens_nothing_and_too_many_forms_are_told_on_a_page(
    new_context: CreateContextCallback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGREEMENT_MONITOR_FORMS__ASKS_PER_NETWORK", "1")
    with newsroom(tmp_path) as at, witnessed(new_context(viewport=PHONE)) as (page, witness):
        reader = Reader(page, witness, at, axe=True)
        reader.opens(f"{at.site}/manage/nothing", status=404)
        last_month = open_links(at.settings).token(LinkScope.MANAGE, 1, at.log.now - timedelta(days=30))
        reader.opens(f"{at.site}/manage/{last_month}", status=410)
        for said in ("Look for a message", "Too many forms were sent"):
            page.goto(f"{at.site}/manage")
            reader.field("Email address").fill(ADDRESS)
            reader.presses("Send me my link", said, look=said != "Look for a message")
