"""The published edition: files that any host can serve, the same as the pages that the program serves."""

from __future__ import annotations

import copy
import fcntl
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from selectolax.lexbor import LexborHTMLParser

from cli.__main__ import group
from monitor.errors import EditionUnusable
from monitor.settings import Settings
from monitor.storage.log import open_reader
from tests.web.builders import (
    PENDING,
    Log,
    applied,
    at,
    browser,
    changed,
    confirmed,
    dropped,
    gone,
    new,
    retracted,
    returned,
    row,
)
from tests.web.builders import withdrawn as withdraw
from web.static_site.publish import Published, publish

pytestmark = pytest.mark.publish

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "demo" / "lists"
BASELINE, NOW = at("2025-08-01 14:00"), at("2025-10-02 12:00")
Files = dict[str, bytes]


def edition(log: Log, folder: Path, now: datetime = NOW, **web: str) -> Published:
    return publish(Settings.model_validate({"state": log.path, "web": web}), folder, now)


def files(folder: Path) -> Files:
    """What a host would serve."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".published.json"
    }


def history(log: Log) -> list[Callable[[], object]]:
    """Publications, one after the other, in which everything happens that the log has words for."""
    known: dict[str, list[str]] = {}

    def tell(name: str, moment: str, *edits: object, **more: object) -> Callable[[], object]:
        def do() -> None:
            made = [edit() if callable(edit) else edit for edit in edits]
            entries = log.publishes(at(moment), *made, **more)  # type: ignore[arg-type]
            known[name] = [entry.id for entry in entries]

        return do

    def about(name: str) -> object:
        with open_reader(log.path) as reader:
            return next(iter(reader.changelog.entries(ids=known[name][:1])))

    texas = {"state": "TEXAS", "county": "Fennmoor County"}
    return [
        tell("left", "2025-08-05 14:00", gone(1)),
        tell("new", "2025-08-05 18:00", gone(2), new(row("Ashlar", **texas))),
        tell("back", "2025-08-06 14:00", lambda: withdraw(1, about("left")), returned(1, row())),  # type: ignore[arg-type]
        tell("confirmed", "2025-08-08 14:00", lambda: confirmed(2, about("new"))),  # type: ignore[arg-type]
        tell("moved", "2025-08-20 14:00", changed(3, row("Tallow Creek", state="OKLAHOMA"))),
        tell("applied", "2025-09-02 14:00", applied(row("Dunmarsh", **texas)), list_=PENDING),
        tell("dropped", "2025-09-03 14:00", dropped(5), list_=PENDING),
        tell("many", "2025-09-05 14:00", *(new(row(f"Agency {n}", **texas)) for n in range(110))),
        tell("wrong", "2025-09-06 14:00", lambda: retracted(3, about("moved"))),  # type: ignore[arg-type]
        lambda: log.looks(at("2025-10-02 11:00")),
    ]


def begin(log: Log) -> Log:
    log.begins(BASELINE, row(), row("Bramblewick"), row("Tallow Creek", state="TEXAS"))
    return log


@pytest.fixture
def begun(log: Log) -> Log:
    """A log with its first list."""
    return begin(log)


@pytest.fixture(scope="module")
def told_once(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """A log in which everything has happened; beside it, in `site`, its published edition."""
    folder = tmp_path_factory.mktemp("told")
    log = begin(Log(folder / "state.db"))
    for step in history(log):
        step()
    edition(log, folder / "site")
    return log


@pytest.fixture
def told(told_once: Log, tmp_path: Path) -> Log:
    """A copy of that log."""
    log = copy.deepcopy(told_once)
    log.path = tmp_path / "state.db"
    shutil.copy(told_once.path, log.path)
    return log


@pytest.fixture
def site(told_once: Log, tmp_path: Path) -> Path:
    """A copy of its edition."""
    return shutil.copytree(told_once.path.with_name("site"), tmp_path / "site")


def lasting(page: str) -> str:
    """A page without what it says of when the lists were checked, and without what only a program can answer."""
    page = re.sub(r'<p class="checked">.*?</p>', "", page, flags=re.DOTALL)
    page = re.sub(r'<section class="banner".*?</section>', "", page, flags=re.DOTALL)
    page = re.sub(r'<li><a href="/subscribe">.*?</li>', "", page)
    page = re.sub(r'<form class="search".*?</form>', "", page, flags=re.DOTALL)
    return re.sub(r"\n\s*\n+", "\n", page)


def address_of(file: str) -> str:
    return "/" + file.removesuffix("index.html").removesuffix("/")


def test_every_file_is_what_the_program_serves(told: Log, site: Path) -> None:
    client = browser(told.path, NOW).client
    compared = 0
    for file, content in files(site).items():
        if file in ("404.html", "data/public.db"):
            continue
        with client.get(address_of(file), follow_redirects=True) as answer:
            assert answer.status_code == 200, file
            if file.endswith(".html"):
                assert lasting(content.decode()) == lasting(answer.get_data(as_text=True)), file
            else:
                assert content == answer.data, file
        compared += 1
    assert compared > 500


def test_every_link_leads_to_a_file(site: Path) -> None:
    there = files(site)
    links = {
        link.partition("#")[0].partition("?")[0]
        for file, content in there.items()
        if file.endswith(".html")
        for node in LexborHTMLParser(content).css("a, link, script, img")
        if (link := node.attributes.get("href") or node.attributes.get("src") or "").startswith("/")
    }
    assert {link for link in links if f"{link[1:]}".rstrip("/") not in there and not _is_page(link, there)} == set()


def _is_page(link: str, there: Files) -> bool:
    return f"{link[1:].rstrip('/')}/index.html".lstrip("/") in there


def test_what_came_bit_by_bit_is_what_comes_from_nothing(begun: Log, site: Path, tmp_path: Path) -> None:
    edition(begun, tmp_path / "by bits")
    for step in history(begun):
        step()
        edition(begun, tmp_path / "by bits")
    by_bits, at_once = files(tmp_path / "by bits"), files(site)
    assert by_bits.keys() == at_once.keys()
    assert [file for file in by_bits if file != "data/public.db" and by_bits[file] != at_once[file]] == []


def test_nothing_is_made_again_for_nothing(told_once: Log, site: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*.*")}
    again = edition(told_once, site)  # not a copy: another file counts as another log
    assert again.made < 20
    assert again.removed == 0
    after = {path: path.stat().st_mtime_ns for path in site.rglob("*.*")}
    assert {path.name for path in before if before[path] != after[path]} <= {".published.json"}


def test_a_check_that_finds_nothing_changes_only_what_tells_of_checks(told: Log, site: Path) -> None:
    before = files(site)
    told.looks(at("2025-10-02 11:30"))
    edition(told, site)
    after = files(site)
    assert {file for file in after if before[file] != after[file]} == {
        "index.html",
        "about/index.html",
        "status/index.html",
        "data/public.db",
        "over-time/index.html",
        *(f"map/{of}index.html" for of in ("", "2025-10-02/", "counties/", "counties/2025-10-02/")),
    }
    assert b"Oct. 2, 2025, 7:30 a.m. ET" in after["index.html"]


def test_a_new_publication_leaves_past_days_alone(told: Log, site: Path) -> None:
    before = files(site)
    told.publishes(at("2025-10-01 14:00"), new(row("Larkmere", state="OHIO")))
    edition(told, site)
    after = files(site)
    touched = {file for file in after if before.get(file) != after[file]}
    # The last day with changes now leads on to the next one.
    assert {file for file in touched if file.startswith("days/")} == {
        "days/index.html",
        "days/2025-09-06/index.html",
        "days/2025-10-01/index.html",
    }
    # Each state's chart goes on to the month of the newest list; what was before does not.
    assert [file for file in touched if file.startswith("states/") and "/before/" in file] == []
    assert {file for file in touched if file.startswith("states/") and "/feed" in file} == {
        "states/oh/feed.atom",
        "states/oh/feed.json",
    }
    assert len([file for file in touched if file.startswith("changes/")]) == 1


def test_a_list_of_the_same_month_leaves_the_states_alone_of_which_it_has_no_news(told: Log, site: Path) -> None:
    before = files(site)
    told.publishes(at("2025-09-20 14:00"), new(row("Larkmere", state="OHIO")))
    edition(told, site)
    after = files(site)
    pages = {file for file in after if file.startswith("states/") and file.endswith("index.html")}
    assert {file for file in pages if before.get(file) != after[file]} == {"states/index.html", "states/oh/index.html"}


def test_pages_that_are_no_more_are_removed(begun: Log, tmp_path: Path) -> None:
    """In another time zone the log has other days."""
    site = tmp_path / "site"
    begun.publishes(at("2025-09-10 02:00"), new(row("Late")))
    edition(begun, site)
    assert "days/2025-09-09/index.html" in files(site)
    elsewhere = Settings.model_validate({"state": begun.path, "log": {"time_zone": "UTC"}})
    done = publish(elsewhere, site, NOW)
    assert done.removed == 1
    assert not (site / "days" / "2025-09-09").exists()
    assert "days/2025-09-10/index.html" in files(site)


def test_a_site_under_a_path_links_within_it(begun: Log, tmp_path: Path) -> None:
    history(begun)[0]()
    edition(begun, tmp_path / "site", base_url="https://example.org/log")
    page = LexborHTMLParser((tmp_path / "site" / "states" / "tx" / "index.html").read_bytes())
    links = [str(node.attributes.get("href")) for node in page.css("a, link")]
    assert [link for link in links if link.startswith("/") and not link.startswith("/log/")] == []
    assert "https://example.org/log/states/tx" in links
    assert "https://example.org/log/changes/" in (tmp_path / "site" / "feed.atom").read_text()


def test_an_alias_leads_to_the_agreement_that_it_proved_to_be(log: Log, tmp_path: Path) -> None:
    log.begins(BASELINE, row(), row("Another"))
    with closing(sqlite3.connect(log.path)) as opened, opened:
        opened.execute("INSERT INTO aliases (agreement, same_as) VALUES (2, 1)")
        ids = [id_ for (id_,) in opened.execute("SELECT public_id FROM agreements ORDER BY id")]
    edition(log, tmp_path / "site", base_url="https://example.org/log")
    page = (tmp_path / "site" / "agreements" / ids[1] / "index.html").read_text()
    assert f'content="0; url=/log/agreements/{ids[0]}"' in page


def test_a_folder_with_something_else_is_left_alone(told: Log, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("mine")
    with pytest.raises(EditionUnusable, match="did not write"):
        edition(told, tmp_path / "site")
    assert (tmp_path / "site" / "index.html").read_text() == "mine"


def test_two_do_not_write_into_one_folder(told: Log, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    held = os.open(tmp_path / "site", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(EditionUnusable, match="another `publish`"):
        edition(told, tmp_path / "site")
    os.close(held)


def test_a_file_that_somebody_deleted_is_not_missed_for_ever(told: Log, site: Path) -> None:
    (site / "index.html").unlink()
    edition(told, site)
    assert (site / "index.html").exists()


def test_killed_at_any_moment_it_leaves_whole_files_and_is_made_up_for(begun: Log, tmp_path: Path) -> None:
    for step in history(begun)[:3]:
        step()
    site = tmp_path / "site"
    command = [sys.executable, "-m", "cli", "--db", str(begun.path), "publish", str(site)]
    for enough in (1, 60, 120):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and sum(1 for _ in site.rglob("*.html")) < enough:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait()
        for file, content in files(site).items():
            if file.endswith(".html"):
                assert content.rstrip().endswith(b"</html>"), file
            elif file.endswith(".json"):
                json.loads(content)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert " files in " in done.stdout
    subprocess.run([*command[:-1], str(tmp_path / "at once")], cwd=ROOT, capture_output=True, check=True)
    made_up, at_once = files(site), files(tmp_path / "at once")
    assert made_up.keys() == at_once.keys()
    of_the_minute = {"data/public.db", "status/index.html", "about/index.html", "index.html"}  # the clock has gone on
    assert [file for file in made_up if file not in of_the_minute and made_up[file] != at_once[file]] == []


def test_the_command_publishes_the_samples(tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(group, ["--db", str(tmp_path / "s.db"), *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    run("replay", str(SAMPLES))
    assert re.search(r"^\d+ files in .*: \d+ written, 0 removed\.$", run("publish", str(tmp_path / "site")).strip())
    assert (tmp_path / "site" / "states" / "tx" / "index.html").exists()
    assert re.search(r": [0-2] written, 0 removed\.$", run("publish", str(tmp_path / "site")).strip())


def test_without_a_log_there_is_nothing_to_publish(tmp_path: Path) -> None:
    result = CliRunner().invoke(group, ["--db", str(tmp_path / "s.db"), "publish", str(tmp_path / "site")])
    assert "no such file" in str(result.exception)
    assert not (tmp_path / "site").exists()
