"""The forms: checks what a visitor typed and ticked, and turns it into values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import ValidationError

from alerts.addresses import mail_address, public_webhook
from alerts.model import AGREEMENT_KINDS, DAYS, Cadence, ChannelName, Departures, Schedule, Wants
from alerts.signup.requests import RequestedWatch
from alerts.storage.watches import WatchRecord
from monitor.model import NOTES, Kind
from monitor.normalize import STATES

ALL, SOME = "all", "some"
_LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, without its angle brackets
_LONGEST_WEBHOOK = 500
_SEVEN = 7 * 60

KINDS = {
    Kind.NEW: "New agreements",
    Kind.CHANGED: "Changed agreements",
    Kind.TERMINATED: "Agreements no longer listed",
    Kind.RETURNED: "Agreements listed again",
    Kind.APPLIED: "New applications, on the pending list",
    Kind.DROPPED: "Applications no longer listed",
}
assert KINDS.keys() == set(Kind) - NOTES

ZONES = {
    "America/New_York": "Eastern",
    "America/Chicago": "Central",
    "America/Denver": "Mountain",
    "America/Phoenix": "Arizona",
    "America/Los_Angeles": "Pacific",
    "America/Anchorage": "Alaska",
    "Pacific/Honolulu": "Hawaii",
    "America/Puerto_Rico": "Puerto Rico and Virgin Islands",
    "Pacific/Guam": "Guam and Northern Marianas",
    "Pacific/Pago_Pago": "American Samoa",
    "Etc/UTC": "Coordinated Universal Time (UTC)",
}


def _time(minute: int) -> str:
    """7:00 am"""
    hour = minute // 60
    return f"{hour % 12 or 12}:{minute % 60:02} {'am' if hour < 12 else 'pm'}"


class _SentForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Takes form data only. FlaskForm would take JSON as well, where a field need not be text."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            return request.form if form.is_submitted() else None


class AddressForm(_SentForm):
    """A mail address or webhook. `hosts`: the allowed hosts of webhooks."""

    channel = RadioField(
        "By email or in Slack",
        choices={ChannelName.EMAIL.value: "By email", ChannelName.SLACK.value: "In a Slack channel"},
        default=ChannelName.EMAIL.value,
    )
    email = StringField("Email address")
    webhook = StringField("URL of an incoming webhook")

    def __init__(self, hosts: Collection[str], **given: Any) -> None:
        super().__init__(**given)
        self._hosts = hosts

    def validate_email(self, field: Any) -> None:
        if self.channel.data != ChannelName.EMAIL:
            return
        typed = (field.data or "").strip()
        if not typed:
            raise ValidationError("Enter an email address")
        try:
            if len(typed) > _LONGEST_ADDRESS:
                raise ValueError
            field.checked = mail_address(typed)
        except ValueError as exc:
            raise ValidationError("Enter an email address in the usual form, like name@example.org") from exc

    def validate_webhook(self, field: Any) -> None:
        if self.channel.data != ChannelName.SLACK:
            return
        typed = (field.data or "").strip()
        if not typed:
            raise ValidationError("Enter the URL of the webhook")
        try:
            if len(typed) > _LONGEST_WEBHOOK:
                raise ValueError
            field.checked = public_webhook(typed, self._hosts)
        except ValueError as exc:
            raise ValidationError(
                f"Enter the whole URL as Slack shows it, which begins with https://{next(iter(self._hosts), '')}/"
            ) from exc

    def address(self) -> tuple[ChannelName, str]:
        """Channel and address, once the form is valid."""
        channel = ChannelName(self.channel.data)
        field: Any = self.email if channel is ChannelName.EMAIL else self.webhook
        return channel, field.checked


class WishForm(_SentForm):
    """What a subscriber wants to hear of, and how often."""

    where = RadioField(
        "Which states",
        choices={ALL: "All states and territories", SOME: "Only the states that I tick"},
        default=ALL,
    )
    states = SelectMultipleField("States", choices=STATES)
    kinds = SelectMultipleField(
        "What you want to hear of",
        choices={kind.value: words for kind, words in KINDS.items()},
        default=sorted(AGREEMENT_KINDS),
    )
    departures = RadioField(
        "When an agreement is no longer listed",
        choices={
            Departures.AT_ONCE.value: "Tell me at once, marked unconfirmed",
            Departures.CONFIRMED.value: "Tell me once it is confirmed, about two days later",
        },
        default=Departures.AT_ONCE.value,
    )
    cadence = RadioField(
        "How often",
        choices={
            Cadence.INSTANT.value: "At once, within the hour",
            Cadence.DAILY.value: "Once a day",
            Cadence.WEEKLY.value: "Once a week",
        },
        default=Cadence.INSTANT.value,
    )
    minute = SelectField(
        "Time of day",
        coerce=int,
        choices={minute: _time(minute) for minute in range(0, 24 * 60, 60)},
        default=_SEVEN,
    )
    weekday = SelectField("Day of the week", coerce=int, choices=dict(enumerate(DAYS)), default=0)
    time_zone = SelectField("Time zone", choices=ZONES, default="America/New_York")

    def validate_states(self, field: Any) -> None:
        if self.where.data == SOME and not field.data:
            raise ValidationError("Tick at least one state, or choose all states")

    def validate_kinds(self, field: Any) -> None:
        if not field.data:
            raise ValidationError("Tick at least one thing that you want to hear of")

    def wish(self) -> RequestedWatch:
        """What was chosen, once the form is valid."""
        return RequestedWatch(
            Wants(
                states=frozenset(self.states.data) if self.where.data == SOME else None,
                kinds=frozenset(map(Kind, self.kinds.data)),
                departures=Departures(self.departures.data),
            ),
            self._schedule(),
            self.time_zone.data,
        )

    def _schedule(self) -> Schedule | None:
        match Cadence(self.cadence.data):
            case Cadence.INSTANT:
                return None
            case Cadence.DAILY:
                return Schedule(self.minute.data)
            case Cadence.WEEKLY:
                return Schedule(self.minute.data, self.weekday.data)


class WatchForm(WishForm):
    """The same for an existing watch."""

    def shows(self, record: WatchRecord) -> None:
        """Offer the watch's own unusual choices; where nothing was sent, show what it wants now."""
        wants, schedule = record.watch.wants, record.watch.schedule
        zone = record.watch.subscriber.time_zone
        if zone not in ZONES:
            self.time_zone.choices = {**ZONES, zone: zone}
        if schedule and schedule.minute % 60:
            self.minute.choices = dict(sorted({**self.minute.choices, schedule.minute: _time(schedule.minute)}.items()))
        if self.is_submitted():
            return
        self.where.data = ALL if wants.states is None else SOME
        self.states.data = sorted(wants.states or ())
        self.kinds.data = sorted(wants.kinds)
        self.departures.data = wants.departures.value
        self.cadence.data = (schedule.cadence if schedule else Cadence.INSTANT).value
        if schedule:
            self.minute.data = schedule.minute
            self.weekday.data = schedule.weekday or 0
        self.time_zone.data = zone

    def changed(self, before: Wants) -> Wants:
        """What the watch wants now: as before, with what the form has; states only where nothing narrower is set."""
        new = self.wish().wants
        states = before.states if is_narrower(before) else new.states
        return replace(before, states=states, kinds=new.kinds, departures=new.departures)


def is_narrower(wants: Wants) -> bool:
    """Whether a watch has counties or agencies, which the form does not offer."""
    return wants.counties is not None or wants.agencies is not None


class SubscribeForm(AddressForm, WishForm):
    """Both: the address, and what is wanted."""
