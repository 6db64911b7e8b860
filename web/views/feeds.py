"""The feeds: of everything, each state, agency and agreement, as Atom and as JSON Feed."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, abort, current_app, redirect, url_for
from werkzeug.wrappers import Response

from monitor.normalize import STATES
from monitor.normalize import state as state_named
from web.feeds import items
from web.feeds.formats import ATOM, JSON_FEED, OPML, Feed, RenderedItem, atom, json_feed, opml
from web.feeds.items import FeedPage, FeedScope
from web.feeds.scopes import EVERYTHING, agency_scope, agreement_scope, state_scope, within
from web.rendering import notes_about
from web.request import Visit, visit
from web.urls import UNKNOWN

blueprint = Blueprint("feeds", __name__)


@blueprint.get("/feed.<any(atom, json):form>")
@blueprint.get("/feed-<int:number>.<any(atom, json):form>")
def everything(form: str, number: int | None = None) -> Response:
    """All changes."""
    return _answer(EVERYTHING, form, number)


@blueprint.get("/states/<name>/feed.<any(atom, json):form>")
@blueprint.get("/states/<name>/feed-<int:number>.<any(atom, json):form>")
def state(name: str, form: str, number: int | None = None) -> Response:
    """The changes in one state."""
    code = None if name == UNKNOWN else state_named(name)
    if code is None and name != UNKNOWN:
        abort(404)
    scope = state_scope(code)
    if scope.path != f"/states/{name}":
        return redirect(url_for(".state", name=scope.path.rpartition("/")[2], form=form, number=number), 301)
    return _answer(scope, form, number)


@blueprint.get("/agreements/<id_>/feed.<any(atom, json):form>")
@blueprint.get("/agreements/<id_>/feed-<int:number>.<any(atom, json):form>")
def agreement(id_: str, form: str, number: int | None = None) -> Response:
    """The changes of one agreement. The id of an agreement that was merged into another redirects to it."""
    record = next(visit().store.agreements(id_), None)
    if record is None:
        abort(404)
    if record.id != id_:
        return redirect(url_for(".agreement", id_=record.id, form=form, number=number), 301)
    return _answer(agreement_scope(record.id, record.agency), form, number)


@blueprint.get("/agencies/<id_>/feed.<any(atom, json):form>")
@blueprint.get("/agencies/<id_>/feed-<int:number>.<any(atom, json):form>")
def agency(id_: str, form: str, number: int | None = None) -> Response:
    """The changes of all agreements of an agency, at the id of the oldest; the ids of the others redirect there."""
    agency = visit().directory.of(visit().store.resolve(id_))
    if agency is None:
        abort(404)
    if agency.id != id_:
        return redirect(url_for(".agency", id_=agency.id, form=form, number=number), 301)
    return _answer(agency_scope(agency), form, number)


@blueprint.get("/feeds.opml")
def list_() -> Response:
    """The feeds of all states as OPML, to import them at once."""
    here, words = visit(), _words()
    scopes = [EVERYTHING, *(state_scope(code) for code in (*STATES, None))]
    at = here.store.newest_change() or here.now
    made = opml(words.list(), _base(here), [(words.feed(scope, None), scope) for scope in scopes], at)
    return current_app.response_class(made, mimetype=OPML)


def _answer(scope: FeedScope, form: str, number: int | None) -> Response:
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


def _feed(here: Visit, scope: FeedScope, page: FeedPage) -> Feed:
    base, words = _base(here), _words()
    tell = current_app.jinja_env.get_template("feeds/content.html").module.item  # type: ignore[attr-defined]
    entries = list(here.store.entries(ids=page.changes)) if page.changes else []
    shown = items.items(page.changes, entries, notes_about(here.store, page.changes))
    return Feed(
        scope,
        page,
        base,
        words.site(),
        words.feed(scope, page.number),
        words.about(scope),
        min(here.store.first_checks().values(), default=here.now),
        tuple(RenderedItem(item, words.item(item.entry), tell(item, base)) for item in shown),
    )


def _words() -> Any:
    """The macros of plain text: titles."""
    return current_app.jinja_env.get_template("feeds/titles.txt").module


def _base(here: Visit) -> str:
    return here.settings.web.base_url
