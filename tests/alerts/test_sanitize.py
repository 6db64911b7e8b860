"""Text that anybody may have written means nothing to the medium it is shown in."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.sanitize import clean, mrkdwn, shortened

anything = st.text(st.characters(exclude_categories=[]), max_size=200)  # lone surrogates too


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  Larkmere \u00a0 Police\tDepartment ", "Larkmere Police Department"),
        ("one\r\nBcc: all@example.org", "one Bcc: all@example.org"),
        ("nul\x00bell\x07escape\x1b[31m", "nulbellescape[31m"),
        ("fdp.\u202eexe", "fdp.exe"),
        ("Lark\u200bmere\ufeff", "Larkmere"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("Peña’s Jälkimäinen 警察", "Peña’s Jälkimäinen 警察"),
        ("a\u0301" + "\u0301" * 50 + "b", "a\u0301\u0301\u0301\u0301b"),
        ("a" + "\u0301\u0301\u200d" * 9, "a\u0301\u0301\u0301\u0301"),
        ("line\u2028separator", "line separator"),
    ],
)
def test_what_acts_instead_of_being_read_is_left_out(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(anything)
def test_what_is_clean_is_one_line_of_visible_text(text: str) -> None:
    shown = clean(text)
    assert not any(unicodedata.category(c).startswith("C") for c in shown)
    assert shown.splitlines() in ([], [shown])
    shown.encode()  # no lone surrogate
    assert clean(shown) == shown


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("short", 5, "short"),
        ("too long", 5, "too…"),
        ("Peña", 4, "Peña"),
        ("Pen\u0303as", 4, "Pe…"),
        ("ab\U0001f44d\U0001f3fdcd", 4, "ab…"),
        ("ab\U0001f1fa\U0001f1f8\U0001f1e8\U0001f1e6", 5, "ab\U0001f1fa\U0001f1f8…"),
        ("ab\U0001f1fa\U0001f1f8\U0001f1e8\U0001f1e6", 4, "ab…"),
        ("e" + "\u0301" * 9, 4, "…"),
        ("ab\u0915\u094d\u0937cd", 5, "ab…"),  # ka, virama, ssa: one Indic letter
        ("ab\u0915\u094d\u0301\u0937cd", 6, "ab…"),
        ("ab\u0d4e\u0d15cd", 4, "ab…"),  # a Malayalam r goes with the letter after it
        ("ab\u0e01\u0e33cd", 4, "ab…"),  # a Thai vowel that Unicode calls a letter
        ("ab\uff76\uff9ecd", 4, "ab…"),  # narrow Japanese: ka and its sound mark
        ("ab\uac00\ud7cbcd", 4, "ab…"),  # a Korean syllable and an old final
        ("ab1\ufe0f\u20e3cd", 5, "ab…"),  # a key
    ],
)
def test_a_long_text_is_cut_between_characters_as_people_see_them(text: str, most: int, shown: str) -> None:
    assert shortened(text, most) == shown


@given(anything, st.integers(1, 50))
def test_what_is_shortened_is_never_longer(text: str, most: int) -> None:
    assert len(shortened(text, most)) <= most


@pytest.mark.parametrize(
    "text",
    ["<!channel>", "<!here|here>", "<@U123>", "<https://evil.example|ICE>", "<mailto:a@b>", "a > b < c & d"],
)
def test_slacks_brackets_are_escaped(text: str) -> None:
    shown = mrkdwn(text)
    assert "<" not in shown
    assert ">" not in shown
    assert not re.search(r"&(?!(amp|lt|gt);)", shown)


@pytest.mark.parametrize("text", ["*bold*", "_slanted_", "~gone~", "`code`", "```code```", ":smile:", "a|b"])
def test_slacks_formatting_is_replaced_by_look_alikes(text: str) -> None:
    assert not set(mrkdwn(text)) & set("*_~`:|")


@pytest.mark.parametrize("text", ["@here", "cc @channel", "(@everyone)", "#general", "see #news_desk"])
def test_what_looks_like_a_mention_or_a_channel_is_replaced_by_look_alikes(text: str) -> None:
    assert not set(mrkdwn(text)) & set("@#")


def test_a_mail_address_and_a_number_stay_as_they_are() -> None:
    assert mrkdwn("jane@example.org, District #7") == "jane@example.org, District #7"


def test_an_underscore_inside_a_word_stays() -> None:
    assert mrkdwn("sample_Larkmere_TX.pdf") == "sample_Larkmere_TX.pdf"


@given(anything)
def test_nothing_is_live_in_slack(text: str) -> None:
    shown = mrkdwn(clean(text))
    assert not set(shown) & set("<>*~`|")
    assert not re.search(r":[\w+'-]+:", shown)
