"""Each table of the log is written by one module, whose docstring says so."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import monitor
from monitor.storage.schema import m001_lists_agreements_and_the_log, m002_what_an_operator_decides

PACKAGE = Path(monitor.__file__).parent
WRITES = re.compile(r"\b(?:INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM) (\w+)")


class Script:
    """Takes the migrations' SQL in place of a database."""

    def __init__(self) -> None:
        self.sql = ""

    def executescript(self, sql: str) -> None:
        self.sql += sql


def tables() -> set[str]:
    script = Script()
    for migration in (m001_lists_agreements_and_the_log, m002_what_an_operator_decides):
        migration(script)  # type: ignore[arg-type]  # all that it asks of a database
    return set(re.findall(r"CREATE TABLE (\w+)", script.sql))


def test_one_module_writes_each_table_and_says_so() -> None:
    writers: dict[str, set[str]] = defaultdict(set)
    known = tables()
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
