"""Writes the whole site as files for any web host, by requests to the application that serves it.

Each file is written beside its place and then renamed, so none is ever incomplete. `.published.json` says what each
file was made from. Files that a run is about to make are marked there first: if the run is cut off,
the next one makes them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from flask import Flask, render_template

from monitor.errors import EditionUnusable
from monitor.settings import Settings
from monitor.storage.snapshot import Snapshot
from web.app import create_app
from web.http_cache import content_version
from web.request import Visit, visit
from web.static_site import sitemap
from web.static_site.plan import Address, file_of, plan

_Files: TypeAlias = "dict[str, dict[str, str]]"

MANIFEST = ".published.json"
BESIDE = ".new"  # the ending of a file that is being written
NOT_FOUND = "404.html"  # the name under which most hosts look for it


@dataclass(frozen=True, slots=True)
class Published:
    """The number of files, of those made, of those that changed, and of those removed."""

    files: int
    made: int
    written: int
    removed: int


def publish(
    settings: Settings, folder: Path, now: datetime, progress: Callable[[str], None] = lambda _: None
) -> Published:
    """Bring the files in `folder` up to date. Raises EditionUnusable where the folder has other files."""
    with _alone_in(folder), closing(_Publisher(settings, folder, now)) as publisher:
        return publisher.publish(progress)


class _Publisher:
    """One run: a snapshot of the log, the application on it, and a folder."""

    def __init__(self, settings: Settings, folder: Path, now: datetime) -> None:
        self.settings, self.folder, self.now = settings, folder, now
        self.log = Snapshot(settings.state)
        self.base = settings.web.base_url
        self.version = content_version(settings)
        self.app = _application(settings, now, self.log)
        self.client = self.app.test_client()
        self.written = 0

    def close(self) -> None:
        self.log.release()

    def publish(self, progress: Callable[[str], None]) -> Published:
        version, files = _manifest(self.folder)
        made = {file: of["depends"] if version == self.version else "" for file, of in files.items()}
        with self.app.app_context():
            work = plan(self._wanted(), made)
        self._note(files | {file: {"depends": "", "sha256": ""} for file in work.make})
        for number, (file, address) in enumerate(work.make.items(), 1):
            files[file] = {"depends": address.depends, "sha256": self._make(file, address, files.get(file))}
            if number % 1000 == 0:
                progress(f"{number} of {len(work.make)} pages")
        for file in work.remove:
            _remove(self.folder, file)
            del files[file]
        self._note(files)
        return Published(len(files), len(work.make), self.written, len(work.remove))

    def _note(self, files: _Files) -> None:
        self._write(MANIFEST, json.dumps({"version": self.version, "files": files}).encode())

    def _wanted(self) -> Iterator[Address]:
        here = Visit(self.settings, self.now)
        here.store = self.log
        content = sitemap.SiteContent(self.log, here)
        for part in sitemap.ALL:
            yield from part(content)
        yield Address(f"/{NOT_FOUND}", "the same for one version")
        static = Path(self.app.static_folder or "")
        for path in sorted(static.rglob("*")):
            if path.is_file():
                yield Address(f"/static/{path.relative_to(static).as_posix()}", "the same for one version")

    def _make(self, file: str, address: Address, before: Mapping[str, str] | None) -> str:
        content = self._asked(address.path, exists=file != NOT_FOUND)
        hashed = hashlib.sha256(content).hexdigest()
        # An unchanged file keeps its time, so that it is not uploaded or fetched again.
        if before is None or before["sha256"] != hashed or not (self.folder / file).exists():
            self._write(file, content)
            self.written += 1
        return hashed

    def _asked(self, path: str, *, exists: bool) -> bytes:
        """What the application answers; for a redirect, a page that leads there."""
        with self.client.get(path, base_url=self.base) as answer:
            if answer.status_code in (301, 302, 308):
                target = str(answer.headers["Location"])
                if file_of(path).endswith(".html"):
                    with self.app.test_request_context(base_url=self.base):
                        return render_template("moved.html", target=target).encode()
                script_root = path_of(self.base)
                return self._asked(target.removeprefix(self.base).removeprefix(script_root), exists=exists)
            if answer.status_code != (200 if exists else 404):
                raise RuntimeError(f"{path} is {answer.status}, and was to be published")
            return answer.get_data()

    def _write(self, file: str, content: bytes) -> None:
        place = self.folder / file
        beside = place.with_name(f"{place.name}{BESIDE}")
        if not place.parent.is_dir():
            place.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(place)


def path_of(base: str) -> str:
    """The path under which the site lies: "" for https://example.org, /log for https://example.org/log."""
    return "".join(f"/{part}" for part in base.split("/")[3:])


def _application(settings: Settings, now: datetime, log: Snapshot) -> Flask:
    app = create_app(settings, lambda: now)
    app.jinja_env.globals["published"] = True

    @app.before_request
    def share() -> None:
        visit().store = log

    return app


def _manifest(folder: Path) -> tuple[str, _Files]:
    """The content version that the files in the folder were made with, and what each was made from."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        return manifest["version"], manifest["files"]
    except FileNotFoundError:
        return "", {}
    except (ValueError, LookupError, TypeError) as exc:
        raise EditionUnusable(folder, f"its {MANIFEST} cannot be read; publish into another folder") from exc


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as exc:
        raise EditionUnusable(folder, f"cannot be used ({exc.strerror}); name a folder, or a new one") from exc
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        others = {path.name for path in folder.iterdir()} - {f"{MANIFEST}{BESIDE}"}
        if others and MANIFEST not in others:
            raise EditionUnusable(folder, "has files that `publish` did not write; name an empty folder, or a new one")
        yield
    except BlockingIOError as exc:
        raise EditionUnusable(folder, "another `publish` is writing into it") from exc
    finally:
        os.close(opened)


def _remove(folder: Path, file: str) -> None:
    place = folder / file
    place.unlink(missing_ok=True)
    for above in place.relative_to(folder).parents:
        if above == Path() or any((folder / above).iterdir()):
            break
        shutil.rmtree(folder / above)
