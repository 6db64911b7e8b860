"""The downloads: agreements as of any day and all changes, as CSV and JSON; public.db; and the page about them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from flask import Blueprint, abort, current_app, render_template, request, send_file
from werkzeug.wrappers import Response

from monitor.exports.public_db import is_current, public_mark, write_public
from monitor.exports.records import Line, agreement_line, as_csv, as_json, entry_line
from web.pages.calendar import bounds, day_in, day_of
from web.request import NotChecked, Visit, visit

JSON, JSONL, CSV = "application/json", "application/x-ndjson", "text/csv"

blueprint = Blueprint("data", __name__)

# One thread writes public.db, the others wait for it.
_writing = threading.Lock()


@blueprint.get("/data/")
def about() -> str:
    """What there is to download, what its fields mean, and how to ask for less of it."""
    here = visit()
    return render_template("data.html", month_ends=list(ends_of_months(here)), freshness=None)


@blueprint.get("/data/agreements.<any(csv, json):form>")
def agreements(form: str) -> Response:
    """The agreements that are listed; with `?as-of=2025-08-11`, at the end of that day."""
    asked = request.args.get("as-of", "")
    return agreements_on(asked, form) if asked else _agreements(form, None)


@blueprint.get("/data/agreements-<day>.<any(csv, json):form>")
def agreements_on(day: str, form: str) -> Response:
    """The agreements that were listed at the end of a day."""
    here, wanted = visit(), day_in(day)
    first = min(here.store.checks.first().values(), default=None)
    # Before the first check nothing is known: an empty list would say that there were no agreements.
    looked_at = here.looked_at()
    if wanted is None or wanted > here.today or first is None or wanted < day_of(first, here.zone) or not looked_at:
        abort(404)
    if wanted > day_of(looked_at, here.zone):
        raise NotChecked(looked_at)
    return _agreements(form, wanted)


@blueprint.get("/data/changes.csv")
def changes_csv() -> Response:
    """The whole log."""
    return _file(as_csv([entry_line(entry) for entry in visit().store.changelog.entries()]), CSV)


@blueprint.get("/data/changes.jsonl")
def changes_jsonl() -> Response:
    """The whole log, a line an entry."""
    return _file("".join(f"{as_json(entry_line(entry))}\n" for entry in visit().store.changelog.entries()), JSONL)


@blueprint.get("/data/public.db")
def public_db() -> Response:
    """The log as a SQLite file without subscribers, written again when there is something new."""
    here = visit()
    path = here.settings.state.with_name(f"{here.settings.state.name}.public")
    with _writing:
        if not is_current(path, here.store):
            write_public(here.store, path)
    return send_file(
        path.absolute(),
        "application/vnd.sqlite3",
        as_attachment=True,
        download_name="public.db",
        etag=public_mark(here.store),
    )


@blueprint.get("/data/metadata.json")
def metadata() -> Response:
    """Datasette's metadata for public.db."""
    return _file((Path(current_app.template_folder or "") / "public_metadata.json").read_text(), JSON)


def ends_of_months(here: Visit) -> Iterator[date]:
    """The last day of each complete month of the log, newest first, up to the last day on which the list was read."""
    first = min(here.store.checks.first().values(), default=None)
    if first is None or here.last_looked is None:
        return
    day = here.today.replace(day=1) - timedelta(days=1)
    while day >= day_of(first, here.zone):
        if day <= here.last_looked:
            yield day
        day = day.replace(day=1) - timedelta(days=1)


def _agreements(form: str, day: date | None) -> Response:
    here = visit()
    records = here.store.agreements.all(as_of=_end(here, day) if day else None)
    listed: list[Line] = [agreement_line(agreement) for agreement in records if agreement.listed]
    if form == "csv":
        return _file(as_csv(listed), CSV)
    looked_at = here.looked_at(day) if day else None
    # The list as of the end of a day is the one that was read last before it.
    when: dict[str, object] = {"position": here.store.changelog.position()}
    if day:
        when = {"as_of": day.isoformat(), "checked_at": looked_at and looked_at.isoformat().replace("+00:00", "Z")}
    whole = {**when, "agreements": listed}
    return _file(json.dumps(whole, ensure_ascii=False), JSON)


def _end(here: Visit, day: date) -> datetime:
    return bounds(day, here.zone)[1] - timedelta(microseconds=1)


def _file(text: str, kind: str) -> Response:
    return current_app.response_class(text.encode(), mimetype=kind)
