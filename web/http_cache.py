"""What need not be sent again is not, and what is sent is sent small: validators, 304, compression."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import flask_compress
from flask import Flask, Response, g, request

from monitor.storage.revision import revision
from web.request import visit

if TYPE_CHECKING:
    from monitor.settings import Settings

# Made from the log alone, neither from the time nor from when the lists were checked: whoever asks for it again can be
# answered without making it again. No Last-Modified: both lists are recorded in one second, and a reader who came in
# between would miss the second until the next change.
LASTING = {"data.agreements", "data.agreements_on", "data.changes_csv", "data.changes_jsonl"}
LASTING_BLUEPRINTS = {"feeds", "api"}
SHORTLY = "public, max-age=60"
COMPRESSED = {
    *("text/html", "text/css", "text/csv", "text/plain", "text/x-opml", "text/javascript", "application/json"),
    *("application/atom+xml", "application/feed+json", "application/x-ndjson", "application/xml", "image/svg+xml"),
}


def save_bytes(app: Flask, settings: Settings) -> None:
    """Give every answer a validator, and compress it. Called once each request has
    its visit, and before anything else that looks at answers: what is called first sees them last."""
    app.config["COMPRESS_REGISTER"] = False
    app.config["COMPRESS_MIMETYPES"] = sorted(COMPRESSED)
    app.config["COMPRESS_ALGORITHM"] = app.config["COMPRESS_ALGORITHM_STREAMING"] = ["br", "gzip"]
    compress = flask_compress.Compress(app)
    code = version_of(settings)

    @app.before_request
    def answer_from_the_log() -> Response | None:
        if request.endpoint not in LASTING and request.blueprint not in LASTING_BLUEPRINTS:
            return None
        if request.method not in ("GET", "HEAD") or not settings.state.exists():
            return None
        g.validator = f"{code}-{revision(visit().store)}"
        # "*" asks for whatever there is, which may be a refusal.
        if request.if_none_match.star_tag or not request.if_none_match.contains_weak(g.validator):
            return None
        unchanged = app.response_class(status=304)
        unchanged.set_etag(g.validator, weak=True)
        unchanged.headers["Vary"] = "Accept-Encoding"
        return unchanged

    @app.after_request
    def finish(response: Response) -> Response:
        if request.endpoint in LASTING or request.blueprint in LASTING_BLUEPRINTS:
            response.headers["Access-Control-Allow-Origin"] = "*"  # there are no cookies, and nothing is secret
            response.headers.setdefault("Cache-Control", SHORTLY if response.status_code in (200, 304) else "no-cache")
        # What is for one visitor only is not told apart by its length (BREACH), nor kept by anybody.
        if response.cache_control.no_store or "Set-Cookie" in response.headers:
            return response
        if response.status_code == 200 and not response.is_streamed and "ETag" not in response.headers:
            # Weak: the same words, however compressed.
            response.set_etag(g.get("validator") or _hash([response.get_data()]), weak=True)
        # Flask-Compress takes "gzip;q=0", alone, for a wish.
        if request.accept_encodings and request.accept_encodings.best_match(["br", "gzip"]) is None:
            response.vary.add("Accept-Encoding")
            finished: Response = response
        else:
            finished = compress.after_request(response)
        if not finished.is_streamed:
            finished.make_conditional(request)
        return finished


def version_of(settings: Settings) -> str:
    """Differs once the pages would say the same log in another way."""
    root = Path(__file__).parent.parent
    files = [path for package in ("monitor", "alerts", "web", "templates") for path in (root / package).rglob("*")]
    said = (path.read_bytes() for path in sorted(files) if path.is_file() and path.suffix != ".pyc")
    return _hash([settings.web.base_url.encode(), settings.log.model_dump_json().encode(), *said])[:12]


def _hash(parts: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()[:24]
