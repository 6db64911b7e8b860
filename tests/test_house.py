"""Who may import whom, who may read the clock, and what no committed text may name.

The rules are those of ARCHITECTURE.md. They are read off the source, so an import inside a function
counts like any other.
"""

import ast
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NetworkBlocked
from tests.golden import Golden

ROOT = Path(__file__).parent.parent

# cli → web → alerts → monitor, never back; nothing that ships leans on what does not.
MAY_NOT_IMPORT = {
    "monitor": {"alerts", "web", "cli", "demo", "tests", "bench"},
    "alerts": {"web", "cli", "demo", "tests", "bench"},
    "web": {"cli", "demo", "tests", "bench"},
    "templates": {"monitor", "alerts", "web", "cli", "demo", "tests", "bench"},
    "demo": {"cli", "tests", "bench"},
    "cli": {"tests", "bench"},
}
OURS = {*MAY_NOT_IMPORT, "tests", "bench"}

# These files decide, and touch nothing; of ours they import only their like.
LEAF: set[str] = set()
MONITOR_PURE = {
    *("monitor.model", "monitor.errors", "monitor.normalize", "monitor.counties"),
    *("monitor.geography", "monitor.matching", "monitor.checks.changes", "monitor.checks.plausibility"),
    *("monitor.checks.facts", "monitor.checks.identify"),
}
ALERTS_PURE = {"alerts.model", "alerts.routing.scope", "alerts.routing.news", "alerts.routing.instant", *MONITOR_PURE}
MAY_IMPORT_OF_OURS = {
    "monitor/model.py": LEAF,
    "monitor/errors.py": LEAF,
    "monitor/counties.py": LEAF,  # a table of places
    "monitor/matching/similarity.py": MONITOR_PURE,
    "monitor/normalize.py": MONITOR_PURE,
    "monitor/matching/evidence.py": MONITOR_PURE,
    "monitor/sources/chronology.py": MONITOR_PURE,
    "monitor/checks/plausibility.py": MONITOR_PURE,
    "monitor/matching/matcher.py": MONITOR_PURE,
    "monitor/checks/changes.py": MONITOR_PURE,
    "monitor/checks/decide.py": MONITOR_PURE,
    "monitor/checks/facts.py": MONITOR_PURE,
    "monitor/checks/identify.py": MONITOR_PURE,
    "monitor/geography.py": MONITOR_PURE,
    "monitor/matching/review.py": MONITOR_PURE,
    "alerts/model.py": ALERTS_PURE,
    "alerts/routing/scope.py": ALERTS_PURE,
    "alerts/routing/news.py": ALERTS_PURE,
    "alerts/routing/instant.py": ALERTS_PURE,
    "alerts/routing/digests.py": ALERTS_PURE,
}
OUTSIDE_WORLD = {
    *("os", "pathlib", "shutil", "tempfile", "subprocess", "sqlite3", "sqlite_utils"),
    *("requests", "urllib3", "urllib.request", "http", "socket", "smtplib"),
    *("random", "secrets", "time"),
}
OUTSIDE_WORLD_BUILT_IN = {"open", "print", "input"}

CLOCK = {
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"),
    *("datetime.date.today", "time.time", "time.time_ns", "time.localtime", "time.gmtime"),
}
# One reading a run, handed down: by the command line, and by the scheduler for each of its jobs.
MAY_READ_THE_CLOCK = {"cli/__main__.py", "cli/service.py"}

REGISTRIES = ("pypi.org", "files.pythonhosted.org", "registry.npmjs.org", "deb.debian.org")
# Not in the middle of a longer path or address.
MACHINE_PATHS = r"(?<![\w.~-])/(?:work/|root/|tmp/lab)"


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(the name it gets here, what it stands for), both dotted; `import a.b` binds a."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                for alias in names:
                    yield alias.asname or alias.name, alias.name
            case ast.ImportFrom(module=str(module), names=names):
                for alias in names:
                    yield alias.asname or alias.name, f"{module}.{alias.name}"
            case ast.Call(
                func=ast.Name("__import__") | ast.Name("import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(str(module)), *_],
            ):
                yield module, module


def imported(source: str) -> set[str]:
    return {origin for _, origin in _imports(ast.parse(source))}


def used(source: str) -> set[str]:
    """Every name and attribute, by where it comes from: `dt.now` → `datetime.datetime.now`."""
    tree = ast.parse(source)
    origins = dict(_imports(tree))

    def dotted(node: ast.expr) -> str | None:
        match node:
            case ast.Name(name):
                return origins.get(name, name)
            case ast.Attribute(value, name):
                owner = dotted(value)
                return owner and f"{owner}.{name}"
        return None

    return {name for node in ast.walk(tree) if isinstance(node, ast.expr) and (name := dotted(node))}


def _within(name: str, places: set[str]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def wrong_direction(file: str, source: str) -> set[str]:
    return {n for n in imported(source) if _within(n, MAY_NOT_IMPORT[file.split("/")[0]])}


def impurities(file: str, source: str) -> set[str]:
    imports = imported(source)
    ours = {n for n in imports if _within(n, OURS)}
    knows_too_much = {n for n in ours if not _within(n, MAY_IMPORT_OF_OURS[file])}
    reaches_out = {n for n in imports if _within(n, OUTSIDE_WORLD)}
    return knows_too_much | reaches_out | used(source) & (CLOCK | OUTSIDE_WORLD_BUILT_IN)


def clock_readings(file: str, source: str) -> set[str]:
    return set() if file in MAY_READ_THE_CLOCK else {n for n in used(source) if n in CLOCK}


def sources(*folders: str) -> dict[str, str]:
    """The project's source files by their path from the root; each folder must have some."""
    found = {
        path.relative_to(ROOT).as_posix(): path.read_text()
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    assert {file.split("/")[0] for file in found} == set(folders)
    return found


def _faults(found: dict[str, set[str]]) -> dict[str, set[str]]:
    return {file: names for file, names in found.items() if names}


def test_imports_go_from_cli_to_web_to_alerts_to_monitor_and_never_back() -> None:
    files = sources(*MAY_NOT_IMPORT)
    assert not _faults({f: wrong_direction(f, text) for f, text in files.items()})


def test_pure_files_import_only_pure_files_and_touch_nothing() -> None:
    files = {f: text for f, text in sources("monitor", "alerts").items() if f in MAY_IMPORT_OF_OURS}
    assert files
    assert not _faults({f: impurities(f, text) for f, text in files.items()})


def test_only_the_command_line_and_the_scheduler_read_the_clock() -> None:
    files = sources("cli", "monitor", "alerts", "web", "templates")
    assert not _faults({f: clock_readings(f, text) for f, text in files.items()})


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("import alerts.routing", "alerts.routing"),
        ("from alerts import routing", "alerts.routing"),
        ("def lazily():\n    from web.app import create_app", "web.app.create_app"),
        ("import importlib\nimportlib.import_module('demo.servers')", "demo.servers"),
    ],
)
def test_a_planted_import_in_the_wrong_direction_is_caught(source: str, caught: str) -> None:
    assert wrong_direction("monitor/checks/check.py", source) == {caught}
    assert not wrong_direction("cli/check.py", source)


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("from monitor.storage import writer", "monitor.storage.writer"),
        ("from monitor.storage.writer import Store", "monitor.storage.writer.Store"),
        ("import sqlite3", "sqlite3"),
        ("from pathlib import Path", "pathlib.Path"),
        ("open('list.xlsx')", "open"),
        ("from datetime import date\ndate.today()", "datetime.date.today"),
    ],
)
def test_a_planted_impurity_is_caught(source: str, caught: str) -> None:
    assert caught in impurities("monitor/matching/matcher.py", source)


def test_what_a_pure_file_needs_is_left_alone() -> None:
    source = "from datetime import date\nfrom monitor.model import Match\nfrom rapidfuzz import fuzz"
    assert not impurities("monitor/matching/matcher.py", source)


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import UTC, datetime\ndatetime.now(UTC)",
        "import datetime as dt\ndt.datetime.now(dt.UTC)",
        "from datetime import datetime\nfield(default_factory=datetime.now)",
        "from datetime import datetime as moment\nmoment.utcnow()",
        "import time\ntime.time()",
        "from time import time\ntime()",
    ],
)
def test_a_planted_reading_of_the_clock_is_caught(source: str) -> None:
    assert clock_readings("alerts/delivery/run.py", source)
    assert not clock_readings("cli/service.py", source)


def test_measuring_a_span_is_not_reading_the_clock() -> None:
    assert not clock_readings("alerts/delivery/run.py", "import time\ntime.monotonic()")


def committable() -> list[Path]:
    listing = ("git", "ls-files", "-coz", "--exclude-standard")
    try:
        listed = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        # No git, or a downloaded archive instead of a clone: everything but caches and .venv.
        hidden = re.compile(r"(^|/)(\.(?!ci/)|__pycache__/)")
        files = (path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*"))
        return [ROOT / file for file in files if not hidden.search(file)]
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_committed_text_names_a_registry_or_a_path_of_one_machine() -> None:
    banned = re.compile("|".join([*map(re.escape, REGISTRIES), MACHINE_PATHS]).encode(), re.IGNORECASE)
    files = [f for f in committable() if f.is_file() and f != Path(__file__)]
    assert ROOT / "requirements.txt" in files
    named = {f: found[0] for f in files if (found := banned.search(f.read_bytes()))}
    assert not named


def test_a_connection_beyond_this_machine_is_refused_and_named() -> None:
    with socket.socket() as connection, pytest.raises(NetworkBlocked, match=r"192\.0\.2\.1"):
        connection.connect(("192.0.2.1", 80))
    with pytest.raises(NetworkBlocked, match=r"www\.example\.org"):
        socket.create_connection(("www.example.org", 443))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_connection_on_loopback_goes_through(host: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection((host, server.getsockname()[1])),
    ):
        pass


def test_a_golden_file_is_written_once_and_then_compared(tmp_path: Path) -> None:
    Golden(tmp_path, update=True)("slack/new.txt", "one\r\ntwo\n")
    kept = Golden(tmp_path, update=False)
    kept("slack/new.txt", "one\r\ntwo\n")
    with pytest.raises(pytest.fail.Exception, match=r"(?s)-two.*\+three"):
        kept("slack/new.txt", "one\r\nthree\n")
    with pytest.raises(pytest.fail.Exception, match="only line endings differ"):
        kept("slack/new.txt", "one\ntwo\n")
    with pytest.raises(pytest.fail.Exception, match="no golden file"):
        kept("slack/other.txt", "one")
