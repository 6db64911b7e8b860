"""Pure: makes text from outside safe to show in a message.

A workbook's cell can hold control characters, overrides of the reading direction, Slack's markup, or pages of text. The
result is one line of visible text that does nothing in the medium that shows it.
"""

from __future__ import annotations

import re
import unicodedata

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
# Slack links these only if asked to look for names (`link_names`), which we do not; this is a second safeguard.
_MAYBE_MENTION = re.compile(r"(?<!\w)@(?=\w)")
_MAYBE_CHANNEL = re.compile(r"(?<!\w)#(?=[^\W\d_])")


def clean(text: str) -> str:
    """One line: the same words, without stray spaces, invisible characters, and more accents than a letter can hold."""
    return " ".join(strip_invisible(text).split())


def strip_invisible(text: str) -> str:
    """The same text without control, format and unassigned characters; line breaks become spaces."""
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
    """At most so many characters, the last an ellipsis if any were left out. Grapheme clusters stay whole (UAX #29)."""
    if len(text) <= most:
        return text
    import regex  # 20 ms, and nearly all texts are short enough

    cut = 0
    for cluster in regex.finditer(r"\X", text):
        if cluster.end() >= most:
            break
        cut = cluster.end()
    return text[:cut].rstrip() + "…"


def mrkdwn(text: str) -> str:
    """Text for a mrkdwn object that Slack shows as it is: no mention, link, formatting or emoji.

    `&`, `<` and `>` are escaped as Slack asks (docs.slack.dev, "Formatting text for app surfaces").
    """
    text = text.translate(_LOOK_ALIKES)
    text = _FORMATTING_UNDERSCORE.sub("\N{MODIFIER LETTER LOW MACRON}", text)
    text = _MAYBE_EMOJI.sub(lambda emoji: emoji[0].replace(":", "\N{MODIFIER LETTER COLON}"), text)
    text = _MAYBE_MENTION.sub("\N{FULLWIDTH COMMERCIAL AT}", text)
    text = _MAYBE_CHANNEL.sub("\N{FULLWIDTH NUMBER SIGN}", text)
    return slack_escaped(text)


def slack_escaped(text: str) -> str:
    """The text with the three characters that Slack interprets escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
