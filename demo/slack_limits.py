"""What Slack refuses in a message posted to an incoming webhook, or to chat.postMessage.

The limits are those of the Block Kit reference (docs.slack.dev/reference/block-kit); the answers
are those that people report from the real webhooks, cited where they are given. Only the blocks
and limits that a list of changes can meet are checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MOST_BLOCKS = 50
MOST_SECTION_TEXT = 3000
MOST_HEADER_TEXT = 150
MOST_FIELDS = 10
MOST_FIELD_TEXT = 2000
MOST_CONTEXT_ELEMENTS = 10
MOST_ACTIONS = 25
MOST_BUTTON_TEXT = 75
MOST_TEXT_IN_ALL = 13_000
"""Nowhere documented: about 13,200 characters over all blocks (slackapi/bolt-js#2509)."""
MOST_TEXT = 40_000
MOST_BLOCK_ID = 255
MOST_METADATA = 8 * 1024
"""Bytes of JSON; docs.slack.dev/messaging/message-metadata names no number, people saw about 8 KB."""

_WITHOUT_TEXT = {"divider", "image", "rich_text", "table", "video"}


def read_payload(content_type: str, body: bytes) -> dict[str, Any] | None:
    """Return the JSON object that was posted; None if it is none."""
    # Slack takes form-encoded payloads too. We mean to send JSON and say so.
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return None
    try:
        payload = json.loads(body)
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def refusal(payload: dict[str, Any]) -> str | None:
    """Return the word with which Slack refuses this message; None where it takes it."""
    text = payload.get("text")
    if not isinstance(text, str) or not text.strip():
        # Slack takes blocks alone. We never mean to send them so: `text` is what notifications
        # and screen readers say. The word is Slack's where there is neither (fluxcd/flagger#1031).
        return "no_text"
    if _size(text) > MOST_TEXT:
        return "msg_too_long"
    blocks = payload.get("blocks", [])
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        return "invalid_blocks_format"
    if len(blocks) > MOST_BLOCKS or not all(_is_valid(block) for block in blocks) or not _are_told_apart(blocks):
        return "invalid_blocks"  # sourcegraph#49979, bugsink#317
    if sum(map(_size, _texts(blocks))) > MOST_TEXT_IN_ALL:
        return "msg_blocks_too_long"
    return _metadata_refusal(payload.get("metadata"))


def _metadata_refusal(metadata: object) -> str | None:
    match metadata:
        case None:
            return None
        case {"event_type": str(kind), "event_payload": dict()} if kind.replace("_", "").isalnum():
            return "metadata_too_large" if len(json.dumps(metadata)) > MOST_METADATA else None
    return "invalid_metadata_format"


def _are_told_apart(blocks: list[dict[str, Any]]) -> bool:
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    return len(ids) == len(set(ids)) and all(isinstance(id, str) and 0 < len(id) <= MOST_BLOCK_ID for id in ids)


def _size(text: str) -> int:
    """In UTF-16, as JavaScript counts; nobody says how Slack does, and this is never less."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _is_valid(block: dict[str, Any]) -> bool:
    match block:
        case {"type": "header", "text": {"type": "plain_text", "text": str(text)}}:
            return 0 < _size(text) <= MOST_HEADER_TEXT
        case {"type": "section"}:
            return _is_valid_section(block)
        case {"type": "context", "elements": list(elements)}:
            return 0 < len(elements) <= MOST_CONTEXT_ELEMENTS and all(
                _is_text(element, MOST_SECTION_TEXT) or _is_image(element) for element in elements
            )
        case {"type": "actions", "elements": list(elements)}:
            return 0 < len(elements) <= MOST_ACTIONS and all(map(_is_button, elements))
        case {"type": str(kind)}:
            return kind in _WITHOUT_TEXT
    return False


def _is_valid_section(block: dict[str, Any]) -> bool:
    if "text" not in block and "fields" not in block:
        return False
    if "text" in block and not _is_text(block["text"], MOST_SECTION_TEXT):
        return False
    match block.get("fields"):
        case None:
            return True
        case list(fields):
            return 0 < len(fields) <= MOST_FIELDS and all(_is_text(field, MOST_FIELD_TEXT) for field in fields)
    return False


def _is_text(element: object, most: int) -> bool:
    match element:
        case {"type": "mrkdwn" | "plain_text", "text": str(text)}:
            return 0 < _size(text) <= most
    return False


def _is_image(element: object) -> bool:
    match element:
        case {"type": "image", "image_url": str(), "alt_text": str()}:
            return True
    return False


def _is_button(element: object) -> bool:
    match element:
        case {"type": "button", "text": {"type": "plain_text", "text": str(text)}}:
            return 0 < len(text) <= MOST_BUTTON_TEXT
        case {"type": str(kind)}:
            return kind != "button"
    return False


def _texts(node: object) -> Iterator[str]:
    """Yield every text in the blocks, however deep."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "text" and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
