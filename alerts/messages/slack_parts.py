"""Pure: the parts of a Slack message, as they are stored and sent.

One part is one message in Slack. Most messages have one part. A long message has a first part that says what happened,
and further ones with the details.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from alerts.model import Message

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SlackPart:
    """What Slack shows, as Block Kit; and as text for notifications and screen readers."""

    text: str
    blocks: list[Block]


def packed(parts: Sequence[SlackPart]) -> Message:
    """The message of these parts."""
    return Message("", parts[0].text, blocks=json.dumps([asdict(part) for part in parts], ensure_ascii=False))


def parts_of(message: Message) -> tuple[SlackPart, ...]:
    """The parts of a message, at least one. Those stored by the first version are a list of blocks: one part."""
    stored = json.loads(message.blocks) if message.blocks else []
    if stored and "type" not in stored[0]:
        return tuple(SlackPart(each["text"], each["blocks"]) for each in stored)
    return (SlackPart(message.text, stored),)


def marked(blocks: Sequence[Block], message_id: str, number: int) -> list[Block]:
    """The blocks of the part with this number, counted from 0; the first block has the message's id.

    The id is the same for every attempt. Slack wants the ids of blocks to differ from message to message.
    """
    mark = message_id if number == 0 else f"{message_id}.{number}"
    return [{**block, "block_id": mark} if at == 0 else block for at, block in enumerate(blocks)]


def plain(part: SlackPart) -> str:
    """The text of all blocks, as mrkdwn, in case Slack does not accept the blocks."""
    return "\n\n".join(texts(part.blocks)) or part.text


def texts(blocks: Sequence[Block]) -> Iterator[str]:
    """Every text in these blocks."""
    for block in blocks:
        for text in [block["text"]] if "text" in block else block.get("elements", ()):
            yield text["text"]
