"""Makes the Flask application: registers the views, and sets the security headers of the pages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask, Response, g, render_template, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

import templates
from monitor.errors import StateError, StateUnusable
from monitor.normalize import STATES
from monitor.settings import Settings
from templates.compiled import CompiledTemplates
from web.charts.preview import available
from web.http_cache import save_bytes
from web.page_cache import PageCache
from web.pages import text
from web.pages.documents import document_in
from web.pages.lines import edit_of
from web.pages.other_agreements import other_agreements
from web.request import NotChecked, Shared, Visit
from web.security import QuietFlask, protect_forms
from web.urls import address_of, slug
from web.views import (
    agencies,
    agreements,
    api,
    changes,
    charts,
    data,
    days,
    feeds,
    front,
    maps,
    previews,
    search,
    states,
    status,
)
from web.views.signup import manage, subscribe

TEMPLATES = Path(templates.__file__).parent / "web"
STATIC = Path(__file__).parent / "static"

VIEWS = (
    *(front, days, states, agencies, agreements, changes, maps, charts, previews, search, status),
    *(feeds, data, api, subscribe, manage),
)

# Nothing but our own style sheet and pictures: no script at all, no request to another host, no frame around a page.
POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",  # the search form, at the head of every page
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
COMPILED = CompiledTemplates()


def create_app(settings: Settings, clock: Callable[[], datetime]) -> Flask:
    """The application over the log at `settings.state`. `clock` is read once a request (aware, UTC)."""
    app = QuietFlask(__name__, template_folder=str(TEMPLATES), static_folder=str(STATIC))
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # GET and HEAD are all there is
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    app.jinja_env.bytecode_cache = COMPILED
    _add_to_templates(app, settings)
    for view in VIEWS:
        app.register_blueprint(view.blueprint)
    app.extensions["page cache"] = PageCache()
    shared = Shared()

    was_there = settings.state.exists()

    @app.before_request
    def begin() -> None:
        g.visit = Visit(settings, clock(), shared)
        # Opening it would create an empty log, and every page would say that ICE lists nothing.
        if was_there and request.endpoint != "static" and not settings.state.exists():
            raise StateUnusable(settings.state, "it was here and is gone; put it back")

    save_bytes(app, settings)
    protect_forms(app, settings)

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        if "visit" in g:
            g.visit.end()

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        if response.location and response.location.startswith(request.host_url):
            # Redirect by path alone: the host is whatever the client sent, and the scheme may be the proxy's.
            response.location = response.location.removeprefix(request.host_url.rstrip("/"))
        # A page that needs more says so in `g.policy`: the maps have a script of our own for their form.
        policy = POLICY | g.get("policy", {})
        response.headers["Content-Security-Policy"] = "; ".join(f"{name} {sources}" for name, sources in policy.items())
        if response.mimetype == "text/html":
            response.headers.setdefault("Cache-Control", "no-cache")
        return response

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Response:
        response = app.make_response(error.get_response())  # with its headers: Allow, say
        response.data = render_template(
            "error.html", code=error.code, freshness=None, after=error.after if isinstance(error, NotChecked) else None
        )
        response.mimetype = "text/html"
        return response

    @app.errorhandler(StateError)
    def cannot_read(error: StateError) -> tuple[str, int]:
        app.logger.error("the log cannot be read: %s", error)
        return render_template("error.html", code=503, freshness=None), 503

    return app


def _add_to_templates(app: Flask, settings: Settings) -> None:
    """Give the templates their filters and globals."""
    env, zone = app.jinja_env, ZoneInfo(settings.log.time_zone)
    env.undefined = StrictUndefined
    env.finalize = text.neutral
    env.trim_blocks = env.lstrip_blocks = True
    env.filters |= {
        "at": lambda moment: text.at(moment, zone),
        "on": lambda moment: text.on(moment, zone),
        "day": text.day,
        "day_in_cell": text.day_in_cell,
        "document": document_in,
        "edit": edit_of,
        "lower_first": text.lower_first,
        "month": text.month,
        "other_agreements": other_agreements,
        "slug": slug,
        "state_name": STATES.get,
        "visible": text.visible,
        "weekday": text.weekday,
    }
    style = (STATIC / "style.css").read_bytes()
    # A new style sheet has a new address, so that no browser shows a new page with an old one.
    env.globals |= {
        "STATES": STATES,
        "url_for": address_of,
        "base_url": settings.web.base_url,
        "published": False,  # True where the pages are written as files: they name nothing that holds for an hour only
        "confirm_after_hours": f"{settings.log.confirm_after_hours:g}",
        "style_version": hashlib.sha256(style).hexdigest()[:12],
        "zone_name": settings.log.time_zone,
        "preview": lambda name: f"{settings.web.base_url}/preview/{name}.png" if available() else "",
        "pictures_version": hashlib.sha256((STATIC / "pictures.css").read_bytes()).hexdigest()[:12],
    }
