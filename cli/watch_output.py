"""How a watch is printed: in a sentence, or as a line of `watch list`."""

from __future__ import annotations

from alerts.masking import masked
from alerts.messages.outline import named
from alerts.model import AGREEMENT_KINDS, PENDING_KINDS, Watch
from alerts.routing.instant import watched
from alerts.storage.store import AlertStore
from alerts.storage.watches import WatchRecord
from monitor.exports.records import Line

WATCH_COLUMNS = ("id", "channel", "address", "watches", "kinds", "cadence", "standing", "added_at")


def in_words(alerts: AlertStore, record: WatchRecord) -> str:
    watch = record.watch
    line = f"Watch {watch.number}: {who(watch)} is told of {_what(watch)} in {where(alerts, watch)}"
    if watch.schedule:
        line += f", in a digest {watch.schedule.name} ({watch.subscriber.time_zone})"
    if record.paused_at:
        return f"{line}; it is paused, `watch resume {watch.number}` goes on with it."
    if record.disabled_at:
        why = f"its address takes no messages any more ({record.disabled_why})"
        return f"{line}; {why}, `deliveries retry` of one of them tries again."
    if record.confirmed_at is None:
        return f"{line}, once the address is confirmed."
    return f"{line}, from entry {watch.starts_after + 1} of the log on."


def _what(watch: Watch) -> str:
    wants = watch.wants
    if wants.kinds == AGREEMENT_KINDS:
        what = "agreements"
    elif wants.kinds == AGREEMENT_KINDS | PENDING_KINDS:
        what = "agreements and applications"
    else:
        what = f"what is {', '.join(sorted(wants.kinds))}"
    return what + (f" ({', '.join(sorted(wants.support_types))})" if wants.support_types else "")


def who(watch: Watch) -> str:
    return masked(watch.subscriber.channel, watch.subscriber.address)


def where(alerts: AlertStore, watch: Watch) -> str:
    states, parts = named(watched([watch], alerts.watches.agencies([watch])))
    return ", ".join([*(["all states"] if states is None else states), *parts])


def _standing(record: WatchRecord) -> str:
    if record.paused_at:
        return "paused"
    if record.confirmed_at is None:
        return "not confirmed"
    return "takes no messages" if record.disabled_at else "in force"


def watch_line(alerts: AlertStore, record: WatchRecord, *, reveal: bool) -> Line:
    watch, wants = record.watch, record.watch.wants
    return {
        "id": watch.number,
        "channel": watch.subscriber.channel,
        "address": watch.subscriber.address if reveal else who(watch),
        "watches": where(alerts, watch),
        "states": "all" if wants.states is None else sorted(wants.states),
        "counties": [f"{name}, {code}" for code, name in sorted(wants.counties or ())],
        "agencies": sorted(wants.agencies or ()),
        "support_types": sorted(wants.support_types or ()),
        "kinds": sorted(wants.kinds),
        "significance": wants.significance,
        "departures": wants.departures,
        "cadence": watch.schedule.name if watch.schedule else "at once",
        "empty": watch.empty,
        "time_zone": watch.subscriber.time_zone,
        "standing": _standing(record),
        "starts_after": watch.starts_after,
        "added_at": record.added_at.isoformat(),
        "paused_at": record.paused_at.isoformat() if record.paused_at else None,
        "confirmed_at": record.confirmed_at.isoformat() if record.confirmed_at else None,
        "disabled_at": record.disabled_at.isoformat() if record.disabled_at else None,
        "disabled_why": record.disabled_why,
    }
