"""Makes a new state.db from the inputs of an old one, by today's rules, and says what differs.

Ids stay the same, since they are derived too. An entry that no longer arises is kept as it was and retracted:
subscribers may have received it, and its address must keep working.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from monitor.checks import decisions
from monitor.checks.check import run_check
from monitor.checks.decide import Rules
from monitor.errors import MonitorError, NotFound, NotPossible
from monitor.model import Act, Entry, Kind
from monitor.rebuild import inputs
from monitor.rebuild.inputs import PastCheck
from monitor.rebuild.target import Target
from monitor.storage.log import Log
from monitor.storage.reviews import ActRecord
from monitor.storage.writer import Store
from monitor.workbooks.sandbox import Reader

# What may differ while it is the same entry.
_COMPARED = (
    *("status", "agreement", "significance", "fields", "before", "after", "reasons", "pending_since"),
    *("relation", "agency_standing"),
    "observed_at",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry that differs by today's rules. `how`: new, retracted, or the names of the fields that differ."""

    how: str
    entry: Entry


@dataclass
class Rebuilt:
    """The result of a rebuild. `unanswered`: acts of an operator that no longer apply to anything."""

    checks: int = 0
    acts: int = 0
    entries: int = 0
    same: int = 0
    differences: list[Difference] = field(default_factory=list)
    unanswered: list[ActRecord] = field(default_factory=list)


Shown = Callable[[Sequence[PastCheck]], Iterable[PastCheck]]


def rebuild(old: Log, target: Target, reader: Reader, *, rules: Rules, now: datetime, shown: Shown = iter) -> Rebuilt:
    """Fill the empty `target` from the inputs of `old`. `shown` passes the checks on, and may show progress."""
    new = target.store
    done = Rebuilt()
    before = {entry.id: entry for entry in old.changelog.entries()}
    waiting = deque(old.acts.all())
    looks = inputs.checks(old)

    def decide(until: int) -> None:
        while waiting and waiting[0].after_check <= until:
            _again(new, reader, waiting.popleft(), rules, done)

    for look in shown(looks):
        decide(look.number - 1)
        run_check(look, reader, new, look.list, now=look.at, rules=rules, announce=look.announce)
        if look.sha256:
            with new.write():
                new.checks.set_last_sha256(look.sha256)
        done.checks += 1
    decide(looks[-1].number if looks else 0)
    _keep(target, before, now)
    after = {entry.id: entry for entry in new.changelog.entries()}
    done.entries = len(after)
    done.differences = list(_differences(before, after))
    done.same = len(before) - sum(d.entry.id in before for d in done.differences)
    target.copy_validators()
    return done


@contextmanager
def whole_or_not_at_all(new: Path) -> Iterator[Path]:
    """Yields a path to fill; the file is renamed to `new` at the end. Raises MonitorError if `new` exists."""
    if new.exists():
        raise MonitorError(f"{new}: is there already; name a file that is not")
    unfinished = new.with_name(f"{new.name}.unfinished")
    parts = [unfinished.with_name(unfinished.name + suffix) for suffix in ("", "-wal", "-shm")]
    try:
        for part in parts:  # of one that was killed
            part.unlink(missing_ok=True)
        yield unfinished
        unfinished.rename(new)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _again(store: Store, reader: Reader, act: ActRecord, rules: Rules, done: Rebuilt) -> None:
    """Repeat what an operator decided; an act that no longer applies is recorded only."""
    done.acts += 1
    try:
        match act.act:
            case Act.ACCEPT:
                decisions.accept(store, reader, act.subject, now=act.at, rules=rules, why=act.why, columns=act.columns)
            case Act.REJECT:
                decisions.reject(store, act.subject, now=act.at, why=act.why)
            case Act.SAME:
                decisions.same(store, act.subject, now=act.at, why=act.why)
            case Act.DIFFERENT:
                decisions.different(store, act.subject, now=act.at, why=act.why)
            case Act.RETRACT:
                decisions.retract(store, act.subject, now=act.at, why=act.why)
    except (NotFound, NotPossible):
        done.unanswered.append(act)
        with store.write():
            number = store.acts.record(act.at, act.act, act.subject, act.why)
            if act.list:
                store.acts.name_columns(number, act.list, act.columns)


def _keep(target: Target, before: dict[str, Entry], now: datetime) -> None:
    """Keep the ids and the entries that no longer arise, each entry retracted; in one transaction."""
    new = target.store
    arisen = {entry.id for entry in new.changelog.entries()}
    # A retraction of an entry that arises again came from an earlier rebuild, and is not kept.
    kept = [
        entry
        for entry in before.values()
        if entry.id not in arisen and not (entry.kind is Kind.RETRACTED and entry.about in arisen)
    ]
    with new.write():
        target.copy_ids()
        target.copy_entries(kept)
        for entry in kept:
            if entry.kind is not Kind.RETRACTED and entry.status != Kind.RETRACTED:
                decisions.append_retraction(new, entry, "it no longer arises", now, announce=False)


def _differences(before: dict[str, Entry], after: dict[str, Entry]) -> Iterator[Difference]:
    for id, entry in after.items():
        earlier = before.get(id)
        if earlier is None:
            if not (entry.kind is Kind.RETRACTED and entry.about in before):
                yield Difference("new", entry)
            continue
        if entry.status == Kind.RETRACTED and earlier.status != Kind.RETRACTED:
            yield Difference("retracted", entry)
        elif differs := [name for name in _COMPARED if getattr(entry, name) != getattr(earlier, name)]:
            yield Difference(", ".join(differs), entry)
