"""The page of an agreement: where it stands, and its whole history."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, url_for
from werkzeug.wrappers import Response

from monitor.storage.statistics import spans
from web.charts.timeline import timeline
from web.page_cache import kept
from web.pages.agreements import agreement_page
from web.rendering import render
from web.request import visit

blueprint = Blueprint("agreements", __name__)


@blueprint.get("/agreements/<id_>")
@kept
def agreement(id_: str) -> str | Response:
    """One agreement: where it stands, and its history. The id of one that was merged into another redirects there."""
    here = visit()
    store = here.store
    record = next(store.agreements(id_), None)
    if record is None:
        abort(404)
    if record.id != id_:
        return redirect(url_for(".agreement", id_=record.id), 301)
    entries = list(store.entries(agreement=id_))
    page = agreement_page(record, entries, here.directory.agency_id(store.resolve(id_)))
    listed = spans(store, id_, here.series.publications)
    return render("agreement.html", page, timeline=timeline(listed, entries))
