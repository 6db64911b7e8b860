"""A folder of past workbooks as a source: each line of its manifest is one look at one list (`replay`)."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from monitor.errors import ManifestError, SourceError, WorkbookError
from monitor.model import Fetched, ListName, Validators
from monitor.workbooks.sandbox import Reader

_WORKBOOKS = frozenset({".xlsx", ".xls", ".ods"})


@dataclass(frozen=True, slots=True)
class Step:
    """One look at one list in the past: itself a source that gives this workbook and no other."""

    at: datetime
    list: ListName
    path: Path
    file: str
    sha256: str

    def fetch(self, list_: ListName, since: Validators) -> Fetched:
        """The workbook of this step. Raises SourceError if the file has changed since the manifest was read."""
        return self.fetched()

    def fetched(self) -> Fetched:
        """The bytes, checked against what the manifest promised."""
        try:
            content = self.path.read_bytes()
        except OSError as exc:
            raise SourceError(str(self.path), f"cannot be read any more ({exc.strerror})") from exc
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise SourceError(str(self.path), "has changed since the replay began")
        return Fetched(url=self.file, file=self.file, content=content, sha256=self.sha256)


def steps_of(folder: Path, reader: Reader) -> tuple[Step, ...]:
    """What to look at, in order: what `manifest.csv` lists, else every workbook by the time when it was saved.

    Raises ManifestError, naming the line or file, before anything is recorded: a file that is missing or not the one
    that was listed, a time that is none, times that run backwards.
    """
    manifest = folder / "manifest.csv"
    if not manifest.exists():
        return _by_saved_time(folder, reader)
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as lines:
            found = tuple(_listed(csv.DictReader(lines), folder, manifest))
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise ManifestError(manifest, f"cannot be read ({exc})") from exc
    for earlier, later in pairwise(found):
        if later.at < earlier.at:
            raise ManifestError(manifest, f"{later.file} stands after {earlier.file}, but was published before it")
    return found


def _listed(lines: csv.DictReader[str], folder: Path, manifest: Path) -> Iterator[Step]:
    needed = {"published", "link", "file", "sha256"}
    if missing := needed - set(lines.fieldnames or ()):
        raise ManifestError(manifest, f"lacks the column {', '.join(sorted(missing))}")
    for line in lines:
        where = f"line {lines.line_num}"
        try:
            at = datetime.fromisoformat(line["published"])
            list_ = ListName(line["link"])
        except (ValueError, TypeError) as exc:
            raise ManifestError(manifest, f"{where}: {exc}") from exc
        if not line["file"] or "\0" in line["file"]:
            raise ManifestError(manifest, f"{where}: names no file")
        if at.tzinfo is None:
            raise ManifestError(manifest, f"{where}: published has no time zone; write 2025-08-11T14:00:00Z")
        file = folder / line["file"]
        if not file.resolve().is_relative_to(folder.resolve()):
            raise ManifestError(manifest, f"{where}: {line['file']} lies outside the folder")
        try:
            sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as exc:
            raise ManifestError(manifest, f"{where}: {line['file']} cannot be read ({exc.strerror})") from exc
        if sha256 != (line["sha256"] or "").strip().casefold():
            raise ManifestError(manifest, f"{where}: {line['file']} is not the file that was listed (sha256 differs)")
        yield Step(at.astimezone(UTC), list_, file, line["file"], sha256)


def _by_saved_time(folder: Path, reader: Reader) -> tuple[Step, ...]:
    """Every workbook of a folder in the order of the time in the workbook itself, under the list its columns name."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.casefold() in _WORKBOOKS)
    if not paths:
        raise ManifestError(folder, "holds neither a manifest.csv nor a workbook")
    steps = []
    for path in paths:
        try:
            content = path.read_bytes()
        except OSError as exc:
            raise ManifestError(path, f"cannot be read ({exc.strerror})") from exc
        fetched = Fetched(path.name, path.name, content, hashlib.sha256(content).hexdigest())
        try:
            list_, publication = reader.read(fetched, datetime.min.replace(tzinfo=UTC))
        except WorkbookError as exc:
            raise ManifestError(path, f"cannot be ordered: {exc}; list the workbooks in a manifest.csv") from exc
        if publication.saved_at is None:
            raise ManifestError(path, "does not say when it was saved; list the workbooks in a manifest.csv")
        steps.append(Step(publication.saved_at, list_, path, path.name, fetched.sha256))
    return tuple(sorted(steps, key=lambda step: (step.at, list(ListName).index(step.list), step.file)))
