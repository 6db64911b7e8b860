"""Pure: what becomes of a delivery after an attempt."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.model import Again, Dead, Delivery, Outcome, PartSent, Sent, Taken
from monitor.errors import ChannelError

_JITTER = 0.25  # of a pause, at most; below 1 the pauses still grow from one to the next
_SHORTEST_ASKED_S = 1.0  # "come again in 0 seconds" is no invitation to a tight loop
_LONGEST_ASKED_S = 1e9  # what is longer overflows where times are added up


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait between attempts: doubling from the first to the longest."""

    first: timedelta
    longest: timedelta


def outcome(delivery: Delivery, result: Taken | ChannelError, at: datetime, pauses: Pauses) -> Outcome:
    """What an attempt that ended at `at` makes of its delivery.

    A failure that will not go away by itself ends it; others are tried again after a pause, or when the other side
    asked to, until it is time to give up. The last attempt falls on that time, not somewhere before it.
    """
    if isinstance(result, Taken):
        return PartSent(result.external_id) if result.more else Sent(result.external_id)
    why = str(result)
    # A message of which a part arrived was not kept from anybody.
    maybe_sent = delivery.maybe_sent or result.maybe_sent or delivery.parts_sent > 0
    if result.permanent or result.gone:
        return Dead(why, maybe_sent, result.gone)
    if at >= delivery.give_up_at:
        return Dead(f"{why}; given up after {_attempts(delivery.attempts)}", maybe_sent)
    if result.retry_after is not None:
        again = at + _asked(result.retry_after)
        if again > delivery.give_up_at:
            return Dead(f"{why}; given up, since that is too late for this message", maybe_sent)
        return Again(again, why, result.maybe_sent)
    return Again(min(at + pause(delivery, pauses), delivery.give_up_at), why, result.maybe_sent)


def rest(result: Taken | ChannelError, at: datetime, interval: timedelta, longest: timedelta) -> datetime | None:
    """Until when nothing more should go to the address of an attempt that ended at `at`; None: no need to wait.

    `interval` is what the channel leaves between two messages to one address, `longest` the most that is waited where
    the other side asks for more.
    """
    asked = timedelta()
    if isinstance(result, ChannelError) and result.retry_after is not None:
        asked = min(_asked(result.retry_after), longest)
    wait = max(interval, asked)
    return at + wait if wait else None


def _asked(retry_after: float) -> timedelta:
    return timedelta(seconds=min(max(retry_after, _SHORTEST_ASKED_S), _LONGEST_ASKED_S))


def pause(delivery: Delivery, pauses: Pauses) -> timedelta:
    """How long to wait after the attempts so far, longer each time; those that brought a part across do not count.

    The jitter keeps a thousand messages that failed together from coming back together. It is read off the delivery's
    id, so that the same past always gives the same pause.
    """
    failures = max(delivery.attempts - delivery.parts_sent, 1)
    doublings = min(failures - 1, 32)  # far beyond any longest pause
    plain: timedelta = min(pauses.first * 2**doublings, pauses.longest)
    digest = hashlib.sha256(f"{delivery.id} {delivery.attempts}".encode()).digest()
    return plain * (1 + _JITTER * digest[0] / 255)


def _attempts(count: int) -> str:
    return "1 attempt" if count == 1 else f"{count} attempts"
