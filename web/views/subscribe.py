"""The addresses by which visitors subscribe, confirm, and stop. No GET changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from alerts.keys import open_keys
from alerts.links import InvalidLink, LinkScope, open_links
from alerts.masking import masked
from alerts.model import Subscriber
from alerts.signup.requests import file_request
from alerts.signup.selfservice import PendingConfirmation, leave, waiting
from alerts.signup.selfservice import confirm as begin
from alerts.storage.requests import RequestKind
from alerts.storage.store import AlertStore, open_alerts
from monitor.normalize import state as state_named
from web.forms import SOME, SubscribeForm
from web.request import visit
from web.security import count_ask

subscriptions = Blueprint("subscribe", __name__)


@contextmanager
def reading() -> Iterator[AlertStore]:
    """Subscribers, through which nothing can be written."""
    with open_alerts(visit().settings.state) as alerts:
        alerts.state.run("PRAGMA query_only = ON")
        yield alerts


@subscriptions.route("/subscribe", methods=["GET", "POST"])
def ask() -> str | Response | tuple[str, int]:
    """The form. What it asks for is stored and answered the same, whoever the address belongs to."""
    here = visit()
    form = SubscribeForm(here.settings.slack.hosts)
    if request.method == "POST":
        if not form.validate():
            return render_template("subscribe.html", form=form, freshness=None), 422
        count_ask()
        file_request(here.settings, RequestKind.SUBSCRIBE, *form.address(), form.wish(), here.now)
        return redirect(url_for(".sent"), 303)
    if codes := [code for name in request.args.getlist("state") if (code := state_named(name))]:
        form.where.data, form.states.data = SOME, codes
    return render_template("subscribe.html", form=form, freshness=None)


@subscriptions.get("/subscribe/sent")
def sent() -> str:
    """What happens next; the same for everybody."""
    hours = f"{visit().settings.delivery.confirm_within_hours:g}"
    return render_template("subscribe_sent.html", hours=hours, freshness=None)


@subscriptions.get("/confirm/<token>")
def confirm_page(token: str) -> str | tuple[str, int]:
    """What the link from the mail opens: one button."""
    here = visit()
    with reading() as alerts:
        found = waiting(alerts, open_keys(here.settings).of_token(token), here.now)
    if isinstance(found, InvalidLink):
        return no_good(found, "subscribe")
    return render_template("confirm.html", found=found, address=shown(found.subscriber), freshness=None)


@subscriptions.post("/confirm/<token>")
def confirm(token: str) -> str | tuple[str, int]:
    """The button: from now on they are told."""
    here = visit()
    keys = open_keys(here.settings)
    with open_alerts(here.settings.state) as alerts, alerts.write():
        found = begin(alerts, keys, token, here.now)
    if isinstance(found, InvalidLink):
        return no_good(found, "subscribe")
    return render_template("confirmed.html", found=found, manage=_manage_link(found), freshness=None)


def _manage_link(found: PendingConfirmation) -> str:
    token = open_links(visit().settings).token(LinkScope.MANAGE, found.subscriber.number, visit().now)
    return url_for("manage.overview", token=token)


@subscriptions.get("/unsubscribe/<token>")
def stop_page(token: str) -> str | tuple[str, int]:
    """What the link in each mail opens: one button."""
    found = open_links(visit().settings).read(LinkScope.STOP, token, visit().now)
    if isinstance(found, InvalidLink):
        return no_good(found, "unsubscribe")
    with reading() as alerts:
        known = alerts.subscribers.by_number(found)
    address = shown(known.subscriber) if known else ""
    return render_template("unsubscribe.html", address=address, freshness=None)


@subscriptions.post("/unsubscribe/<token>")
def stop(token: str) -> str | tuple[str, int]:
    """The button, or a mail program's (RFC 8058): nothing is sent any more. Said twice, it is done once."""
    here = visit()
    found = open_links(here.settings).read(LinkScope.STOP, token, here.now)
    if isinstance(found, InvalidLink):
        return no_good(found, "unsubscribe")
    with open_alerts(here.settings.state) as alerts, alerts.write():
        known = alerts.subscribers.by_number(found)
        if known:
            leave(alerts, open_keys(here.settings), known.subscriber, here.now)
    return render_template("unsubscribed.html", freshness=None)


def shown(subscriber: Subscriber) -> str:
    """An address as its owner knows it, and nobody else learns it."""
    return masked(subscriber.channel, subscriber.address)


def no_good(why: InvalidLink, what: str) -> tuple[str, int]:
    """A link that opens nothing, and how to get another."""
    status = 410 if why is InvalidLink.EXPIRED else 404
    return render_template("link_over.html", expired=why is InvalidLink.EXPIRED, what=what, freshness=None), status
