"""What no committed text may name, how large a module and a folder may be, and what the tests themselves lean on.

Who may import whom, and who may read the clock, is in pyproject.toml: import-linter and ruff hold it in `make lint`.
"""

import re
import socket
import subprocess
from pathlib import Path

import pytest

from tests.conftest import NetworkBlocked
from tests.golden import Golden

ROOT = Path(__file__).parent.parent

REGISTRIES = (b"pypi.org", b"files.pythonhosted.org", b"registry.npmjs.org", b"deb.debian.org")
# Not in the middle of a longer path or address. The slash comes first: to look behind each character takes seconds.
MACHINE_PATHS = re.compile(rb"/(?<![\w.~-]/)(?:work/|root/|tmp/lab)")

LONGEST_MODULE = 400  # lines
FULLEST_FOLDER = 16  # files and folders
DATA = {"monitor/counties.py"}  # as long as it must be


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


def test_no_module_is_longer_than_one_can_keep_in_view() -> None:
    packages = ("cli", "monitor", "alerts", "web", "templates", "demo", "bench")
    modules = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    assert modules
    lines = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in modules}
    too_long = {module for module, length in lines.items() if length > LONGEST_MODULE} - DATA
    assert too_long == set(), f"over {LONGEST_MODULE} lines: split by subject"


def test_no_folder_is_fuller_than_one_can_take_in() -> None:
    entries: dict[str, set[str]] = {}
    for path in committable():
        parts = path.relative_to(ROOT).parts
        if parts[0] in {"monitor", "alerts", "web"} and path.exists():
            for depth in range(1, len(parts)):
                entries.setdefault("/".join(parts[:depth]), set()).add(parts[depth])
    assert {"monitor", "monitor/storage", "web/views"} <= entries.keys()
    assert {folder: len(names) for folder, names in entries.items() if len(names) > FULLEST_FOLDER} == {}


def banned_in(text: bytes) -> list[bytes]:
    """The registries and machine paths that a text (lower case) names."""
    return [name for name in REGISTRIES if name in text] + MACHINE_PATHS.findall(text)


def test_no_committed_text_names_a_registry_or_a_path_of_one_machine() -> None:
    files = [f for f in committable() if f.is_file() and f != Path(__file__)]
    assert ROOT / "requirements.txt" in files
    assert {f: found for f in files if (found := banned_in(f.read_bytes().lower()))} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"see /work/lists", [b"/work/"]),
        (b'"/root/.venv"', [b"/root/"]),
        (b"/tmp/lab1 pypi.org/simple", [b"pypi.org", b"/tmp/lab"]),
        (b"example.org/work/ and ~/work/ and /workbook", []),
    ],
)
def test_a_planted_registry_or_machine_path_is_caught(text: bytes, found: list[bytes]) -> None:
    assert banned_in(text) == found


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
