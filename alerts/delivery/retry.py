"""Pure: what became of an attempt to send a delivery, and when the next attempt is due."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.model import Accepted, Dead, Delivery, DeliveryOutcome, PartSent, Retry, Sent
from monitor.errors import ChannelError

_JITTER = 0.25  # of a pause, at most; below 1 the pauses still grow from one to the next
_SHORTEST_ASKED_S = 1.0  # a Retry-After of 0 must not make a tight loop
_LONGEST_ASKED_S = 1e9  # more would overflow when it is added to a time


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait between attempts: doubling from the first to the longest."""

    first: timedelta
    longest: timedelta


def outcome(delivery: Delivery, result: Accepted | ChannelError, at: datetime, pauses: Backoff) -> DeliveryOutcome:
    """The outcome of a delivery whose attempt ended at `at` with this result.

    A permanent failure ends it. Others are tried again after a pause, or when the other side asked to, until it is time
    to give up; the last attempt is made at that time.
    """
    if isinstance(result, Accepted):
        return PartSent(result.external_id) if result.more else Sent(result.external_id)
    why = str(result)
    # If a part of it arrived, the subscriber was told.
    maybe_sent = delivery.maybe_sent or result.maybe_sent or delivery.parts_sent > 0
    if result.permanent or result.gone:
        return Dead(why, maybe_sent, result.gone)
    if at >= delivery.give_up_at:
        return Dead(f"{why}; given up after {_attempts(delivery.attempts)}", maybe_sent)
    if result.retry_after is not None:
        again = at + _asked(result.retry_after)
        if again > delivery.give_up_at:
            return Dead(f"{why}; given up, since that is too late for this message", maybe_sent)
        return Retry(again, why, result.maybe_sent)
    return Retry(min(at + pause(delivery, pauses), delivery.give_up_at), why, result.maybe_sent)


def rest(result: Accepted | ChannelError, at: datetime, interval: timedelta, longest: timedelta) -> datetime | None:
    """Until when nothing more is sent to the address of an attempt that ended at `at`; None: no need to wait.

    `interval`: between two messages to one address. `longest`: the most to wait, even if the other side asks for more.
    """
    asked = timedelta()
    if isinstance(result, ChannelError) and result.retry_after is not None:
        asked = min(_asked(result.retry_after), longest)
    wait = max(interval, asked)
    return at + wait if wait else None


def _asked(retry_after: float) -> timedelta:
    return timedelta(seconds=min(max(retry_after, _SHORTEST_ASKED_S), _LONGEST_ASKED_S))


def pause(delivery: Delivery, pauses: Backoff) -> timedelta:
    """How long to wait after the attempts so far, longer each time; attempts that sent a part do not count.

    The jitter keeps messages that failed together from being tried again together. It is made from the delivery's id,
    so that it is the same each time it is computed.
    """
    failures = max(delivery.attempts - delivery.parts_sent, 1)
    doublings = min(failures - 1, 32)  # more than any longest pause
    plain: timedelta = min(pauses.first * 2**doublings, pauses.longest)
    digest = hashlib.sha256(f"{delivery.id} {delivery.attempts}".encode()).digest()
    return plain * (1 + _JITTER * digest[0] / 255)


def _attempts(count: int) -> str:
    return "1 attempt" if count == 1 else f"{count} attempts"
