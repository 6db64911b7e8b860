"""The addresses by which a subscriber sees and changes what they are told, with a link that only they were sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Response as AnyResponse

from alerts.keys import open_keys
from alerts.links import InvalidLink, LinkScope, open_links
from alerts.messages.outline import named
from alerts.model import Subscriber
from alerts.routing.instant import watched
from alerts.signup.requests import file_request
from alerts.signup.selfservice import forget, leave
from alerts.storage.requests import RequestKind
from alerts.storage.store import AlertStore, open_alerts
from alerts.storage.subscribers import SubscriberRecord
from alerts.storage.watches import WatchRecord
from web.forms import AddressForm, WatchForm, is_narrower
from web.request import visit
from web.security import count_ask
from web.views.subscribe import no_good, reading, shown

management = Blueprint("manage", __name__, url_prefix="/manage")

_Page = str | tuple[str, int] | AnyResponse


@dataclass(frozen=True, slots=True)
class Shown:
    """A watch, and where it looks, in words."""

    record: WatchRecord
    where: tuple[str, ...]  # states and parts of states; none stands for all


@management.route("", methods=["GET", "POST"])
def link() -> _Page:
    """Send me my link: answered the same, whoever the address belongs to."""
    here = visit()
    form = AddressForm(here.settings.slack.hosts)
    if request.method == "POST":
        if not form.validate():
            return render_template("manage_link.html", form=form, freshness=None), 422
        count_ask()
        file_request(here.settings, RequestKind.MANAGE, *form.address(), None, here.now)
        return redirect(url_for(".link_sent"), 303)
    return render_template("manage_link.html", form=form, freshness=None)


@management.get("/sent")
def link_sent() -> str:
    """What happens next; the same for everybody."""
    return render_template("manage_link_sent.html", days=f"{visit().settings.forms.manage_days:g}", freshness=None)


@management.get("/<token>")
def overview(token: str) -> _Page:
    """All that a subscriber is told."""
    with reading() as alerts:
        found = _opened(alerts, token)
        if isinstance(found, InvalidLink):
            return no_good(found, "manage")
        return _overview(alerts, found, token, request.args.get("done", ""))


@management.post("/<token>")
def end(token: str) -> _Page:
    """Leave, or have everything erased."""
    here = visit()
    keys = open_keys(here.settings)
    with open_alerts(here.settings.state) as alerts:
        with alerts.write():
            found = _opened(alerts, token)
            if isinstance(found, InvalidLink):
                return no_good(found, "manage")
            match request.form.get("do"):
                case "leave":
                    leave(alerts, keys, found.subscriber, here.now)
                    return redirect(url_for(".overview", token=token, done="left"), 303)
                case "erase" if request.form.get("sure") == "yes":
                    forget(alerts, keys, found.subscriber, here.now)
                case "erase":
                    return _overview(alerts, found, token, "", unsure=True), 422
                case _:
                    raise BadRequest
        alerts.erase_journal()
    return render_template("erased.html", freshness=None)


@management.get("/<token>/kept.json")
def kept(token: str) -> _Page:
    """All that is kept about the subscriber, for them to keep."""
    with reading() as alerts:
        found = _opened(alerts, token)
        if isinstance(found, InvalidLink):
            return no_good(found, "manage")
        rows = alerts.reports.stored(found.subscriber)
    answer = Response(json.dumps(rows, ensure_ascii=False, indent=2), mimetype="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="kept.json"'
    return answer


@management.route("/<token>/<int:number>", methods=["GET", "POST"])
def watch(token: str, number: int) -> _Page:
    """One watch: change it, pause it, go on with it, remove it."""
    here = visit()
    with open_alerts(here.settings.state) if request.method == "POST" else reading() as alerts:
        found = _opened(alerts, token)
        if isinstance(found, InvalidLink):
            return no_good(found, "manage")
        record = _watch_of(alerts, found.subscriber, number)
        form = WatchForm()
        form.shows(record)
        done = _do(alerts, record, form) if request.method == "POST" else None
        if done:
            return redirect(url_for(".overview", token=token, done=done), 303)
        page = render_template(
            "manage_watch.html",
            form=form,
            watch=_shown(alerts, record),
            narrower=is_narrower(record.watch.wants),
            back=url_for(".overview", token=token),
            freshness=None,
        )
        return (page, 422) if request.method == "POST" else page


def _do(alerts: AlertStore, record: WatchRecord, form: WatchForm) -> str | None:
    """What was done; None where the form has faults."""
    number, now = record.watch.number, visit().now
    asked = request.form.get("do")
    if asked == "change" and not form.validate():
        return None
    with alerts.write():
        # It may have been removed since the page was asked for, and its subscriber erased.
        record = _watch_of(alerts, record.watch.subscriber, number)
        match asked:
            case "change":
                wish = form.wish()
                alerts.watches.change(number, form.changed(record.watch.wants), wish.schedule)
                who = record.watch.subscriber
                alerts.subscribers.ensure(who.channel, who.address, confirmed_by=None, at=now, time_zone=wish.time_zone)
                return "changed"
            case "pause":
                if record.paused_at is None:
                    alerts.watches.pause(number, now)
                return "paused"
            case "resume":
                if record.paused_at is not None:
                    alerts.watches.resume(number)
                return "resumed"
            case "remove":
                alerts.remove_watch(number, now)
                return "removed"
            case _:
                raise BadRequest


def _watch_of(alerts: AlertStore, subscriber: Subscriber, number: int) -> WatchRecord:
    """A watch of this subscriber's own."""
    record = next((r for r in alerts.watches.records(subscriber) if r.watch.number == number), None)
    if record is None:
        raise NotFound
    return record


def _opened(alerts: AlertStore, token: str) -> SubscriberRecord | InvalidLink:
    """Whose link this is."""
    number = open_links(visit().settings).read(LinkScope.MANAGE, token, visit().now)
    if isinstance(number, InvalidLink):
        return number
    return alerts.subscribers.by_number(number) or InvalidLink.EXPIRED


def _overview(alerts: AlertStore, of: SubscriberRecord, token: str, done: str, *, unsure: bool = False) -> str:
    return render_template(
        "manage.html",
        address=shown(of.subscriber),
        zone=of.subscriber.time_zone,
        disabled=of.disabled_at is not None,
        watches=[_shown(alerts, record) for record in alerts.watches.records(of.subscriber)],
        token=token,
        done=done,
        unsure=unsure,
        freshness=None,
    )


def _shown(alerts: AlertStore, record: WatchRecord) -> Shown:
    states, parts = named(watched([record.watch], alerts.watches.agencies([record.watch])))
    where: Sequence[str] = [*(states or []), *parts]
    return Shown(record, tuple(where))
