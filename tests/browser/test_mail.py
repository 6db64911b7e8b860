"""Every mail as a browser shows its HTML: on a phone and a desktop, in light and in dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_playwright.pytest_playwright import CreateContextCallback

from tests.browser.looking import facts, faults_of_access, faults_of_form, witnessed
from tests.browser.sites import DESKTOP, PHONE
from tests.golden import FOLDER

MAILS = sorted([*(FOLDER / "email").glob("*.html"), *(FOLDER / "operator").glob("*.html")])


@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.stem)
def test_a_mail_is_sound_and_asks_nobody_for_anything(new_context: CreateContextCallback, mail: Path) -> None:
    with witnessed(new_context()) as (page, witness):
        page.set_content(mail.read_text())
        faults = faults_of_access(page)
        for size in (PHONE, DESKTOP):
            page.set_viewport_size(size)
            faults += faults_of_form(facts(page))
        assert faults + witness.complaints + witness.requests == []


def test_there_are_mails_to_look_at() -> None:
    assert len(MAILS) >= 12
