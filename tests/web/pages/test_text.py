"""How text, moments and addresses are shown."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from tests.web.builders import at
from web.pages import text
from web.pages.documents import document_in

EASTERN = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2025-08-28 14:30", "Aug. 28, 2025, 10:30 a.m. ET"),
        ("2025-01-01 05:00", "Jan. 1, 2025, 12:00 a.m. ET"),
        ("2025-01-01 17:05", "Jan. 1, 2025, 12:05 p.m. ET"),
        ("2025-08-29 03:59", "Aug. 28, 2025, 11:59 p.m. ET"),
    ],
)
def test_a_moment_is_shown_with_the_name_of_its_zone(moment: str, shown: str) -> None:
    assert text.at(at(moment), EASTERN) == shown


@pytest.mark.parametrize(("cell", "shown"), [("2025-08-08", "Aug. 8, 2025"), ("05/082025", "05/082025"), ("", "")])
def test_a_signed_cell_shows_its_day_or_what_it_says(cell: str, shown: str) -> None:
    assert text.day_in_cell(cell) == shown


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("Ocala Police", "Ocala Police"),
        ("Ocala ", "Ocala␣"),
        ("  Ocala", "␣␣Ocala"),
        ("Ocala   Police", "Ocala ␣␣Police"),
        ("Ocala\N{NO-BREAK SPACE}Police", "Ocala⍽Police"),
        ("Ocala\N{RIGHT-TO-LEFT OVERRIDE}Police", "Ocala[U+202E]Police"),
        ("Ocala\x00", "Ocala[U+0000]"),
        ("Ocala\nPolice", "Ocala↵Police"),
    ],
)
def test_what_a_reader_cannot_see_is_made_visible(cell: str, shown: str) -> None:
    assert text.visible(cell) == shown


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("Doña Ana’s Ünit", "Doña Ana’s Ünit"),
        ("a\N{NO-BREAK SPACE}b\tc\nd", "a\N{NO-BREAK SPACE}b\tc\nd"),
        ("fdp\N{RIGHT-TO-LEFT OVERRIDE}exe", "fdpexe"),
        ("\N{ZERO WIDTH NO-BREAK SPACE}a\N{ZERO WIDTH SPACE}b", "ab"),
        ("a\x00b\x1bc\x85d", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}d"),
        ("a\ud800b", "a\N{REPLACEMENT CHARACTER}b"),
    ],
)
def test_characters_that_act_are_taken_out(cell: str, shown: str) -> None:
    assert text.neutral(cell) == shown


def test_what_a_template_has_written_already_is_left_alone() -> None:
    written = Markup("<b>bold</b>")
    assert text.neutral(written) is written


@given(st.text())
def test_any_text_can_be_sent(cell: str) -> None:
    shown = text.neutral(cell)
    assert isinstance(shown, str)
    shown.encode()
    assert text.visible(cell).isprintable()


@pytest.mark.parametrize(
    ("cell", "address", "wrapper"),
    [
        ("https://www.ice.gov/doclib/287gMOA/Q_MOA.pdf", "https://www.ice.gov/doclib/287gMOA/Q_MOA.pdf", ""),
        ("http://www.ice.gov/doclib/287gMOA/Q_MOA.pdf", "https://www.ice.gov/doclib/287gMOA/Q_MOA.pdf", ""),
        ("//www.ice.gov/Q%20MOA.pdf?x=1#page=2", "https://www.ice.gov/Q%20MOA.pdf", ""),
        (
            "https://gcc02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.ice.gov%2FQ_MOA.pdf&data=somebody%40",
            "https://www.ice.gov/Q_MOA.pdf",
            "gcc02.safelinks.protection.outlook.com",
        ),
        (
            "https://web.archive.org/web/20250801000000/https://www.ice.gov/Q_MOA.pdf",
            "https://www.ice.gov/Q_MOA.pdf",
            "web.archive.org",
        ),
        ("chrome-extension://abc/https:/www.ice.gov/Q_MOA.pdf", "https://www.ice.gov/Q_MOA.pdf", "abc"),
        ("link pending", "", ""),
        ("javascript:alert(1)", "", ""),
        ("data:text/html,<script>alert(1)</script>", "", ""),
        ("vbscript:x", "", ""),
        ("file:///etc/passwd", "", ""),
        ('https://evil.test/"onmouseover="alert(1)', "https://evil.test/%22onmouseover=%22alert(1)", ""),
        ("https://user:secret@evil.test/x", "https://evil.test/x", ""),
        ("https://[a.b/x", "https://%5Ba.b/x", ""),
    ],
)
def test_a_document_is_followed_in_its_own_letters_and_without_wrapping(cell: str, address: str, wrapper: str) -> None:
    found = document_in(cell)
    assert (found.address, found.wrapper) == (address, wrapper)
    assert "somebody" not in found.text


def test_a_cell_without_a_document_says_what_it_says() -> None:
    assert document_in(" Link  Pending ").text == "Link Pending"
