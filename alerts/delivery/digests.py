"""Makes the digests that are due: reads, lets `digest` decide, renders, and stores each with its turn in one commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from alerts.model import Agency, Digest
from alerts.routing import digests as digest
from alerts.routing import instant
from alerts.routing.digests import Edition, Turn
from alerts.storage.messages import delivery_terms
from alerts.storage.store import AlertStore

if TYPE_CHECKING:
    from monitor.settings import Settings

_AT_ONCE = 500  # subscribers in one commit, so that nobody waits long for the lock that it holds


def make_digests(alerts: AlertStore, settings: Settings, now: datetime) -> int:
    """Store the digests that are due at `now`, of what was routed by now; how many.

    Safe to repeat, and to be stopped anywhere: which turns are over is read and written in the commit that stores
    their digests.
    """
    waiting = list(digest.due(alerts.routed.turns(now), now))
    if not waiting:
        return 0  # as nearly always: without waiting for the write lock
    from alerts.messages.render import renderer_of  # 25 ms, and most checks have nothing to say

    subscribers = sorted({turn.subscriber.number for turn in waiting})
    renderer = renderer_of(settings, alerts.log)
    press = _Press(alerts, min(turn.after for turn in waiting))
    count = 0
    for start in range(0, len(subscribers), _AT_ONCE):
        with alerts.write():
            turns = list(digest.due(alerts.routed.turns(now, subscribers[start : start + _AT_ONCE]), now))
            made = [(turn, (said, renderer.digest(said)) if said else None) for turn, said in press.digests(turns)]
            count += alerts.routed.record_digests(made, alerts.routed.position(), delivery_terms(settings, now))
    return count


class _Press:
    """Reads the log for the digests of one run, from a position on; again only where it went on meanwhile."""

    def __init__(self, alerts: AlertStore, after: int) -> None:
        self._alerts = alerts
        self._after = after
        self._agencies: dict[str, Agency] = {}
        self._edition: Edition | None = None
        self._read_at = (-1, -1)

    def digests(self, turns: Sequence[Turn]) -> Iterator[tuple[Turn, Digest | None]]:
        """What these turns have to say; inside the transaction that records it."""
        edition = self._newest()
        subscribers = sorted({turn.subscriber.number for turn in turns})
        watches = instant.by_subscriber(w for w in self._alerts.watches.confirmed(subscribers) if w.schedule)
        self._agencies |= self._alerts.watches.agencies(w for theirs in watches.values() for w in theirs)
        told = self._alerts.routed.told_since(self._after, subscribers)
        for number, theirs in groupby(turns, key=lambda turn: turn.subscriber.number):
            yield from edition.digests(list(theirs), watches.get(number, ()), told.get(number, frozenset()))

    def _newest(self) -> Edition:
        """The log as it is now: a note that came a moment ago can take back what is in it."""
        log, position = self._alerts.log, self._alerts.routed.position()
        if self._edition is None or self._read_at != (log.position(), position):
            entries = [e for e in log.entries(after=self._after) if e.seq <= position]
            about = sorted(instant.subjects(entries))
            earlier = {e.id: e for e in log.entries(ids=about)} if about else {}
            self._agencies = {}
            self._edition = Edition(position, entries, earlier, self._agencies)
            self._read_at = log.position(), position
        return self._edition
