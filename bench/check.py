"""One check of the list of Aug. 11, 2025 pm against the one before it.

Beside a process that imports openpyxl and loads the same workbook and does nothing else.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import LISTS, Figure, medians, process, seconds
from demo.ice import FakeIce
from monitor.checks.check import run_check
from monitor.checks.decide import Rules
from monitor.model import ListName
from monitor.sources.folder import Step
from monitor.storage.writer import open_store
from monitor.workbooks.sandbox import Reader, ReadLimits

BEFORE = "participatingAgencies08112025am.xlsx"
AFTER = "participatingAgencies08112025pm.xlsx"
ROUNDS = 11


def figures() -> Iterator[Figure]:
    """The whole process as cron starts it, and the part after reading."""
    if not LISTS.is_dir():
        yield Figure("skipped: the real lists are not here", "")
        return
    with tempfile.TemporaryDirectory() as name, FakeIce() as ice:
        folder = Path(name)
        (folder / "config.toml").write_text(f'[source]\npage = "{ice.page_url}"\n')
        ice.publishes(participating=(LISTS / BEFORE).read_bytes(), saved=datetime(2025, 8, 11, 13, tzinfo=UTC))
        process(["-m", "cli", "--db", "before.db", "check"], folder)
        ice.publishes(participating=(LISTS / AFTER).read_bytes(), saved=datetime(2025, 8, 11, 18, tzinfo=UTC))
        load = f"import openpyxl; openpyxl.load_workbook({str(LISTS / AFTER)!r})"

        def check() -> None:
            process(["-m", "cli", "--db", "after.db", "check"], folder)

        ours, bare = 0.0, 0.0
        times = []
        for _ in range(ROUNDS):
            shutil.copy(folder / "before.db", folder / "after.db")
            times.append((seconds(check), seconds(lambda: process(["-c", load], folder))))
            for suffix in ("", "-wal", "-shm"):
                (folder / f"after.db{suffix}").unlink(missing_ok=True)
        ours, bare = (sorted(column)[ROUNDS // 2] for column in zip(*times, strict=True))
        yield Figure("check that finds a list, whole process", f"{ours:.3f} s")
        yield Figure("import openpyxl and load the workbook", f"{bare:.3f} s")
        yield Figure("ratio", f"{ours / bare:.2f}", "≤ 2")
        yield Figure("after reading (normalize … record), median of 11", f"{_after_reading(folder):.3f} s", "≤ 0.10 s")
        check()  # the list is recorded: from here on there is nothing new
        quiet, usage = medians(ROUNDS, check, lambda: process(["-m", "cli", "--help"], folder))
        yield Figure("check that finds nothing, whole process", f"{quiet:.3f} s")
        yield Figure("agreement-monitor --help", f"{usage:.3f} s", "≤ 0.10 s")


def _after_reading(folder: Path) -> float:
    content = (LISTS / AFTER).read_bytes()
    step = Step(
        datetime(2025, 8, 11, 19, tzinfo=UTC),
        ListName.PARTICIPATING,
        LISTS / AFTER,
        AFTER,
        hashlib.sha256(content).hexdigest(),
    )
    times = []
    for _ in range(ROUNDS):
        shutil.copy(folder / "before.db", folder / "part.db")
        with Reader(lambda: ReadLimits(60, 1 << 30)) as reader, open_store(folder / "part.db") as store:
            reader.ahead(step.fetched())
            time.sleep(1)  # by now it has been read
            times.append(
                seconds(
                    lambda: run_check(
                        step,
                        reader,
                        store,
                        ListName.PARTICIPATING,
                        now=step.at,
                        rules=Rules(),
                    )
                )
            )
        for suffix in ("", "-wal", "-shm"):
            (folder / f"part.db{suffix}").unlink(missing_ok=True)
    return sorted(times)[ROUNDS // 2]
