"""The wheel is the whole product: nothing that it needs is left behind in the repository."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, version
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.wheel

ROOT = Path(__file__).parent.parent
PACKAGES = ("cli", "monitor", "alerts", "web", "templates", "demo")


def run(*command: str | Path, cwd: Path) -> str:
    """What it printed; a failure shows everything. Of this environment only PATH goes along."""
    done = subprocess.run(command, cwd=cwd, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert done.returncode == 0, f"{command} → {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def needed_by(requirement: Requirement, seen: set[str]) -> Iterator[Distribution]:
    """What pip would install for a requirement, itself first, as far as it is installed here."""
    if str(requirement) in seen:
        return
    seen.add(str(requirement))
    found = distribution(requirement.name)
    yield found
    for line in found.requires or []:
        wanted = Requirement(line)
        marker = wanted.marker
        if marker is None or any(marker.evaluate({"extra": e}) for e in requirement.extras or {""}):
            yield from needed_by(wanted, seen)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation")
    run(*build, "--outdir", out, ROOT, cwd=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin/ of a new environment with the wheel and what `agreement-monitor[demo]` asks for.

    No network: its dependencies are linked in from here, those and no others, so that one which
    pyproject.toml forgets is missed.
    """
    venv = tmp_path_factory.mktemp("empty") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=venv.parent)
    (site,) = venv.glob("lib/python*/site-packages")
    _ours, *dependencies = needed_by(Requirement("agreement-monitor[demo]"), set())
    assert dependencies
    for dependency in dependencies:
        for top in {file.parts[0] for file in dependency.files or []} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(dependency.locate_file(top))))
    pip = (sys.executable, "-m", "pip", "--python", venv / "bin" / "python")
    run(*pip, "install", "--no-index", "--no-deps", "--quiet", wheel, cwd=venv)
    run(*pip, "check", cwd=venv)
    return venv / "bin"


def test_the_wheel_carries_every_file_of_its_packages_and_nothing_else(wheel: Path) -> None:
    carried = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    there = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert carried == there
    assert any(name.startswith("demo/lists/") and name.endswith(".xlsx") for name in carried)
    assert {name.split("/")[1] for name in carried if name.startswith("templates/")} >= {*("slack", "email", "web")}


def test_the_installed_wheel_runs_from_its_own_files(installed: Path, tmp_path: Path) -> None:
    code = f"import {', '.join(PACKAGES)}; print({', '.join(f'{p}.__file__' for p in PACKAGES)})"
    places = run(installed / "python", "-c", code, cwd=tmp_path).split()
    assert len(places) == len(PACKAGES)
    assert all(Path(place).is_relative_to(installed.parent) for place in places)


def test_the_installed_command_tells_its_version(installed: Path, tmp_path: Path) -> None:
    out = run(installed / "agreement-monitor", "--version", cwd=tmp_path)
    assert version("agreement-monitor") in out


def test_the_installed_demo_runs_once_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    assert run(installed / "agreement-monitor", "demo", "--once", cwd=tmp_path).strip()
    assert not list(tmp_path.iterdir()), "the demo keeps to a temporary folder"
