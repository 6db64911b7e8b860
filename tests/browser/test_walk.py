"""Every page, in a real browser: on a phone and a desktop, with scripts off and on."""

from __future__ import annotations

import pytest
from playwright.sync_api import ViewportSize
from pytest_playwright.pytest_playwright import CreateContextCallback

from tests.browser.looking import faults_of_access, faults_of_skip_link, witnessed
from tests.browser.sites import DESKTOP, PHONE
from tests.browser.walking import walk


@pytest.mark.parametrize("scripts", [False, True], ids=["scripts off", "scripts on"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_that_links_lead_to_is_sound(
    new_context: CreateContextCallback, sample_site: str, size: ViewportSize, scripts: bool
) -> None:
    with witnessed(new_context(viewport=size, java_script_enabled=scripts)) as (page, witness):
        looks = [faults_of_skip_link, faults_of_access] if scripts else [faults_of_skip_link]
        walked = walk(page, witness, sample_site, *looks)
    assert walked.faults == {}
    assert {"site.front", "site.day", "site.state", "site.change", "site.agreement"} <= set(walked.pages.values())
