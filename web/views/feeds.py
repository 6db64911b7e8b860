"""The addresses of the feeds: of everything, each state, agency and agreement, as Atom and as JSON Feed."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, abort, current_app, redirect, url_for
from werkzeug.wrappers import Response

from monitor.model import Entry
from monitor.normalize import STATES
from monitor.normalize import state as state_named
from monitor.storage.agencies import AgencyRecord
from monitor.storage.changelog import Event
from monitor.storage.log import Log
from web.feeds import items
from web.feeds.formats import ATOM, JSON_FEED, OPML, Feed, Told, atom, json_feed, opml
from web.feeds.items import Page, Scope
from web.request import Visit, visit
from web.search.directory import directory

UNKNOWN = "unknown"

feeds = Blueprint("feeds", __name__)

EVERYTHING = Scope("everything", "/", "")


@feeds.get("/feed.<any(atom, json):form>")
@feeds.get("/feed-<int:number>.<any(atom, json):form>")
def everything(form: str, number: int | None = None) -> Response:
    """All changes."""
    return _answer(EVERYTHING, form, number)


@feeds.get("/states/<name>/feed.<any(atom, json):form>")
@feeds.get("/states/<name>/feed-<int:number>.<any(atom, json):form>")
def state(name: str, form: str, number: int | None = None) -> Response:
    """The changes in one state."""
    code = None if name == UNKNOWN else state_named(name)
    if code is None and name != UNKNOWN:
        abort(404)
    scope = state_scope(code)
    if scope.path != f"/states/{name}":
        return redirect(url_for(".state", name=scope.path.rpartition("/")[2], form=form, number=number), 301)
    return _answer(scope, form, number)


@feeds.get("/agreements/<id_>/feed.<any(atom, json):form>")
@feeds.get("/agreements/<id_>/feed-<int:number>.<any(atom, json):form>")
def agreement(id_: str, form: str, number: int | None = None) -> Response:
    """The changes of one agreement. An id that proved to be another's leads to that one."""
    record = visit().store.agreements.find(id_)
    if record is None:
        abort(404)
    if record.id != id_:
        return redirect(url_for(".agreement", id_=record.id, form=form, number=number), 301)
    return _answer(agreement_scope(record.id, record.agency), form, number)


@feeds.get("/agencies/<id_>/feed.<any(atom, json):form>")
@feeds.get("/agencies/<id_>/feed-<int:number>.<any(atom, json):form>")
def agency(id_: str, form: str, number: int | None = None) -> Response:
    """The changes of all agreements of an agency, at the id of the oldest; the ids of the others lead there."""
    found = directory(visit().store).of(visit().store.agreements.resolve(id_))
    if found is None:
        abort(404)
    if found.id != id_:
        return redirect(url_for(".agency", id_=found.id, form=form, number=number), 301)
    return _answer(agency_scope(found), form, number)


@feeds.get("/feeds.opml")
def list_() -> Response:
    """The feeds of all states, to be imported at once."""
    here, words = visit(), _words()
    scopes = [EVERYTHING, *(state_scope(code) for code in (*STATES, None))]
    at = here.store.changelog.newest_change() or here.now
    made = opml(words.list(), _base(here), [(words.feed(scope, None), scope) for scope in scopes], at)
    return current_app.response_class(made, mimetype=OPML)


def state_scope(code: str | None) -> Scope:
    """A state's feed; None for what no state could be told of."""
    name = code.lower() if code else UNKNOWN
    return Scope(f"state {name}", f"/states/{name}", STATES[code] if code else "")


def agreement_scope(id_: str, agency: str) -> Scope:
    """An agreement's feed."""
    return Scope(f"agreement {id_}", f"/agreements/{id_}", agency, (id_,))


def agency_scope(agency: AgencyRecord) -> Scope:
    """An agency's feed."""
    return Scope(f"agency {agency.id}", f"/agencies/{agency.id}", agency.name, agency.agreements)


def within(scope: Scope, log: Log) -> tuple[Event, ...]:
    """The events that belong into a feed."""
    if scope.agreements:
        return tuple(
            sorted((event for id_ in scope.agreements for event in log.changelog.events(id_)), key=lambda e: e.seq)
        )
    kind, _, name = scope.key.partition(" ")
    if kind == "state":
        code = None if name == UNKNOWN else name.upper()
        return tuple(event for event in log.changelog.events() if code in event.states)
    return log.changelog.events()


def _answer(scope: Scope, form: str, number: int | None) -> Response:
    here = visit()
    log = within(scope, here.store)
    page = items.newest(log) if number is None else items.page(log, number)
    if page is None:
        abort(404)
    feed = _feed(here, scope, page)
    if form == "atom":
        return current_app.response_class(atom(feed), mimetype=ATOM)
    text = json.dumps(json_feed(feed), ensure_ascii=False)
    return current_app.response_class(text.encode(), mimetype=JSON_FEED)


def _feed(here: Visit, scope: Scope, page: Page) -> Feed:
    base, words = _base(here), _words()
    tell = current_app.jinja_env.get_template("feeds/content.html").module.item  # type: ignore[attr-defined]
    found = items.items(page.changes, *_read(here.store, page.changes))
    return Feed(
        scope,
        page,
        base,
        words.site(),
        words.feed(scope, page.number),
        words.about(scope),
        min(here.store.checks.first().values(), default=here.now),
        tuple(Told(item, words.item(item.entry), tell(item, base)) for item in found),
    )


def _read(log: Log, changes: tuple[str, ...]) -> tuple[list[Entry], list[Entry]]:
    """Some entries, and all notes about them or about those notes."""
    found: list[Entry] = []
    about = list(changes)
    while about:
        notes = list(log.changelog.entries(about=about))
        found += notes
        about = [note.id for note in notes]
    return list(log.changelog.entries(ids=changes)) if changes else [], found


def _words() -> Any:
    """The macros of plain text: titles."""
    return current_app.jinja_env.get_template("feeds/titles.txt").module


def _base(here: Visit) -> str:
    return here.settings.web.base_url
