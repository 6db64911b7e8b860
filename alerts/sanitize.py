"""Pure: makes text that anybody may have written fit to be shown in a message.

A workbook's cell can hold control characters, overrides of the reading direction, Slack's markup, or a novel. What
comes out of here is one line of visible text that means nothing to the medium it is shown in.
"""

from __future__ import annotations

import re
import unicodedata

_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_FLAG_HALVES = "".join(map(chr, range(0x1F1E6, 0x1F200)))  # two make a flag
# Of a Korean syllable written in parts.
_VOWELS_AND_FINALS = "".join(map(chr, (*range(0x1160, 0x1200), *range(0xD7B0, 0xD800))))
# Letters to Unicode, marks to the eye: the vowel am of Thai and Lao, the sound marks of narrow Japanese.
_LETTERS_THAT_ARE_MARKS = "\u0e33\u0eb3\uff9e\uff9f"
_VIRAMA = 9  # the combining class of what joins an Indic letter to the next
_BELONGS_TO_THE_NEXT = "\u0d4e"  # Malayalam r, written before its letter

_MOST_MARKS = 4  # combining marks on one letter; real ones have two, "zalgo" has hundreds and covers its neighbours

# Slack has no escape for its formatting characters; these look alike and do nothing.
_LOOK_ALIKES = str.maketrans(
    {
        "*": "\N{ASTERISK OPERATOR}",
        "~": "\N{TILDE OPERATOR}",
        "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
        "|": "\N{DIVIDES}",
    }
)
# An underscore inside a word does nothing, and file names are full of them.
_FORMATTING_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_MAYBE_EMOJI = re.compile(r":[\w+'-]+:")
# Slack links these where it is asked to look for names; nobody asks it to, so this is a second lock.
_MAYBE_MENTION = re.compile(r"(?<!\w)@(?=\w)")
_MAYBE_CHANNEL = re.compile(r"(?<!\w)#(?=[^\W\d_])")


def clean(text: str) -> str:
    """One line: the same words, without stray spaces, invisible characters, and more accents than a letter can hold."""
    return " ".join(visible(text).split())


def visible(text: str) -> str:
    """The same text without what acts instead of being read; line breaks become spaces."""
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if char.isspace():
            char = " "
        elif category.startswith("C"):  # control, format (direction, joiners, tags), surrogate, private, unassigned
            continue
        marks = marks + 1 if category.startswith("M") else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def shortened(text: str, most: int) -> str:
    """At most so many characters, the last an ellipsis if any were left out; none as people see them is cut in two."""
    if len(text) <= most:
        return text
    cut = most - 1
    while cut > 0 and _continues(text, cut):
        cut -= 1
    return text[:cut].rstrip() + "…"


def _continues(text: str, at: int) -> bool:
    """Whether the character at this place belongs to what stands before it."""
    char = text[at]
    if unicodedata.category(char).startswith("M"):
        return True
    if text[at - 1] in _BELONGS_TO_THE_NEXT:
        return True
    if char in _SKIN_TONES or char in _VOWELS_AND_FINALS or char in _LETTERS_THAT_ARE_MARKS:
        return True
    if char.isalpha() and _is_joined(text, at):
        return True
    if char not in _FLAG_HALVES:
        return False
    before = len(text[:at]) - len(text[:at].rstrip(_FLAG_HALVES))
    return before % 2 == 1


def _is_joined(text: str, at: int) -> bool:
    """Whether what stands before this letter joins it to another: directly, or with marks in between."""
    while unicodedata.category(text[at - 1]).startswith("M"):
        at -= 1
        if unicodedata.combining(text[at]) == _VIRAMA or at == 0:
            return at > 0
    return False


def mrkdwn(text: str) -> str:
    """Text inside a mrkdwn object, meaning nothing to Slack: no mention, link, formatting or emoji.

    `&`, `<` and `>` are escaped as Slack asks (docs.slack.dev, "Formatting text for app surfaces").
    """
    text = text.translate(_LOOK_ALIKES)
    text = _FORMATTING_UNDERSCORE.sub("\N{MODIFIER LETTER LOW MACRON}", text)
    text = _MAYBE_EMOJI.sub(lambda found: found[0].replace(":", "\N{MODIFIER LETTER COLON}"), text)
    text = _MAYBE_MENTION.sub("\N{FULLWIDTH COMMERCIAL AT}", text)
    text = _MAYBE_CHANNEL.sub("\N{FULLWIDTH NUMBER SIGN}", text)
    return slack_escaped(text)


def slack_escaped(text: str) -> str:
    """The three characters that Slack itself reads, escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
