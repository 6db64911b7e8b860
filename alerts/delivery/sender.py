"""Sends what is due on one channel: lease, send, record, until nothing is left that can be sent soon.

The outcome of a message and the lease of the next are one commit, so that each message costs one. What is sent and not
yet recorded when the process is killed is sent once more: a message, or as many as are acknowledged together.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, TypeAlias

from alerts.delivery import lease
from alerts.delivery.retry import Pauses, outcome, rest
from alerts.model import Again, Channel, ChannelName, Dead, Delivery, Outcome, PartSent, Sent, Taken
from alerts.storage.outbox import Due
from alerts.storage.store import AlertStore
from monitor.errors import ChannelError, StateError

if TYPE_CHECKING:
    from monitor.settings import DeliverySettings

_log = logging.getLogger(__name__)

AddressHash: TypeAlias = Callable[[ChannelName, str], bytes]
"""By which an address is known that must not be written to; see `keys`."""

# A run waits so long for what is about to come due: the next message to a Slack channel, a short Retry-After.
_PATIENCE = timedelta(seconds=5)


@dataclass
class Tally:
    """How a run of deliveries went.

    `died`: given up, also where it may have arrived. `waiting`: left for the next run, since their server does not
    answer.
    """

    sent: int = 0
    parts: int = 0
    again: int = 0
    died: int = 0
    waiting: int = 0

    def add(self, outcome: Outcome) -> None:
        match outcome:
            case Sent():
                self.sent += 1
            case PartSent():
                self.parts += 1
            case Again():
                self.again += 1
            case Dead():
                self.died += 1

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Tally)))


class Clock:
    """The time in a run, which over a thousand mails takes minutes; leases are counted in minutes.

    `stop`: once it is set, the service is to end, and nobody waits any more.
    """

    def __init__(
        self,
        began: datetime,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        stop: Event | None = None,
    ) -> None:
        self._stop = stop or Event()
        self._began, self._ticks, self._sleep = began, ticks, sleep or self._stop.wait
        self._first_tick = ticks()

    @property
    def is_stopped(self) -> bool:
        return self._stop.is_set()

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self._ticks() - self._first_tick)

    def wait_until(self, at: datetime) -> None:
        self._sleep(max((at - self.now()).total_seconds(), 0))


@dataclass(frozen=True, slots=True)
class _Attempt:
    """How handing over a delivery ended; `result` None: it was not tried."""

    delivery: Delivery
    result: Taken | ChannelError | None
    at: datetime

    @property
    def failed(self) -> bool:
        return isinstance(self.result, ChannelError)


class Sender:
    """One run over one channel. The channel is opened once there is something to send on it."""

    def __init__(
        self,
        alerts: AlertStore,
        name: ChannelName,
        open_channel: Callable[[ChannelName], Channel],
        settings: DeliverySettings,
        clock: Clock,
        address_hash: AddressHash,
    ) -> None:
        self._alerts, self._name, self._open_channel, self._clock = alerts, name, open_channel, clock
        self._address_hash = address_hash
        self._lease_for = timedelta(seconds=settings.lease)
        self._pauses = Pauses(timedelta(seconds=settings.first_pause), timedelta(seconds=settings.longest_pause))
        self._acknowledge_every = settings.acknowledge_every
        self._token = lease.new_token()
        self._tally = Tally()

    def run(self) -> Tally:
        """Go round until nothing is due, nor soon will be. A failing delivery never holds up another.

        Where the service is to stop, the message in flight is finished and no other begun.
        """
        channel: Channel | None = None
        try:
            while True:
                self._settle()
                looked_at = self._clock.now()
                queue = deque(self._alerts.outbox.due(self._name, looked_at))
                if queue and channel is None:
                    channel = self._open_channel(self._name)
                self._tally.waiting = 0
                if channel is None or not self._round(queue, channel):
                    # From then, not from now: what has come due in between is in neither look otherwise.
                    soon = self._alerts.outbox.next_due(self._name, looked_at)
                    if soon is None or soon - self._clock.now() > _PATIENCE or self._clock.is_stopped:
                        return self._tally
                    self._clock.wait_until(soon)
        finally:
            if channel is not None:
                channel.close()

    def _settle(self) -> None:
        if not self._alerts.outbox.is_settled():
            with self._alerts.write():
                self._alerts.outbox.settle()

    def _round(self, queue: deque[Due], channel: Channel) -> bool:
        """Send all of these that can be sent now; whether there was any."""
        any_of_them = False
        held: deque[Delivery] = deque()
        ended: list[_Attempt] = []
        try:
            while True:
                if not held:
                    if not (queue or ended):
                        return any_of_them
                    leased_at = self._clock.now()
                    with self._alerts.write():
                        outcomes = self._record(ended, channel)
                        held.extend(self._lease(queue, channel))
                    self._say(outcomes)
                    ended = []
                    any_of_them |= bool(held)
                    continue
                attempt = self._attempt(held.popleft(), channel, leased_at)
                ended.append(attempt)
                if attempt.failed and held:
                    with self._alerts.write():  # before the next: it may take as long to fail
                        outcomes = self._record(ended, channel)
                    self._say(outcomes)
                    ended = []
        except BaseException:
            # Whatever ends the run: what was sent is recorded, and what was not tried is given back.
            ended += [_Attempt(delivery, None, self._clock.now()) for delivery in held]
            with suppress(StateError), self._alerts.write():
                self._record(ended, channel)
            raise

    def _lease(self, queue: deque[Due], channel: Channel) -> list[Delivery]:
        """Take the next few of the queue: as many as are acknowledged together, one where messages must keep apart."""
        alone = channel.interval > timedelta()
        most = 1 if alone else self._acknowledge_every
        taken: list[Delivery] = []
        if self._clock.is_stopped:
            queue.clear()
        while queue and len(taken) < most:
            due, at = queue.popleft(), self._clock.now()
            if not channel.reachable(due.address) and at < due.give_up_at:
                self._tally.waiting += 1
            elif due.token and not _is_over(due, at):
                pass  # somebody is at it
            elif due.lease_until and due.lease_until >= due.give_up_at:
                # It was the last attempt, of which nobody knows how it ended.
                self._give_up_lost(due)
            elif delivery := self._alerts.outbox.lease(due, self._token, at, at + self._lease_for, alone=alone):
                taken.append(delivery)
        return taken

    def _give_up_lost(self, due: Due) -> None:
        why = "whoever was sending it has not said how it went, and it is too late to try again"
        if self._alerts.outbox.give_up_lost(due, why):
            self._tally.died += 1
            _log.warning("a delivery was given up: %s. See `deliveries list --state ambiguous`.", why)

    def _attempt(self, delivery: Delivery, channel: Channel, leased_at: datetime) -> _Attempt:
        at = self._clock.now()
        is_useless = not channel.reachable(delivery.address) and at < delivery.give_up_at
        self._tally.waiting += is_useless
        # Not under a lease that may end while it is being sent: it is taken anew.
        if is_useless or self._clock.is_stopped or at - leased_at > self._lease_for / 2:
            return _Attempt(delivery, None, at)
        result: Taken | ChannelError
        try:
            result = channel.send(delivery)
        except ChannelError as exc:
            result = exc
        return _Attempt(delivery, result, self._clock.now())

    def _record(self, ended: list[_Attempt], channel: Channel) -> list[tuple[Delivery, Outcome]]:
        """Write down how attempts ended; those outcomes that counted."""
        counted: list[tuple[Delivery, Outcome]] = []
        for attempt in ended:
            if attempt.result is None:
                self._alerts.outbox.release(attempt.delivery)
                continue
            result = outcome(attempt.delivery, attempt.result, attempt.at, self._pauses)
            rest_until = rest(attempt.result, attempt.at, channel.interval, self._pauses.longest)
            gone = self._hash_of_gone(attempt.delivery, result)
            if self._alerts.outbox.record_outcome(
                attempt.delivery, result, attempt.at, rest_until=rest_until, address_hash=gone
            ):
                counted.append((attempt.delivery, result))
        return counted

    def _hash_of_gone(self, delivery: Delivery, result: Outcome) -> bytes | None:
        """By which a mail address that is gone is remembered."""
        if isinstance(result, Dead) and result.gone and self._name is ChannelName.EMAIL:
            return self._address_hash(self._name, delivery.address)
        return None

    def _say(self, outcomes: list[tuple[Delivery, Outcome]]) -> None:
        for delivery, result in outcomes:
            if not (delivery.of_a_visitor and isinstance(result, Dead)):  # which needs nobody's attention
                self._tally.add(result)
            _say(delivery.id, result)


def _is_over(due: Due, at: datetime) -> bool:
    """Whether nobody is sending it any more: the lease ran out, or its holder was killed."""
    assert due.token
    assert due.lease_until
    return at >= due.lease_until or lease.is_gone(due.token)


def _say(id: str, result: Outcome) -> None:
    match result:
        case Sent():
            _log.info("delivery %s: sent", id)
        case PartSent():
            _log.info("delivery %s: a part was sent", id)
        case Again(at, why):
            _log.info("delivery %s: %s; it is tried again at %s", id, why, at.isoformat())
        case Dead(why, maybe_sent):
            _log.warning(
                "delivery %s was given up%s: %s. See `deliveries show %s`; `deliveries retry %s` sends it again.",
                id, ", though it may have arrived" if maybe_sent else "", why, id, id,
            )  # fmt: skip
