"""Sends what is due on one channel: lease, send, record, until nothing is left that can be sent soon.

The outcome of a message and the lease of the next are one commit. If the process is killed, what was sent but not
recorded is sent again: one message, or as many as are recorded together (`acknowledge_every`).
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
from alerts.delivery.retry import Backoff, outcome, rest
from alerts.model import Accepted, Channel, ChannelName, Dead, Delivery, DeliveryOutcome, PartSent, Retry, Sent
from alerts.storage.outbox import DueDelivery
from alerts.storage.store import AlertStore
from monitor.errors import ChannelError, StateError

if TYPE_CHECKING:
    from monitor.settings import DeliverySettings

_log = logging.getLogger(__name__)

AddressHash: TypeAlias = Callable[[ChannelName, str], bytes]
"""The hash under which an address is suppressed; see `Keys.of_address`."""

# A run waits this long for the next delivery: the next message to a Slack channel, or a short Retry-After.
_PATIENCE = timedelta(seconds=5)


@dataclass
class SendCounts:
    """How many deliveries ended how in a run.

    `died`: given up, including those that may have arrived. `waiting`: left for the next run, since their server does
    not answer.
    """

    sent: int = 0
    parts: int = 0
    again: int = 0
    died: int = 0
    waiting: int = 0

    def add(self, outcome: DeliveryOutcome) -> None:
        match outcome:
            case Sent():
                self.sent += 1
            case PartSent():
                self.parts += 1
            case Retry():
                self.again += 1
            case Dead():
                self.died += 1

    def __add__(self, other: SendCounts) -> SendCounts:
        return SendCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(SendCounts)))


class Clock:
    """The time in a run. A run can take minutes, and leases expire after minutes, so one `now` is not enough.

    `stop`: once it is set, the service is ending, and waits end at once.
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
    """How sending a delivery ended; `result` None: it was not tried."""

    delivery: Delivery
    result: Accepted | ChannelError | None
    at: datetime

    @property
    def failed(self) -> bool:
        return isinstance(self.result, ChannelError)


class Sender:
    """One run over one channel. The channel is opened with the first message."""

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
        self._pauses = Backoff(timedelta(seconds=settings.first_pause), timedelta(seconds=settings.longest_pause))
        self._acknowledge_every = settings.acknowledge_every
        self._token = lease.new_token()
        self._tally = SendCounts()

    def run(self) -> SendCounts:
        """Send until nothing is due or soon will be. A failing delivery never holds up another.

        If the service is to stop, the message being sent is finished and no other is begun.
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
                    # Counted from then, not from now, so that what has come due in between is not missed.
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

    def _round(self, queue: deque[DueDelivery], channel: Channel) -> bool:
        """Send those that can be sent now; whether there were any."""
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
                    self._report(outcomes)
                    ended = []
                    any_of_them |= bool(held)
                    continue
                attempt = self._attempt(held.popleft(), channel, leased_at)
                ended.append(attempt)
                if attempt.failed and held:
                    with self._alerts.write():  # before the next, which may take as long to fail
                        outcomes = self._record(ended, channel)
                    self._report(outcomes)
                    ended = []
        except BaseException:
            # However the run ends, outcomes are recorded and leases that were not used are released.
            ended += [_Attempt(delivery, None, self._clock.now()) for delivery in held]
            with suppress(StateError), self._alerts.write():
                self._record(ended, channel)
            raise

    def _lease(self, queue: deque[DueDelivery], channel: Channel) -> list[Delivery]:
        """Lease the next deliveries: as many as are recorded together, or one if the channel has an interval."""
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
                pass  # another process is sending it
            elif due.lease_until and due.lease_until >= due.give_up_at:
                # It was the last attempt, and how it ended is not known.
                self._give_up_lost(due)
            elif delivery := self._alerts.outbox.lease(due, self._token, at, at + self._lease_for, alone=alone):
                taken.append(delivery)
        return taken

    def _give_up_lost(self, due: DueDelivery) -> None:
        why = "whoever was sending it has not said how it went, and it is too late to try again"
        if self._alerts.outbox.give_up_lost(due, why):
            self._tally.died += 1
            _log.warning("a delivery was given up: %s. See `deliveries list --state ambiguous`.", why)

    def _attempt(self, delivery: Delivery, channel: Channel, leased_at: datetime) -> _Attempt:
        at = self._clock.now()
        is_useless = not channel.reachable(delivery.address) and at < delivery.give_up_at
        self._tally.waiting += is_useless
        # Not under a lease that may expire while it is being sent; it is leased again.
        if is_useless or self._clock.is_stopped or at - leased_at > self._lease_for / 2:
            return _Attempt(delivery, None, at)
        result: Accepted | ChannelError
        try:
            result = channel.send(delivery)
        except ChannelError as exc:
            result = exc
        return _Attempt(delivery, result, self._clock.now())

    def _record(self, ended: list[_Attempt], channel: Channel) -> list[tuple[Delivery, DeliveryOutcome]]:
        """Record how attempts ended; the outcomes that were recorded (the lease had not passed to another process)."""
        counted: list[tuple[Delivery, DeliveryOutcome]] = []
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

    def _hash_of_gone(self, delivery: Delivery, result: DeliveryOutcome) -> bytes | None:
        """The hash of a mail address that takes no messages any more."""
        if isinstance(result, Dead) and result.gone and self._name is ChannelName.EMAIL:
            return self._address_hash(self._name, delivery.address)
        return None

    def _report(self, outcomes: list[tuple[Delivery, DeliveryOutcome]]) -> None:
        for delivery, result in outcomes:
            if not (delivery.of_a_visitor and isinstance(result, Dead)):  # nobody needs to look at those
                self._tally.add(result)
            _log_outcome(delivery.id, result)


def _is_over(due: DueDelivery, at: datetime) -> bool:
    """Whether a lease is over: it has expired, or the process that holds it has ended."""
    assert due.token
    assert due.lease_until
    return at >= due.lease_until or lease.is_gone(due.token)


def _log_outcome(id: str, result: DeliveryOutcome) -> None:
    match result:
        case Sent():
            _log.info("delivery %s: sent", id)
        case PartSent():
            _log.info("delivery %s: a part was sent", id)
        case Retry(at, why):
            _log.info("delivery %s: %s; it is tried again at %s", id, why, at.isoformat())
        case Dead(why, maybe_sent):
            _log.warning(
                "delivery %s was given up%s: %s. See `deliveries show %s`; `deliveries retry %s` sends it again.",
                id, ", though it may have arrived" if maybe_sent else "", why, id, id,
            )  # fmt: skip
