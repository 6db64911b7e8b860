"""The pages where visitors subscribe, confirm and unsubscribe. No GET changes anything."""

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
from web.request import visit
from web.security import count_ask
from web.views.signup.forms import SOME, SubscribeForm

blueprint = Blueprint("subscribe", __name__)


@contextmanager
def reading() -> Iterator[AlertStore]:
    """Subscribers, for reading only."""
    with open_alerts(visit().settings.state) as alerts:
        alerts.state.run("PRAGMA query_only = ON")
        yield alerts


@blueprint.route("/subscribe", methods=["GET", "POST"])
def ask() -> str | Response | tuple[str, int]:
    """The form. The answer is the same whether or not the address is already subscribed."""
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


@blueprint.get("/subscribe/sent")
def sent() -> str:
    """What happens next: the same for everyone."""
    hours = f"{visit().settings.delivery.confirm_within_hours:g}"
    return render_template("subscribe_sent.html", hours=hours, freshness=None)


@blueprint.get("/confirm/<token>")
def confirm_page(token: str) -> str | tuple[str, int]:
    """The page that the link in the mail opens: one button."""
    here = visit()
    with reading() as alerts:
        opened = waiting(alerts, open_keys(here.settings).of_token(token), here.now)
    if isinstance(opened, InvalidLink):
        return no_good(opened, "subscribe")
    return render_template("confirm.html", opened=opened, address=shown(opened.subscriber), freshness=None)


@blueprint.post("/confirm/<token>")
def confirm(token: str) -> str | tuple[str, int]:
    """The button: the subscription starts."""
    here = visit()
    keys = open_keys(here.settings)
    with open_alerts(here.settings.state) as alerts, alerts.write():
        opened = begin(alerts, keys, token, here.now)
    if isinstance(opened, InvalidLink):
        return no_good(opened, "subscribe")
    return render_template("confirmed.html", opened=opened, manage=_manage_link(opened), freshness=None)


def _manage_link(opened: PendingConfirmation) -> str:
    token = open_links(visit().settings).token(LinkScope.MANAGE, opened.subscriber.number, visit().now)
    return url_for("manage.overview", token=token)


@blueprint.get("/unsubscribe/<token>")
def stop_page(token: str) -> str | tuple[str, int]:
    """The page that the unsubscribe link in each mail opens: one button."""
    number = open_links(visit().settings).read(LinkScope.STOP, token, visit().now)
    if isinstance(number, InvalidLink):
        return no_good(number, "unsubscribe")
    with reading() as alerts:
        known = alerts.subscribers.by_number(number)
    address = shown(known.subscriber) if known else ""
    return render_template("unsubscribe.html", address=address, freshness=None)


@blueprint.post("/unsubscribe/<token>")
def stop(token: str) -> str | tuple[str, int]:
    """The button, or a mail program's (RFC 8058): nothing is sent any more. Safe to repeat."""
    here = visit()
    number = open_links(here.settings).read(LinkScope.STOP, token, here.now)
    if isinstance(number, InvalidLink):
        return no_good(number, "unsubscribe")
    with open_alerts(here.settings.state) as alerts, alerts.write():
        known = alerts.subscribers.by_number(number)
        if known:
            leave(alerts, open_keys(here.settings), known.subscriber, here.now)
    return render_template("unsubscribed.html", freshness=None)


def shown(subscriber: Subscriber) -> str:
    """An address that its owner recognizes, masked for everyone else."""
    return masked(subscriber.channel, subscriber.address)


def no_good(why: InvalidLink, what: str) -> tuple[str, int]:
    """The page for a link that is expired or wrong: how to get another."""
    status = 410 if why is InvalidLink.EXPIRED else 404
    return render_template("link_over.html", expired=why is InvalidLink.EXPIRED, what=what, freshness=None), status
