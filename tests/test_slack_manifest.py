"""The app's manifest asks for what the channels need, and nothing else, within Slack's limits."""

from __future__ import annotations

import re
from pathlib import Path

MANIFEST = (Path(__file__).parent.parent / "slack" / "manifest.yaml").read_text()


def value(name: str) -> str:
    found = re.search(rf"^ *{name}: (.+)$", MANIFEST, re.MULTILINE)
    assert found, name
    return found[1].strip('"')


def test_the_app_may_post_and_read_nothing() -> None:
    scopes = re.findall(r"^ +- ([\w:.-]+)", MANIFEST, re.MULTILINE)
    assert scopes == ["incoming-webhook", "chat:write", "chat:write.public"]


def test_its_names_are_as_short_as_slack_wants() -> None:
    # docs.slack.dev/reference/app-manifest
    assert len(value("name")) <= 35
    assert len(value("description")) <= 140
    assert re.fullmatch(r"[a-z0-9._-]{1,80}", value("display_name"))
    assert re.fullmatch(r"#[0-9a-f]{6}", value("background_color"))


def test_it_is_yaml_of_plain_pairs_and_lists() -> None:
    for line in MANIFEST.splitlines():
        assert re.fullmatch(r'(#.*|( {2})*(- )?[\w:.-]+(: ("[^"]*"|[^"#:]+))?:?( # .*)?)', line), line
