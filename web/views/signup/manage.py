"""The pages where subscribers see and change what they get, with a link that only they were sent."""

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
from web.request import visit
from web.security import count_ask
from web.views.signup.forms import AddressForm, WatchForm, is_narrower
from web.views.signup.subscribe import no_good, reading, shown

blueprint = Blueprint("manage", __name__, url_prefix="/manage")

_Page = str | tuple[str, int] | AnyResponse


@dataclass(frozen=True, slots=True)
class WatchRow:
    """A watch, and its places in words."""

    record: WatchRecord
    where: tuple[str, ...]  # states and parts of states; none stands for all


@blueprint.route("", methods=["GET", "POST"])
def link() -> _Page:
    """The form that asks for the link. The answer is the same whether or not the address is subscribed."""
    here = visit()
    form = AddressForm(here.settings.slack.hosts)
    if request.method == "POST":
        if not form.validate():
            return render_template("manage_link.html", form=form, freshness=None), 422
        count_ask()
        file_request(here.settings, RequestKind.MANAGE, *form.address(), None, here.now)
        return redirect(url_for(".link_sent"), 303)
    return render_template("manage_link.html", form=form, freshness=None)


@blueprint.get("/sent")
def link_sent() -> str:
    """What happens next: the same for everyone."""
    return render_template("manage_link_sent.html", days=f"{visit().settings.forms.manage_days:g}", freshness=None)


@blueprint.get("/<token>")
def overview(token: str) -> _Page:
    """All watches of a subscriber."""
    with reading() as alerts:
        opened = _opened(alerts, token)
        if isinstance(opened, InvalidLink):
            return no_good(opened, "manage")
        return _overview(alerts, opened, token, request.args.get("done", ""))


@blueprint.post("/<token>")
def end(token: str) -> _Page:
    """Unsubscribe from everything, or erase everything."""
    here = visit()
    keys = open_keys(here.settings)
    with open_alerts(here.settings.state) as alerts:
        with alerts.write():
            opened = _opened(alerts, token)
            if isinstance(opened, InvalidLink):
                return no_good(opened, "manage")
            match request.form.get("do"):
                case "leave":
                    leave(alerts, keys, opened.subscriber, here.now)
                    return redirect(url_for(".overview", token=token, done="left"), 303)
                case "erase" if request.form.get("sure") == "yes":
                    forget(alerts, keys, opened.subscriber, here.now)
                case "erase":
                    return _overview(alerts, opened, token, "", unsure=True), 422
                case _:
                    raise BadRequest
        alerts.erase_journal()
    return render_template("erased.html", freshness=None)


@blueprint.get("/<token>/kept.json")
def kept(token: str) -> _Page:
    """All that is stored about the subscriber, as a download."""
    with reading() as alerts:
        opened = _opened(alerts, token)
        if isinstance(opened, InvalidLink):
            return no_good(opened, "manage")
        rows = alerts.reports.stored(opened.subscriber)
    answer = Response(json.dumps(rows, ensure_ascii=False, indent=2), mimetype="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="kept.json"'
    return answer


@blueprint.route("/<token>/<int:number>", methods=["GET", "POST"])
def watch(token: str, number: int) -> _Page:
    """One watch: change, pause, resume or remove it."""
    here = visit()
    with open_alerts(here.settings.state) if request.method == "POST" else reading() as alerts:
        opened = _opened(alerts, token)
        if isinstance(opened, InvalidLink):
            return no_good(opened, "manage")
        record = _watch_of(alerts, opened.subscriber, number)
        form = WatchForm()
        form.shows(record)
        done = _do(alerts, record, form) if request.method == "POST" else None
        if done:
            return redirect(url_for(".overview", token=token, done=done), 303)
        page = render_template(
            "manage_watch.html",
            form=form,
            watch=_watch_row(alerts, record),
            narrower=is_narrower(record.watch.wants),
            back=url_for(".overview", token=token),
            freshness=None,
        )
        return (page, 422) if request.method == "POST" else page


def _do(alerts: AlertStore, record: WatchRecord, form: WatchForm) -> str | None:
    """Does what the form asks; returns what was done, or None where the form has errors."""
    number, now = record.watch.number, visit().now
    asked = request.form.get("do")
    if asked == "change" and not form.validate():
        return None
    with alerts.write():
        # The watch may have been removed since the page was loaded, or its subscriber erased.
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
    """A watch of this subscriber; NotFound for another's."""
    record = next((r for r in alerts.watches.records(subscriber) if r.watch.number == number), None)
    if record is None:
        raise NotFound
    return record


def _opened(alerts: AlertStore, token: str) -> SubscriberRecord | InvalidLink:
    """The subscriber that a link belongs to."""
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
        watches=[_watch_row(alerts, record) for record in alerts.watches.records(of.subscriber)],
        token=token,
        done=done,
        unsure=unsure,
        freshness=None,
    )


def _watch_row(alerts: AlertStore, record: WatchRecord) -> WatchRow:
    states, parts = named(watched([record.watch], alerts.watches.agencies([record.watch])))
    where: Sequence[str] = [*(states or []), *parts]
    return WatchRow(record, tuple(where))
