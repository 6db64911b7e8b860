"""Makes the digests that are due: reads, decides by `routing.digests`, renders and stores them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from alerts.model import Agency, Digest
from alerts.routing import digests as digest
from alerts.routing import instant
from alerts.routing.digests import DigestSource, DueDigest
from alerts.storage.messages import delivery_terms
from alerts.storage.store import AlertStore

if TYPE_CHECKING:
    from monitor.settings import Settings

_BATCH = 500  # subscribers in one commit, so that the write lock is never held for long


def make_digests(alerts: AlertStore, settings: Settings, now: datetime) -> int:
    """Store the digests that are due at `now`, of what was routed so far; how many.

    Safe to repeat and to stop anywhere: how far each schedule has come is read and written in the commit that stores
    its digests.
    """
    due_digests = list(digest.due(alerts.routed.turns(now), now))
    if not due_digests:
        return 0  # nearly always, and without waiting for the write lock
    from alerts.messages.render import renderer_of  # 25 ms, and most checks have nothing to say

    subscribers = sorted({turn.subscriber.number for turn in due_digests})
    renderer = renderer_of(settings, alerts.log)
    reader = _DigestReader(alerts, min(turn.after for turn in due_digests))
    count = 0
    for start in range(0, len(subscribers), _BATCH):
        with alerts.write():
            turns = list(digest.due(alerts.routed.turns(now, subscribers[start : start + _BATCH]), now))
            made = [(turn, (said, renderer.digest(said)) if said else None) for turn, said in reader.digests(turns)]
            count += alerts.routed.record_digests(made, alerts.routed.position(), delivery_terms(settings, now))
    return count


class _DigestReader:
    """Reads the log for the digests of one run, from a position on; again only if it has grown meanwhile."""

    def __init__(self, alerts: AlertStore, after: int) -> None:
        self._alerts = alerts
        self._after = after
        self._agencies: dict[str, Agency] = {}
        self._edition: DigestSource | None = None
        self._read_at = (-1, -1)

    def digests(self, turns: Sequence[DueDigest]) -> Iterator[tuple[DueDigest, Digest | None]]:
        """The digests that are due, None for those without news; call inside the transaction that records them."""
        edition = self._newest()
        subscribers = sorted({turn.subscriber.number for turn in turns})
        watches = instant.by_subscriber(w for w in self._alerts.watches.confirmed(subscribers) if w.schedule)
        self._agencies |= self._alerts.watches.agencies(w for theirs in watches.values() for w in theirs)
        told = self._alerts.routed.told_since(self._after, subscribers)
        for number, theirs in groupby(turns, key=lambda turn: turn.subscriber.number):
            yield from edition.digests(list(theirs), watches.get(number, ()), told.get(number, frozenset()))

    def _newest(self) -> DigestSource:
        """The log as it is now, since a recent note may take back an earlier entry."""
        log, position = self._alerts.log, self._alerts.routed.position()
        if self._edition is None or self._read_at != (log.changelog.position(), position):
            entries = [e for e in log.changelog.entries(after=self._after) if e.seq <= position]
            about = sorted(instant.subjects(entries))
            earlier = {e.id: e for e in log.changelog.entries(ids=about)} if about else {}
            self._agencies = {}
            self._edition = DigestSource(position, entries, earlier, self._agencies)
            self._read_at = log.changelog.position(), position
        return self._edition
