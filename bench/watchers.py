"""Invented subscribers of the real lists, and the log of two of those lists, for the benches of `alerts/`."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from datetime import UTC, datetime

from alerts.model import AGREEMENT_KINDS, PENDING_KINDS, Departures, Wants
from bench.measure import LISTS
from monitor.checks.check import run_check
from monitor.checks.decide import Rules
from monitor.model import ListName, Significance
from monitor.normalize import STATES, county
from monitor.sources.folder import Step
from monitor.storage.changelog import AgreementRecord
from monitor.storage.writer import Store
from monitor.workbooks.sandbox import Reader, ReadLimits


def look(store: Store, file: str, at: datetime) -> int:
    """One check of the participating list that finds this workbook; how many entries the log has then."""
    digest = hashlib.sha256((LISTS / file).read_bytes()).hexdigest()
    step = Step(at, ListName.PARTICIPATING, LISTS / file, file, digest)
    with Reader(lambda: ReadLimits(60, 1 << 30)) as reader:
        run_check(step, reader, store, ListName.PARTICIPATING, now=at, rules=Rules())
    return store.position()


def wants(chance: random.Random, agreements: Sequence[AgreementRecord]) -> Wants:
    """What one of many wants: mostly a state, some a few, all, a county or an agency, as these agreements have them."""
    one = chance.choice(agreements)
    kinds = chance.choice((AGREEMENT_KINDS, AGREEMENT_KINDS, AGREEMENT_KINDS | PENDING_KINDS))
    significance = chance.choice((Significance.SUBSTANTIVE, Significance.SUBSTANTIVE, Significance.CLERICAL))
    departures = chance.choice((Departures.AT_ONCE, Departures.AT_ONCE, Departures.CONFIRMED))
    states, counties, agencies = None, None, None
    match chance.randrange(20):
        case 0 | 1:
            pass
        case 2 | 3 | 4 | 5:
            states = frozenset(chance.sample([*STATES], chance.randrange(2, 6)))
        case 6 | 7 | 8 if one.state and county(one.county):
            counties = frozenset({(one.state, county(one.county))})
        case 9 | 10:
            agencies = frozenset({one.id})
        case _:
            states = frozenset({one.state or "TX"})
    return Wants(states, kinds, significance, counties, agencies, None, departures)


def at(day: str) -> datetime:
    """Noon of a day, in UTC."""
    return datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
