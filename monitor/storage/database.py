"""Opens state.db: durable settings, migrations, and one writer at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from monitor.errors import StateBusy, StateTooNew, StateUnusable

if TYPE_CHECKING:
    from sqlite_utils import Database

BUSY_TIMEOUT_S = 30.0

_Taken = TypeVar("_Taken")


@dataclass(frozen=True, slots=True)
class Schema:
    """A package's tables in state.db: the migrations that make them, oldest first, known by their functions' names."""

    name: str
    migrations: tuple[Callable[[Database], None], ...]


def run_script(db: Database, sql: str) -> None:
    """Execute a script inside the open transaction; each statement ends with its line.

    `Database.executescript` looks for the end of a statement after each character: 60 ms for our tables.
    """
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if ";" in line and sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""
    if statement.strip():
        db.execute(statement)


class State:
    """An open state.db. Belongs to the thread that opened it; each job of the scheduler opens its own.

    Raises StateTooNew, StateBusy or StateUnusable, each before anything was written.
    """

    def __init__(self, path: Path, *schemas: Schema) -> None:
        self.path = path
        try:
            # isolation_level None: transactions begin and end where `write` says, nowhere else.
            self._connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            try:
                self._prepare(schemas)
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.Error as exc:
            if "already exists" in str(exc):
                raise StateUnusable(path, f"is a database of something else ({exc}); use another file") from exc
            raise _in_words(path, exc) from exc

    def _prepare(self, schemas: Sequence[Schema]) -> None:
        pending = [schema for schema in schemas if self._is_behind(schema)]
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        if pending:
            self._migrate(pending)

    def _is_behind(self, schema: Schema) -> bool:
        known = {migration.__name__ for migration in schema.migrations}
        applied = self._applied(schema)
        if unknown := sorted(applied - known):
            raise StateTooNew(
                self.path,
                f"was written by a newer version (it holds {', '.join(unknown)}); upgrade, or use another file",
            )
        return applied != known

    def _applied(self, schema: Schema) -> set[str]:
        if not self.value("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'"):
            return set()
        return {
            r["name"] for r in self.rows("SELECT name FROM _sqlite_migrations WHERE migration_set = ?", schema.name)
        }

    def _migrate(self, schemas: Sequence[Schema]) -> None:
        from sqlite_utils import Migrations  # only when a file is new or old: importing it takes 0.2 s

        with self.write():
            for schema in schemas:
                migrations = Migrations(schema.name)
                for migration in schema.migrations:
                    migrations()(migration)
                migrations.apply(self.db)

    @cached_property
    def db(self) -> Database:
        """The same connection, as a sqlite-utils Database."""
        from sqlite_utils import Database

        return Database(self._connection, execute_plugins=False)

    @contextmanager
    def write(self) -> Iterator[None]:
        """One transaction that holds the write lock from its first statement (BEGIN IMMEDIATE); all or nothing.

        A deferred transaction that reads and then writes is refused under contention instead of waiting.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise _in_words(self.path, exc) from exc

    def rows(self, sql: str, *args: object) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._ask(sql, args, sqlite3.Cursor.fetchall)

    def row(self, sql: str, *args: object) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        row: sqlite3.Row | None = self._ask(sql, args, sqlite3.Cursor.fetchone)
        return row

    def value(self, sql: str, *args: object) -> Any:
        """The first column of the first row of a query, or None."""
        row = self.row(sql, *args)
        return None if row is None else row[0]

    def run(self, sql: str, *args: object) -> int:
        """Run one statement; the id of the row it inserted."""
        return self._ask(sql, args, lambda cursor: int(cursor.lastrowid or 0))

    def run_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement for each of these rows."""
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as exc:
            raise _in_words(self.path, exc) from exc

    def _ask(self, sql: str, args: Sequence[object], take: Callable[[sqlite3.Cursor], _Taken]) -> _Taken:
        try:
            return take(self._connection.execute(sql, args))
        except sqlite3.Error as exc:
            raise _in_words(self.path, exc) from exc

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> State:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _in_words(path: Path, exc: sqlite3.Error) -> StateBusy | StateUnusable:
    """An error that tells an operator how to fix it. Raises `exc` itself if it is a programming error."""
    match _code(exc):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StateBusy(path, f"another process has been writing for {BUSY_TIMEOUT_S:.0f} s; try again")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StateUnusable(path, f"cannot be written ({exc}); make the file and its folder writable")
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return StateUnusable(path, f"is not a usable database ({exc}); restore a backup or use another file")
        case sqlite3.SQLITE_FULL:
            return StateUnusable(path, "the disk is full; free some space and run again, nothing was lost")
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_NOMEM | sqlite3.SQLITE_PROTOCOL:
            return StateUnusable(path, f"{exc}; look after the disk and run again")
    raise exc


def _code(exc: sqlite3.Error) -> int:
    """SQLite's primary result code; the general error code where the error is Python's own."""
    return getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def marks(values: Collection[object]) -> str:
    """A question mark for each value, for `IN (…)`."""
    return ", ".join("?" * len(values))


def stamp(moment: datetime) -> str:
    """A moment as it is stored: UTC, to the microsecond, so that text order is time order."""
    # Not strftime, which gives the year 900 three digits.
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def moment(text: str) -> datetime:
    """The moment that `stamp` wrote."""
    return datetime.fromisoformat(text)
