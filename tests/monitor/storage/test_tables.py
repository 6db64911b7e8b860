"""Each table of the log is written by one module, whose docstring says so."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import monitor
from monitor.storage.database import State
from monitor.storage.schema import SCHEMA

PACKAGE = Path(monitor.__file__).parent
WRITES = re.compile(r"\b(?:INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM) (\w+)")


def tables(path: Path) -> set[str]:
    """The tables that the migrations make."""
    with State(path, SCHEMA) as state:
        names = {r["name"] for r in state.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return {name for name in names if not name.startswith(("sqlite_", "_sqlite_"))}


def test_one_module_writes_each_table_and_says_so(tmp_path: Path) -> None:
    writers: dict[str, set[str]] = defaultdict(set)
    known = tables(tmp_path / "state.db")
    for path in sorted(PACKAGE.rglob("*.py")):
        file = str(path.relative_to(PACKAGE))
        if file in ("storage/schema.py", "exports/public_db.py"):  # migrations; tables of another file
            continue
        source = path.read_text()
        for table in set(WRITES.findall(source)) & known:
            writers[table].add(file)
            assert f"`{table}`" in (ast.get_docstring(ast.parse(source)) or ""), (table, file)
    assert set(writers) == known
    assert {table: files for table, files in writers.items() if len(files) > 1} == {}
