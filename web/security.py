"""Protects the forms: CSRF tokens, rate limits, size limits, and the headers of their pages (other headers: `app`)."""

from __future__ import annotations

import ipaddress
import re
import secrets
from typing import Any

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from flask_wtf import CSRFProtect
from werkzeug.exceptions import TooManyRequests
from werkzeug.middleware.proxy_fix import ProxyFix

from alerts.keys import open_keys
from monitor.errors import StateUnusable
from monitor.settings import Settings

# The longest form names every state, and an address; a mail address has 254 characters (RFC 5321).
MOST_BYTES = 32_768
_OPEN_FOR = 4 * 3600  # seconds for which a form that was opened can be sent
_COUNT = "count_ask"
# Some proxies write the port that they were asked from behind the address.
_ADDRESS = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")
_FORMS = frozenset({"subscribe", "manage"})  # the blueprints with forms


class QuietFlask(Flask):
    """Flask that logs which page failed, and not its address: that may hold a token."""

    def log_exception(self, exc_info: Any) -> None:
        self.logger.error("a page failed: %s %s", request.method, request.url_rule, exc_info=exc_info)


def protect_forms(app: Flask, settings: Settings) -> None:
    """Set it up on an application.

    Call it before the application's own headers are set up, so that those of forms override them, and after the caches,
    which look at the headers of forms.
    """
    https = settings.web.base_url.startswith("https://")
    app.config.update(
        SECRET_KEY=_cookie_key(settings),
        SESSION_COOKIE_NAME="__Host-forms" if https else "forms",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=_OPEN_FOR,
        WTF_CSRF_SSL_STRICT=False,  # it wants a Referer, and our pages let browsers send none
        MAX_CONTENT_LENGTH=MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_BYTES,
        MAX_FORM_PARTS=200,
    )
    if count := settings.forms.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]
    csrf = CSRFProtect(app)
    # Their addresses have a token that only the mail had; they must work without cookies or an earlier page (RFC 8058).
    csrf.exempt("web.views.signup.subscribe.confirm")
    csrf.exempt("web.views.signup.subscribe.stop")
    _limit(app, settings)

    @app.after_request
    def headers(response: Response) -> Response:
        if request.blueprint in _FORMS:
            response.headers["Cache-Control"] = "no-store"
            if request.endpoint != "subscribe.ask":
                response.headers["X-Robots-Tag"] = "noindex"
        return response


def count_ask() -> None:
    """Count one sent form. Raises TooManyRequests when the limit is reached."""
    try:
        current_app.extensions[_COUNT]()
    except RateLimitExceeded as exc:
        raise TooManyRequests(retry_after=int(exc.limit.limit.get_expiry())) from exc


def _limit(app: Flask, settings: Settings) -> None:
    # In memory: there is one process, and a restart resets it. Messages to one address are counted in state.db.
    limiter = Limiter(_network, app=app, storage_uri="memory://", strategy="moving-window")

    @limiter.shared_limit(f"{settings.forms.asks_per_network} per hour", scope="forms of a network")
    @limiter.shared_limit(f"{settings.forms.asks_overall} per hour", scope="forms of all", key_func=lambda: "all")
    def count() -> None:
        pass

    app.extensions[_COUNT] = count


def _network() -> str:
    """The network that a form came from: a household or office, whose addresses change within it."""
    sender = request.remote_addr or "::"
    if with_port := _ADDRESS.fullmatch(sender):
        sender = with_port["v6"] or with_port["v4"]
    try:
        address = ipaddress.ip_address(sender.partition("%")[0])
    except ValueError:
        return "unknown"  # a proxy that writes no address: all such visitors share one limit
    if address.version == 6 and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 64}", strict=False))


def _cookie_key(settings: Settings) -> bytes:
    try:
        return open_keys(settings).derived("cookies")
    except StateUnusable:
        return secrets.token_bytes(32)  # the pages still work, and forms are refused anyway
