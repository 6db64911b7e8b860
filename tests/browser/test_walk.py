"""Every page, in a real browser: on a phone and a desktop, with scripts off and on."""

from __future__ import annotations

import pytest
from playwright.sync_api import ViewportSize
from pytest_playwright.pytest_playwright import CreateContextCallback

from tests.browser.looking import faults_of_access, faults_of_skip_link, witnessed
from tests.browser.sites import DESKTOP, PHONE
from tests.browser.walking import kinds_to_read, walk

# No page has a link to these, for people do not open them: a page's own style, icon and scripts; the pictures that
# other sites show with a link; and what programs ask for. tests/web reads them all.
NOT_LINKED = {
    "static",
    *("previews.preview_of_front", "previews.preview_of_map", "previews.preview_of_state"),
    *("api.agreement", "api.agreements", "api.change", "api.changes", "data.agreements_on"),
}
# Behind a form or a link that only a mail has: test_subscription.py goes there.
FOR_SUBSCRIBERS = {kind for kind in kinds_to_read() if kind.startswith(("subscribe.", "manage."))}


@pytest.mark.parametrize("scripts", [False, True], ids=["scripts off", "scripts on"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_that_links_lead_to_is_sound(
    new_context: CreateContextCallback, sample_site: str, size: ViewportSize, scripts: bool
) -> None:
    with witnessed(new_context(viewport=size, java_script_enabled=scripts)) as (page, witness):
        looks = [faults_of_skip_link, faults_of_access] if scripts else [faults_of_skip_link]
        walked = walk(page, witness, sample_site, *looks)
    assert walked.faults == {}
    assert kinds_to_read() - walked.routes() - FOR_SUBSCRIBERS == NOT_LINKED
