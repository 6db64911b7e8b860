"""Pure: what becomes of a delivery after an attempt."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.model import Again, Dead, Delivery, Outcome, Sent
from monitor.errors import ChannelError

_JITTER = 0.25  # of a pause, at most; below 1 the pauses still grow from one to the next
_SHORTEST_ASKED_S = 1.0  # "come again in 0 seconds" is no invitation to a tight loop


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait between attempts: doubling from the first to the longest."""

    first: timedelta
    longest: timedelta


def outcome(delivery: Delivery, error: ChannelError | None, at: datetime, pauses: Pauses) -> Outcome:
    """What an attempt that ended at `at` makes of its delivery.

    A failure that will not go away by itself ends it; others are tried again after a pause, or when the other side
    asked to, until it is time to give up. The last attempt falls on that time, not somewhere before it.
    """
    if error is None:
        return Sent()
    why = str(error)
    if error.permanent:
        return Dead(why)
    if at >= delivery.give_up_at:
        return Dead(f"{why}; given up after {_attempts(delivery.attempts)}")
    if error.retry_after is not None:
        again = at + timedelta(seconds=max(error.retry_after, _SHORTEST_ASKED_S))
        if again > delivery.give_up_at:
            return Dead(f"{why}; given up, since that is too late for this message")
        return Again(again, why)
    return Again(min(at + pause(delivery, pauses), delivery.give_up_at), why)


def pause(delivery: Delivery, pauses: Pauses) -> timedelta:
    """How long to wait after the attempts so far, longer each time.

    The jitter keeps a thousand messages that failed together from coming back together. It is read off the delivery's
    id, so that the same past always gives the same pause.
    """
    doublings = min(delivery.attempts - 1, 32)  # far beyond any longest pause
    plain: timedelta = min(pauses.first * 2**doublings, pauses.longest)
    digest = hashlib.sha256(f"{delivery.id} {delivery.attempts}".encode()).digest()
    return plain * (1 + _JITTER * digest[0] / 255)


def _attempts(count: int) -> str:
    return "1 attempt" if count == 1 else f"{count} attempts"
