"""Opens the tables of `alerts` in state.db, as one object with a part for each group of tables."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Self

from alerts.model import Subscriber
from alerts.storage.messages import Messages
from alerts.storage.outbox import Outbox
from alerts.storage.reports import Reports
from alerts.storage.requests import Requests
from alerts.storage.routed import Routed
from alerts.storage.schema import SCHEMA
from alerts.storage.subscribers import Subscribers
from alerts.storage.watches import Watches
from monitor.storage.database import State
from monitor.storage.log import Log
from monitor.storage.schema import SCHEMA as LOG_SCHEMA


def open_alerts(path: Path) -> AlertStore:
    """The log and what is told of it, on one connection to the state.db at `path`, made or migrated where needed."""
    return AlertStore(State(path, LOG_SCHEMA, SCHEMA))


class AlertStore:
    """What is stored about alerts, by subject, and the log (`log`, read only), on one connection.

    The methods here are those that write tables of several subjects.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.log = Log(state)
        self.watches = Watches(state, self.log)
        self.subscribers = Subscribers(state, self.watches)
        self.requests = Requests(state)
        self.outbox = Outbox(state, self.subscribers, Messages(state))
        self.routed = Routed(state, self.outbox)
        self.reports = Reports(state)

    def write(self) -> AbstractContextManager[None]:
        """One transaction; see State.write."""
        return self.state.write()

    def close(self) -> None:
        self.state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def set_token(self, subscriber: Subscriber, token_hash: bytes, until: datetime) -> None:
        """Let this token confirm the address until then; links that were sent earlier, or wait, are of no use."""
        self.subscribers.set_token(subscriber, token_hash, until)
        self.outbox.suppress_confirmations(subscriber.number)

    def remove_watch(self, number: int, at: datetime) -> int:
        """End a watch. With a subscriber's last watch, what waits to be sent to them is suppressed; how many."""
        return self.outbox.suppress_if_unwatched(self.watches.remove(number, at))

    def erase(self, subscriber: Subscriber, at: datetime, placeholder: str) -> None:
        """Overwrite who a subscriber was and what they wanted; `placeholder` replaces the address, so that the counts
        of deliveries still add up. Call `erase_journal` after the transaction."""
        self.state.run("PRAGMA secure_delete = ON")
        self.requests.erase(subscriber.number)
        self.outbox.erase(subscriber.number)
        self.watches.erase(subscriber.number, at)
        self.subscribers.erase(subscriber.number, placeholder)

    def erase_journal(self) -> None:
        """Empty the journal beside state.db, which still has what was overwritten. Outside of a transaction."""
        self.state.run("PRAGMA wal_checkpoint(TRUNCATE)")
