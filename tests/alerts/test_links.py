"""Links open what they were signed for, for as long as they were signed for, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from alerts.links import InvalidLink, Links, LinkScope, around_marks, in_quoted_printable, marked_scope, open_links
from monitor.settings import FormSettings
from tests.alerts.builders import NOON, settings

WEEK = timedelta(days=7)
OLD, NEW = b"old key", b"new key"


def links(*keys: bytes, base_url: str = "https://monitor.example.org") -> Links:
    return Links(base_url, keys or (OLD,), WEEK)


@pytest.mark.parametrize("scope", LinkScope)
def test_a_link_opens_what_it_was_signed_for(scope: LinkScope) -> None:
    assert links().read(scope, links().token(scope, 7, NOON), NOON) == 7


def test_a_link_of_one_scope_is_refused_at_the_other() -> None:
    stop, manage = (links().token(scope, 7, NOON) for scope in (LinkScope.STOP, LinkScope.MANAGE))
    assert links().read(LinkScope.MANAGE, stop, NOON) is InvalidLink.FORGED
    assert links().read(LinkScope.STOP, manage, NOON) is InvalidLink.FORGED


def test_a_link_to_manage_ends_and_a_link_to_stop_does_not() -> None:
    stop, manage = (links().token(scope, 7, NOON) for scope in (LinkScope.STOP, LinkScope.MANAGE))
    assert links().read(LinkScope.MANAGE, manage, NOON + WEEK - timedelta(seconds=1)) == 7
    assert links().read(LinkScope.MANAGE, manage, NOON + WEEK) is InvalidLink.EXPIRED
    assert links().read(LinkScope.STOP, stop, NOON + 1000 * WEEK) == 7


def test_the_first_key_signs_and_all_are_good() -> None:
    before, between, after = links(OLD), links(NEW, OLD), links(NEW)
    old = before.token(LinkScope.STOP, 7, NOON)
    assert between.read(LinkScope.STOP, old, NOON) == 7
    assert after.read(LinkScope.STOP, old, NOON) is InvalidLink.FORGED
    assert after.read(LinkScope.STOP, between.token(LinkScope.STOP, 7, NOON), NOON) == 7


def test_links_sent_before_a_key_was_set_go_on_working(tmp_path: Path) -> None:
    plain = settings(tmp_path / "state.db")
    rotated = settings(tmp_path / "state.db", forms=FormSettings(link_keys=(SecretStr("a new one"),)))
    old = open_links(plain).token(LinkScope.STOP, 7, NOON)
    assert open_links(rotated).read(LinkScope.STOP, old, NOON) == 7
    assert open_links(rotated).token(LinkScope.STOP, 7, NOON) != old


@given(st.text())
def test_what_was_not_signed_opens_nothing(token: str) -> None:
    assert all(links().read(scope, token, NOON) is InvalidLink.FORGED for scope in LinkScope)


@pytest.mark.parametrize("at", range(0, 60, 7))
def test_a_link_that_was_altered_opens_nothing(at: int) -> None:
    token = links().token(LinkScope.MANAGE, 7, NOON)
    other = "A" if token[at] != "A" else "B"
    assert links().read(LinkScope.MANAGE, token[:at] + other + token[at + 1 :], NOON) is InvalidLink.FORGED


@pytest.mark.parametrize(
    ("base_url", "takes"),
    [
        ("https://monitor.example.org", True),
        ("http://monitor.example.org", False),
        ("http://127.0.0.1:8287", True),
    ],
)
def test_mail_programs_are_offered_one_click_over_https_only(base_url: str, takes: bool) -> None:
    assert bool(links(base_url=base_url).one_click_page("unsubscribe/x")) is takes


@pytest.mark.parametrize("broken_at", range(len(b"manage/your-link") + 1))
def test_a_mark_is_found_wherever_a_line_was_broken(broken_at: int) -> None:
    mark = b"manage/your-link"
    text, found, rest = around_marks(b"see " + mark[:broken_at] + b"=\r\n" + mark[broken_at:] + b" please")
    assert marked_scope(found) is LinkScope.MANAGE
    assert (text.replace(b"=\r\n", b""), rest.replace(b"=\r\n", b"")) == (b"see ", b" please")


@given(st.text("abcXYZ019-_./", min_size=1, max_size=400))
def test_a_path_survives_quoted_printable(path: str) -> None:
    import quopri

    encoded = in_quoted_printable(path)
    assert quopri.decodestring(encoded) == path.encode()
    assert max(map(len, encoded.splitlines())) <= 76
