"""HTTP caching of pages: ETags, 304 answers, and compression."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

import flask_compress
from flask import Flask, Response, g, request

from monitor.settings import Settings
from monitor.storage.revision import revision
from web.request import visit

# Made from the log alone, neither from the time nor from when the lists were checked: the log's version is their
# validator, and a 304 needs no page. No Last-Modified: both lists are recorded within one second, and a reader who came
# in between would miss the second one until the next change.
LASTING = {"data.agreements", "data.agreements_on", "data.changes_csv", "data.changes_jsonl"}
LASTING_BLUEPRINTS = {"feeds", "api"}
SHORTLY = "public, max-age=60"
ROOT = Path(__file__).parent.parent
MAKES_PAGES = ("monitor", "alerts", "web", "templates")
COMPRESSED = {
    *("text/html", "text/css", "text/csv", "text/plain", "text/x-opml", "text/javascript", "application/json"),
    *("application/atom+xml", "application/feed+json", "application/x-ndjson", "application/xml", "image/svg+xml"),
}


def save_bytes(app: Flask, settings: Settings) -> None:
    """Give every answer a validator, and compress it.

    Call it after `g.visit` is set up, and before anything else that changes answers: Flask calls the first one last.
    """
    app.config["COMPRESS_REGISTER"] = False
    app.config["COMPRESS_MIMETYPES"] = sorted(COMPRESSED)
    app.config["COMPRESS_ALGORITHM"] = app.config["COMPRESS_ALGORITHM_STREAMING"] = ["br", "gzip"]
    compress = flask_compress.Compress(app)
    code = content_version(settings)

    @app.before_request
    def answer_from_the_log() -> Response | None:
        if request.endpoint not in LASTING and request.blueprint not in LASTING_BLUEPRINTS:
            return None
        if request.method not in ("GET", "HEAD") or not settings.state.exists():
            return None
        g.validator = f"{code}-{revision(visit().store)}"
        # "*" matches any answer, which may be an error.
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
        # An answer for one visitor is not compressed, which could reveal it by its length (BREACH), nor cached.
        if response.cache_control.no_store or "Set-Cookie" in response.headers:
            return response
        if response.status_code == 200 and not response.is_streamed and "ETag" not in response.headers:
            # Weak: the same words, however compressed.
            response.set_etag(g.get("validator") or _hash([response.get_data()]), weak=True)
        # Flask-Compress would compress for "gzip;q=0" alone.
        if request.accept_encodings and request.accept_encodings.best_match(["br", "gzip"]) is None:
            response.vary.add("Accept-Encoding")
            finished: Response = response
        else:
            finished = compress.after_request(response)
        if not finished.is_streamed:
            finished.make_conditional(request)
        return finished


def content_version(settings: Settings) -> str:
    """A hash of the code, templates and settings that pages are made with: another one once the same log may make
    other pages."""
    return _hash([settings.web.base_url.encode(), settings.log.model_dump_json().encode(), _running_code().encode()])[
        :12
    ]


@functools.cache
def _running_code() -> str:
    return code_version(ROOT)


def code_version(root: Path) -> str:
    """A hash of the code and templates in the packages below `root` that pages are made with."""
    files = (path for package in MAKES_PAGES for path in (root / package).rglob("*"))
    return _hash(path.read_bytes() for path in sorted(files) if path.is_file() and path.suffix != ".pyc")


def _hash(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:24]
