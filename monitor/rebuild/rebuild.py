"""Derives a new state.db from what an old one was derived from, by the rules of today; and says what differs.

Ids stay, since they are derived too. An entry that no longer arises is kept as it was, and retracted: somebody may
have been told of it, and its address must lead somewhere.
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
from monitor.rebuild.inputs import PastAct, PastCheck
from monitor.rebuild.target import Successor
from monitor.storage.changelog import Log
from monitor.storage.writer import Store
from monitor.workbooks.sandbox import Reader

# What of an entry may come out otherwise while it is the same entry.
_COMPARED = (
    *("status", "agreement", "significance", "fields", "before", "after", "reasons", "pending_since"),
    "observed_at",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry that the rules of today see otherwise. `how`: new, retracted, or what of it differs."""

    how: str
    entry: Entry


@dataclass
class Rebuilt:
    """What came of it. `unanswered`: an operator's acts that nothing corresponds to any more."""

    checks: int = 0
    acts: int = 0
    entries: int = 0
    same: int = 0
    differences: list[Difference] = field(default_factory=list)
    unanswered: list[PastAct] = field(default_factory=list)


Shown = Callable[[Sequence[PastCheck]], Iterable[PastCheck]]


def rebuild(old: Log, new: Successor, reader: Reader, *, rules: Rules, now: datetime, shown: Shown = iter) -> Rebuilt:
    """Fill the empty store `new` from what `old` was derived from. `shown` may show how far it is."""
    done = Rebuilt()
    before = {entry.id: entry for entry in old.entries()}
    waiting = deque(inputs.acts(old))
    looks = inputs.checks(old)

    def decide(until: int) -> None:
        while waiting and waiting[0].after_check <= until:
            _again(new, reader, waiting.popleft(), rules, done)

    for look in shown(looks):
        decide(look.number - 1)
        run_check(look, reader, new, look.list, now=look.at, rules=rules, announce=look.announce)
        if look.sha256:
            with new.write():
                new.saw(look.sha256)
        done.checks += 1
    decide(looks[-1].number if looks else 0)
    _keep(new, before, now)
    after = {entry.id: entry for entry in new.entries()}
    done.entries = len(after)
    done.differences = list(_differences(before, after))
    done.same = len(before) - sum(d.entry.id in before for d in done.differences)
    new.take_validators()
    return done


@contextmanager
def whole_or_not_at_all(new: Path) -> Iterator[Path]:
    """A file to fill, which takes the name `new` once that is done. Raises MonitorError if there is one already."""
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


def _again(store: Store, reader: Reader, act: PastAct, rules: Rules, done: Rebuilt) -> None:
    """Decide again what was decided then; what no longer applies is kept for another time."""
    done.acts += 1
    try:
        match act.act:
            case Act.ACCEPT:
                decisions.accept(store, reader, act.subject, now=act.at, rules=rules, why=act.why)
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
            store.act(act.at, act.act, act.subject, act.why)


def _keep(new: Successor, before: dict[str, Entry], now: datetime) -> None:
    """Keep the ids and the entries that no longer arise, each entry retracted; in one transaction."""
    arisen = {entry.id for entry in new.entries()}
    # A retraction of what arises after all was an earlier rebuild's; it goes.
    kept = [
        entry
        for entry in before.values()
        if entry.id not in arisen and not (entry.kind is Kind.RETRACTED and entry.about in arisen)
    ]
    with new.write():
        new.take_ids()
        for entry in kept:
            new.take(entry)
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
