"""The read API: changes and agreements as JSON, a page at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from flask import Blueprint, current_app, jsonify, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.wrappers import Response

from monitor.exports.records import agreement_line, entry_line
from monitor.model import Kind, ListName
from monitor.normalize import state as state_named
from web.request import visit
from web.urls import UNKNOWN

USUAL, MOST = 100, 1000

blueprint = Blueprint("api", __name__, url_prefix="/api")

_Word = TypeVar("_Word", Kind, ListName)


@blueprint.get("/changes")
def changes() -> Response:
    """Entries of the log after a position, oldest first, and where the next ones are."""
    asked = _asked({"state", "kind", "list", "since", "until", "after", "limit"})
    limit = _number(asked, "limit", USUAL, 1, MOST)
    entries = list(
        visit().store.entries(
            after=_number(asked, "after", 0, 0, 2**53),
            states=_states(asked),
            kinds=_words(asked, "kind", Kind),
            lists=_words(asked, "list", ListName),
            since=_moment(asked, "since"),
            until=_moment(asked, "until"),
            limit=limit + 1,
        )
    )
    shown = entries[:limit]
    following = None
    if len(entries) > limit:
        following = _following(".changes", asked, str(shown[-1].seq))
    return jsonify(
        changes=[entry_line(entry) for entry in shown],
        next=following,
        position=shown[-1].seq if shown else _number(asked, "after", 0, 0, 2**53),
    )


@blueprint.get("/changes/<id_>")
def change(id_: str) -> Response:
    """One entry, and the notes about it."""
    entry = next(visit().store.entries(ids=[id_]), None)
    if entry is None:
        raise NotFound("no entry has this id")
    return jsonify(entry_line(entry) | {"notes": [entry_line(note) for note in visit().store.entries(about=[id_])]})


@blueprint.get("/agreements")
def agreements() -> Response:
    """Agreements in the order in which they were first seen, with those that are no longer listed if asked."""
    asked = _asked({"state", "listed", "after", "limit"})
    limit = _number(asked, "limit", USUAL, 1, MOST)
    listed = asked.get("listed", "yes")
    if listed not in ("yes", "no", "all"):
        raise BadRequest("listed: write yes, no or all")
    records = list(visit().store.agreements(states=_states(asked)))
    after = asked.get("after")
    # Among all records: the last one that was shown may be off the lists since.
    begin = next((n + 1 for n, record in enumerate(records) if record.id == after), None) if after else 0
    if begin is None:
        raise BadRequest("after: no such agreement among these; begin again")
    rest = [record for record in records[begin:] if listed == "all" or bool(record.listed) == (listed == "yes")]
    shown = rest[:limit]
    following = None
    if len(rest) > limit:
        following = _following(".agreements", asked, shown[-1].id)
    return jsonify(agreements=[agreement_line(record) for record in shown], next=following)


@blueprint.get("/agreements/<id_>")
def agreement(id_: str) -> Response:
    """One agreement, and its history. The id of an agreement that was merged into another gives that one."""
    record = next(visit().store.agreements(id_), None)
    if record is None:
        raise NotFound("no agreement has this id")
    history = [entry_line(entry) for entry in visit().store.entries(agreement=id_)]
    return jsonify(agreement_line(record) | {"changes": history})


@blueprint.errorhandler(HTTPException)
def refuse(error: HTTPException) -> Response:
    """Errors as JSON."""
    answer = current_app.make_response(jsonify(error=error.description))
    answer.status_code = error.code or 500
    return answer


def _asked(known: set[str]) -> MultiDict[str, str]:
    """The filters of the request. A misspelled one is refused: ignoring it would answer another question."""
    unknown = sorted(set(request.args) - known)
    if unknown:
        raise BadRequest(f"there is no {unknown[0]!r} here; there is {', '.join(sorted(known))}")
    return request.args


def _number(asked: MultiDict[str, str], name: str, usual: int, least: int, most: int) -> int:
    text = asked.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 17 and least <= int(text) <= most):
        raise BadRequest(f"{name}: write a number from {least} to {most}")
    return int(text)


def _states(asked: MultiDict[str, str]) -> list[str | None]:
    codes: list[str | None] = []
    for text in asked.getlist("state"):
        code = None if text == UNKNOWN else state_named(text)
        if code is None and text != UNKNOWN:
            raise BadRequest("state: write a code such as TX, or unknown")
        codes.append(code)
    return codes


def _words(asked: MultiDict[str, str], name: str, words: type[_Word]) -> list[_Word]:
    try:
        return [words(text) for text in asked.getlist(name)]
    except ValueError:
        raise BadRequest(f"{name}: write one of {', '.join(words)}") from None


def _moment(asked: MultiDict[str, str], name: str) -> datetime | None:
    text = asked.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # a plus that was not encoded as %2B
        # Also refuses what lies outside of all years once its zone is taken into account.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(f"{name}: write a day or a time such as 2025-08-11T14:00:00Z") from None


def _following(endpoint: str, asked: MultiDict[str, str], after: str) -> str:
    """The address of the same request for the next page."""
    arguments: dict[str, Any] = {**asked.to_dict(flat=False), "after": after}
    path = url_for(endpoint, **arguments).removeprefix(request.script_root)
    return f"{visit().settings.web.base_url}{path}"
