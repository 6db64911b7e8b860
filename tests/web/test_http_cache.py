"""What need not be sent again is not; what is sent is small; and nobody is left with what is no longer so."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.wrappers import Response

from monitor.model import Outcome
from monitor.settings import Settings, WebSettings
from tests.web.builders import Browser, Log, at, confirmed, gone, new, row
from web.app import create_app
from web.http_cache import ROOT, code_version, content_version

pytestmark = pytest.mark.slow

ReadAt = Callable[[datetime], Browser]
BASELINE, NOW = at("2025-08-10 14:00"), at("2025-08-20 16:00")
FROM_THE_LOG = (
    "/feed.atom",
    "/feed.json",
    "/states/ga/feed.atom",
    "/feeds.opml",
    "/data/agreements.csv",
    "/data/agreements.json?as-of=2025-08-11",
    "/data/changes.jsonl",
    "/api/changes",
    "/api/agreements?state=GA",
)
PAGES = ("/", "/days/", "/days/2025-08-20", "/states/", "/states/ga", "/data/", "/data/metadata.json")


@pytest.fixture
def client(log: Log, read_at: ReadAt) -> FlaskClient:
    """A browser on a log in which enough has happened to be worth compressing."""
    log.begins(BASELINE, *(row(f"Agency {n}") for n in range(30)))
    log.publishes(at("2025-08-20 14:00"), *(gone(n) for n in range(1, 20)))
    return read_at(NOW).client


def again(client: FlaskClient, address: str, first: Response, **headers: str) -> Response:
    return client.get(address, headers={"If-None-Match": first.headers["ETag"], **headers})


@pytest.mark.parametrize("address", [*FROM_THE_LOG, *PAGES])
@pytest.mark.parametrize("accepted", ["", "gzip", "br, gzip"])
def test_what_a_reader_has_is_not_sent_again(client: FlaskClient, address: str, accepted: str) -> None:
    first = client.get(address, headers={"Accept-Encoding": accepted})
    assert first.status_code == 200
    second = again(client, address, first, **{"Accept-Encoding": accepted})
    assert (second.status_code, second.data) == (304, b"")
    assert second.headers["ETag"] == first.headers["ETag"]
    assert second.headers["Vary"] == first.headers["Vary"] == "Accept-Encoding"
    assert second.headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", [*FROM_THE_LOG, "/", "/states/ga", "/days/2025-08-20"])
def test_it_is_sent_once_there_is_something_new(log: Log, client: FlaskClient, address: str) -> None:
    first = client.get(address)
    log.publishes(at("2025-08-20 14:30"), new(row("Ashlar")))
    second = again(client, address, first)
    assert second.status_code == 200
    assert second.headers["ETag"] != first.headers["ETag"]


def test_a_note_alone_is_something_new(log: Log, client: FlaskClient) -> None:
    (left,) = log.publishes(at("2025-08-20 14:10"), gone(20))
    first = client.get("/feed.atom")
    log.publishes(at("2025-08-20 15:10"), confirmed(20, left))
    assert again(client, "/feed.atom", first).status_code == 200


def test_a_page_that_says_when_the_lists_were_checked_is_sent_after_each_check(log: Log, client: FlaskClient) -> None:
    page, feed = client.get("/"), client.get("/feed.atom")
    log.looks(at("2025-08-20 15:00"))
    assert again(client, "/", page).status_code == 200
    assert again(client, "/feed.atom", feed).status_code == 304


def test_a_banner_that_appears_with_time_is_sent(log: Log, read_at: ReadAt, client: FlaskClient) -> None:
    log.looks(NOW, Outcome.UNCHANGED)
    first = client.get("/states/ga")
    later = read_at(NOW + timedelta(hours=4)).client
    assert again(later, "/states/ga", first).status_code == 200


def test_another_site_has_other_validators(log: Log, client: FlaskClient) -> None:
    first = client.get("/feed.atom")
    moved = Settings.model_validate({"state": log.path, "web": {"base_url": "https://elsewhere.example"}})
    assert again(create_app(moved, lambda: NOW).test_client(), "/feed.atom", first).status_code == 200


@pytest.mark.parametrize(
    "file",
    ["monitor/storage/deeper/log.py", "alerts/routing/scope.py", "web/static/style.css", "templates/web/front.html"],
)
def test_whatever_makes_pages_is_part_of_the_content_version(tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    versions = [code_version(tmp_path)]
    for content in ("first", "second"):
        path.write_text(content)
        versions.append(code_version(tmp_path))
    assert len(set(versions)) == 3
    path.with_suffix(".pyc").write_text("compiled")
    assert code_version(tmp_path) == versions[-1]
    assert code_version(ROOT) != code_version(tmp_path)


def test_the_content_version_follows_the_settings_that_pages_show() -> None:
    assert content_version(Settings()) == content_version(Settings())
    assert content_version(Settings()) != content_version(Settings(web=WebSettings(base_url="https://a.example")))


@pytest.mark.parametrize("address", [*FROM_THE_LOG, *PAGES])
def test_it_is_compressed_for_those_who_take_that(client: FlaskClient, address: str) -> None:
    plain = client.get(address)
    small = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.data) == plain.data
    assert small.headers["Content-Length"] == str(len(small.data))
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize("taken", ["gzip;q=0", "br;q=0, gzip;q=0", "*;q=0", "zstd", "identity"])
def test_it_is_not_compressed_for_those_who_take_no_such_thing(client: FlaskClient, taken: str) -> None:
    answer = client.get("/states/", headers={"Accept-Encoding": taken})
    assert "Content-Encoding" not in answer.headers
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize("address", ["/data/agreements-2099-01-01.csv", "/api/changes?limit=-1"])
def test_a_refusal_is_not_something_unchanged(client: FlaskClient, address: str) -> None:
    assert client.get(address, headers={"If-None-Match": "*"}).status_code in (400, 404)


@pytest.mark.parametrize("address", [*FROM_THE_LOG, *PAGES, "/static/style.css", "/data/public.db"])
def test_head_says_what_get_would(client: FlaskClient, address: str) -> None:
    with client.get(address) as whole, client.head(address) as head:
        assert head.status_code == 200
        assert head.data == b""
        assert {name: head.headers.get(name) for name in ("ETag", "Content-Length", "Content-Type")} == {
            name: whole.headers.get(name) for name in ("ETag", "Content-Length", "Content-Type")
        }


def test_the_database_is_not_sent_again_and_is_once_it_is_new(log: Log, client: FlaskClient) -> None:
    with client.get("/data/public.db") as first:
        assert first.status_code == 200
    with again(client, "/data/public.db", first) as second:
        assert second.status_code == 304
    log.publishes(at("2025-08-20 14:30"), new(row("Ashlar")))
    with again(client, "/data/public.db", first) as third:
        assert third.status_code == 200


@pytest.mark.parametrize("address", ["/nothing", "/states/zz", "/api/changes?limit=0"])
def test_a_refusal_is_kept_by_nobody(client: FlaskClient, address: str) -> None:
    refused = client.get(address)
    assert "ETag" not in refused.headers
    assert refused.headers.get("Cache-Control", "no-cache") == "no-cache"


def test_other_programs_in_a_browser_may_read_the_data(client: FlaskClient) -> None:
    assert client.get("/api/changes").headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in client.get("/").headers


def test_what_may_not_be_stored_gets_no_validator_and_is_not_compressed(log: Log) -> None:
    log.begins(BASELINE, row())
    app = create_app(Settings(state=log.path), lambda: NOW)
    app.add_url_rule("/secret", "secret", lambda: ("word " * 500, {"Cache-Control": "no-store"}))
    answer = app.test_client().get("/secret", headers={"Accept-Encoding": "gzip"})
    assert "ETag" not in answer.headers
    assert "Content-Encoding" not in answer.headers
