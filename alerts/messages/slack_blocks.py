"""Pure: an outline and its prose → the parts of a Slack message, each within Slack's limits.

The limits are those of docs.slack.dev/reference/block-kit. The limit for the text of all blocks together is not
documented; people saw 13,200 characters refused, with about a hundred for each block, and once 11,341
(slackapi/bolt-js#2509, #2867). One more part takes a second, so our limit is well below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from alerts.messages.outline import DigestOutline, KindGroup, Outline, Point, StateGroup
from alerts.messages.slack_parts import Block, SlackPart, texts
from alerts.sanitize import shortened
from monitor.model import Kind

_SECTION, _HEADER, _BLOCKS = 3000, 150, 50  # characters, characters, blocks
_IN_ALL, _PER_BLOCK = 10_000, 100  # characters
_LONGEST_POINT = _SECTION - 300  # a block begins with the names of its state and of what happened
_LONGEST_TALLIES = 6000
_LONGEST_FALLBACK = 2500  # without blocks, Slack itself cuts texts in two from 4,000 on (slackapi/java-slack-sdk#704)

# Points in a single message, if they fit; where there are more, the message begins with a summary.
_FEW = 20
# Points in all parts together; nobody reads more on a phone, and a link leads to the rest.
_MOST = 100
_MOST_PARTS = 60  # one a state and a few: a minute, at one a second

AnyOutline: TypeAlias = Outline | DigestOutline

_LINK = re.compile(r"<[^<>|]*\|([^<>]*)>")


def message_parts(outlined: Callable[[int], AnyOutline], prose: Any, *, threads: bool) -> list[SlackPart]:
    """The parts of a message. The first says what happened and how we know; often it is the only one.

    `outlined` gives the outline with at most so many points; `prose` are the macros of `slack/message.jinja` or
    `slack/digest.jinja`. If further parts go into a thread (`threads`), each state has its own; else there are as few
    as possible.
    """
    few = outlined(_FEW)
    single = [_header(few, prose), *_all_details(few, few.places, prose), _footer(few, prose)]
    if not few.more and _fits(single):
        return [SlackPart(_fallback(str(prose.fallback(few)), few, prose), single)]
    whole = outlined(few.total) if few.more else few
    made: list[SlackPart] = []
    for most in fewer(_MOST):
        says = outlined(most) if _points(whole) > most else whole
        made = _divided(says, whole, prose, threads=threads)
        if len(made) <= _MOST_PARTS:
            break
    return made


def fewer(most: int) -> Iterator[int]:
    """Numbers of points to try, each smaller, for a message that is too large."""
    while most > 1:
        yield most
        most = most * 2 // 3
    yield 1


def _points(says: AnyOutline) -> int:
    return sum(len(section.points) for place in says.places for section in place.sections)


def _divided(says: AnyOutline, whole: AnyOutline, prose: Any, *, threads: bool) -> list[SlackPart]:
    """A first part with the counts of `whole` by state, and others with the details of `says`, agreement by agreement.

    Corrections are in the first part if there is room, so that nobody has to look for them.
    """
    tallies = _tallies(whole, prose)
    begin = [_header(says, prose), *map(_section, _packed(tallies))]
    end = [*([_section(str(prose.more(says)))] if says.more else []), _footer(says, prose)]
    details = _section(str(prose.details(threads)))
    corrections, news = _only(says.places, True), _only(says.places, False)
    corrected = _all_details(says, corrections, prose)
    if not _fits([*begin, *corrected, details, *end]):
        corrected, news = [], says.places
    bodies = [body for group in _groups(news, threads=threads) for body in _bodies(says, group, prose)]
    fallback = _fallback("\n".join([str(prose.title(says)), *tallies]), says, prose)
    return [
        SlackPart(fallback, [*begin, *corrected, *([details] if bodies else []), *end]),
        *(_further(says, body, number, len(bodies) + 1, prose) for number, body in enumerate(bodies, start=2)),
    ]


def _tallies(whole: AnyOutline, prose: Any) -> list[str]:
    """A line with the counts of each state, for as many states as fit."""
    lines = [str(prose.tally(place)) for place in whole.places]
    shown = list(lines)
    while sum(map(_size, shown)) > _LONGEST_TALLIES:
        shown.pop()
    return shown if len(shown) == len(lines) else [*shown, str(prose.more_states(len(lines) - len(shown)))]


def _only(places: Iterable[StateGroup], corrections: bool) -> tuple[StateGroup, ...]:
    """The corrections of these places, or everything else."""
    chosen = (
        replace(p, sections=tuple(s for s in p.sections if (s.what.kind is Kind.WITHDRAWN) is corrections))
        for p in places
    )
    return tuple(place for place in chosen if place.sections)


def _groups(places: Sequence[StateGroup], *, threads: bool) -> Sequence[Sequence[StateGroup]]:
    return [[place] for place in places] if threads else [places]


def _bodies(says: AnyOutline, places: Sequence[StateGroup], prose: Any) -> Iterator[list[Block]]:
    """The details of these places, in as few messages as possible."""
    room = [_context(str(prose.continues(says, 99, 99)))]
    body: list[Block] = []
    for block in _all_details(says, places, prose):
        if body and not _fits([*body, block, *room]):
            yield body
            body = []
        body = [*body, block]
    if body:
        yield body


def _further(says: AnyOutline, body: list[Block], number: int, of: int, prose: Any) -> SlackPart:
    """A part with details only. It says what it belongs to, since a webhook's parts can be far apart."""
    fallback = _fallback(_spoken(body), says, prose)
    return SlackPart(fallback, [*body, _context(str(prose.continues(says, number, of)))])


def _spoken(blocks: Sequence[Block]) -> str:
    """The text for screen readers: without the URLs of links, and without lines that are only a link."""
    lines = (line for text in texts(blocks) for line in text.splitlines())
    return "\n".join(_LINK.sub(r"\1", line) for line in lines if line.strip() and not _LINK.fullmatch(line.strip()))


def _fallback(text: str, says: AnyOutline, prose: Any) -> str:
    """The text for notifications and screen readers; the title if it is too long, since a cut text could mislead."""
    return text if _size(text) <= _LONGEST_FALLBACK else str(prose.title(says))


def _all_details(says: AnyOutline, places: Iterable[StateGroup], prose: Any) -> list[Block]:
    return [_section(text) for place in places for text in _details(says, place, prose)]


def _details(says: AnyOutline, place: StateGroup, prose: Any) -> Iterator[str]:
    """A state's points in as few texts as possible. Each text is complete in itself, and no point is split."""
    begun = text = str(prose.place(place, False))
    for section in place.sections:
        heading = str(prose.heading(says, section))
        lead = f"\n{heading}\n" if text != begun else f"{heading}\n"
        for point in section.points:
            said = _said(says, section, point, prose)
            if _size(text) + 1 + _size(lead) + _size(said) > _SECTION:
                yield text
                begun = text = str(prose.place(place, True))
                lead = f"{heading}\n"
            text = f"{text}\n{lead}{said}"
            lead = ""
    yield text


def _said(says: AnyOutline, section: KindGroup, point: Point, prose: Any) -> str:
    """A point, in a shorter form if the long one does not fit. Only text in cells that is not real is that long."""
    for brief, room in ((False, _SECTION // 2), (True, _LONGEST_POINT)):
        said = str(prose.point(says, section, point, brief))
        if _size(said) <= room:
            return said
    return str(prose.bare(point))


def _packed(lines: Iterable[str]) -> Iterator[str]:
    """Lines in as few texts as possible."""
    text = ""
    for line in lines:
        if text and _size(text) + 1 + _size(line) > _SECTION:
            yield text
            text = ""
        text = f"{text}\n{line}" if text else line
    if text:
        yield text


def _header(says: AnyOutline, prose: Any) -> Block:
    title = shortened(str(prose.title(says)), _HEADER)
    return {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}


def _footer(says: AnyOutline, prose: Any) -> Block:
    return _context(str(prose.footer(says)))


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_mrkdwn(text)]}


def _mrkdwn(text: str) -> Block:
    # Verbatim, so that Slack does not turn what looks like an address or a channel into a link.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _fits(blocks: Sequence[Block]) -> bool:
    return len(blocks) <= _BLOCKS and sum(map(_size, texts(blocks))) + _PER_BLOCK * len(blocks) <= _IN_ALL


def _size(text: str) -> int:
    """The length in UTF-16 code units, as in JavaScript. How Slack counts is undocumented."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
