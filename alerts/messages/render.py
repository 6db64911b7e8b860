"""Puts notices and digests into words: entries → Message, from `templates/`.

Every value that a template puts in is made inert for its medium by `finalize`, so no template can forget it; what is
trusted (our own addresses, the output of macros) is Markup. Notices that say the same are rendered once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import templates
from alerts.addresses import sender_address
from alerts.links import YOURS
from alerts.messages.operator_events import Event
from alerts.messages.outline import digest_outline, outline
from alerts.messages.slack_blocks import fewer, message_parts
from alerts.messages.slack_parts import Part, packed
from alerts.model import ChannelName, Digest, Line, Message, Notice
from alerts.sanitize import mrkdwn, shortened, slack_escaped, strip_invisible
from monitor.model import ListName

if TYPE_CHECKING:
    from monitor.settings import Settings
    from monitor.storage.changelog import Log

# Points in one message. A phone's reader has left long before; the rest is a link away.
_MOST_IN_MAIL = 50
_MOST_IN_DIGEST = 100  # by mail

_MOST_EVENTS = 20  # in one message to the operator …
_MOST_EVENT_TEXT = 9000  # … and characters of them in Slack

_LARGEST_HTML = 90_000  # bytes; Gmail cuts a mail off at 102 KB
_LARGEST_DIGEST = 90_000  # bytes of text and HTML together
_LONGEST_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Setting:
    """What messages say besides the changes: where readers find more, which days are meant, when lists were checked."""

    base_url: str
    zone: ZoneInfo
    sender: str  # the mail address to write to
    checked_at: Mapping[ListName, datetime]


class Renderer:
    """Renders the notices of one run."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._rendered: dict[object, Message] = {}

    def message(self, notice: Notice) -> Message:
        """The message for a notice's subscriber."""
        key = _says(notice)
        if key not in self._rendered:
            render = self._mail if notice.subscriber.channel is ChannelName.EMAIL else self._slack
            self._rendered[key] = render(notice)
        return self._rendered[key]

    def digest(self, digest: Digest) -> Message:
        """The message for a digest's subscriber."""
        key = _digest_says(digest)
        if key not in self._rendered:
            render = self._digest_mail if digest.subscriber.channel is ChannelName.EMAIL else self._digest_slack
            self._rendered[key] = render(digest)
        return self._rendered[key]

    def confirmation(self, token: str, until: datetime, channel: ChannelName = ChannelName.EMAIL) -> Message:
        """Asks whoever reads an address whether it may be written to, with the token that says yes."""
        return self._link("confirmation", {"token": token, "until": until}, channel)

    def manage_link(self, token: str, until: datetime, channel: ChannelName) -> Message:
        """The link to what a subscriber is told, asked for by somebody who lost it. In a mail, a link of its own."""
        return self._link("manage-link", {"token": token, "until": until}, channel)

    def _link(self, name: str, said: Mapping[str, object], channel: ChannelName) -> Message:
        if channel is not ChannelName.EMAIL:
            text = self._mrkdwn.get_template(f"slack/{name}.jinja").render(said)
            block = {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
            return packed([Part(text, [block])])
        return Message(
            self._text.get_template(f"email/{name}-subject.txt.jinja").render(),
            self._text.get_template(f"email/{name}.txt.jinja").render(said),
            self._inlined(self._html.get_template(f"email/{name}.html.jinja").render(said)),
        )

    def _mail(self, notice: Notice) -> Message:
        for most in fewer(_MOST_IN_MAIL):
            says = outline(notice, most=most)
            html = self._inlined(self._html.get_template("email/message.html.jinja").render(outline=says))
            if len(html.encode()) <= _LARGEST_HTML:
                break
        text = self._text.get_template("email/message.txt.jinja").render(outline=says)
        subject = self._text.get_template("email/subject.txt.jinja").render(outline=says)
        return Message(shortened(subject, _LONGEST_SUBJECT), text, html)

    def _digest_mail(self, digest: Digest) -> Message:
        for most in fewer(_MOST_IN_DIGEST):
            says = digest_outline(digest, most=most)
            html = self._inlined(self._html.get_template("email/digest.html.jinja").render(outline=says))
            text = self._text.get_template("email/digest.txt.jinja").render(outline=says)
            if len(html.encode()) + len(text.encode()) <= _LARGEST_DIGEST:
                break
        subject = self._text.get_template("email/digest-subject.txt.jinja").render(outline=says)
        return Message(shortened(subject, _LONGEST_SUBJECT), text, html)

    def _slack(self, notice: Notice) -> Message:
        prose = self._mrkdwn.get_template("slack/message.jinja").module
        threads = notice.subscriber.channel is ChannelName.SLACK_BOT
        return packed(message_parts(lambda most: outline(notice, most=most), prose, threads=threads))

    def _digest_slack(self, digest: Digest) -> Message:
        prose = self._mrkdwn.get_template("slack/digest.jinja").module
        threads = digest.subscriber.channel is ChannelName.SLACK_BOT
        return packed(message_parts(lambda most: digest_outline(digest, most=most), prose, threads=threads))

    def for_operator(self, channel: ChannelName, events: Sequence[Event]) -> Message:
        """What the person who runs the service must hear."""
        if channel is ChannelName.EMAIL:
            said = {"events": events[:_MOST_EVENTS], "more": max(len(events) - _MOST_EVENTS, 0)}
            return Message(
                self._text.get_template("operator/subject.txt.jinja").render(said),
                self._text.get_template("operator/message.txt.jinja").render(said),
                self._inlined(self._html.get_template("operator/message.html.jinja").render(said)),
            )
        prose: Any = self._mrkdwn.get_template("operator/slack.jinja").module
        texts = [str(prose.event(event)) for event in events[:_MOST_EVENTS]]
        while sum(map(len, texts)) > _MOST_EVENT_TEXT:
            texts.pop()
        if len(events) > len(texts):
            texts.append(str(prose.more(len(events) - len(texts))))
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}} for text in texts]
        return packed([Part(str(prose.fallback(events)), blocks)])

    @cached_property
    def _html(self) -> Environment:
        return self._environment(strip_invisible, str)

    @cached_property
    def _text(self) -> Environment:
        return self._environment(lambda text: Markup(strip_invisible(text)), str)

    @cached_property
    def _mrkdwn(self) -> Environment:
        return self._environment(
            lambda text: Markup(mrkdwn(strip_invisible(text))), lambda url: Markup(slack_escaped(url))
        )

    def _environment(self, inert: Callable[[str], str], url: Callable[[str], str]) -> Environment:
        """Templates of one medium. `inert` makes a value mean nothing to it, `url` an address of ours fit for it.

        Autoescape is HTML's, and leaves Markup alone: what `inert` returns as Markup is escaped by it and not again.
        """
        zone = self._setting.zone
        environment = Environment(
            loader=FileSystemLoader(Path(templates.__file__).parent),
            undefined=StrictUndefined,
            autoescape=True,
            finalize=lambda value: inert(value) if type(value) is not Markup and isinstance(value, str) else value,
            keep_trailing_newline=False,
        )
        environment.globals |= {
            "urls": _Urls(self._setting.base_url, zone, url),
            "checked_at": self._setting.checked_at.get,
            "sender": self._setting.sender,
        }
        environment.filters |= {"day": lambda at: _day(at, zone), "clock": lambda at: _clock(at, zone)}
        return environment

    @cached_property
    def _inlined(self) -> Callable[[str], str]:
        """HTML with its styles on the elements, since many mail programs drop <style>; dark mode's stay there."""
        from css_inline import CSSInliner

        return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False).inline


def renderer_of(settings: Settings, log: Log) -> Renderer:
    """A renderer as the settings have it, which knows when the lists were last checked."""
    checked_at = {check.list: check.succeeded_at for check in log.last_checks()}
    return Renderer(
        Setting(
            settings.web.base_url,
            ZoneInfo(settings.log.time_zone),
            sender_address(settings.mail.sender),
            {list_: at for list_, at in checked_at.items() if at},
        )
    )


@dataclass(frozen=True, slots=True)
class _Urls:
    """The addresses of our own pages."""

    base: str
    zone: ZoneInfo
    fit: Callable[[str], str]

    def change(self, entry: str) -> str:
        return self.fit(f"{self.base}/changes/{entry}")

    def agreement(self, agreement: str) -> str:
        return self.fit(f"{self.base}/agreements/{agreement}")

    def days(self) -> str:
        return self.fit(f"{self.base}/days/")

    def confirm(self, token: str) -> str:
        return self.fit(f"{self.base}/confirm/{token}")

    def subscribe(self) -> str:
        return self.fit(f"{self.base}/subscribe")

    def manage(self, token: str = "") -> str:
        """Where a subscriber changes what they are told; without a token, the page that sends the link."""
        return self.fit(f"{self.base}/manage/{token}" if token else f"{self.base}/manage")

    def own(self, scope: str) -> str:
        """A link that each mail has its own of."""
        return self.fit(f"{self.base}/{scope}/{YOURS}")

    def day(self, moment: datetime) -> str:
        return self.fit(f"{self.base}/days/{moment.astimezone(self.zone).date().isoformat()}")


def _says(notice: Notice) -> object:
    """Equal for notices that get the same message."""
    return notice.subscriber.channel, notice.publication.id, _lines_say(notice.lines), notice.watched


def _digest_says(digest: Digest) -> object:
    """Equal for digests that get the same message."""
    return digest.subscriber.channel, digest.schedule.cadence, digest.slot, _lines_say(digest.lines), digest.watched


def _lines_say(lines: tuple[Line, ...]) -> object:
    return tuple((line.entry.seq, line.least, line.corrects.seq if line.corrects else None) for line in lines)


@lru_cache(maxsize=1024)
def _day(value: date, zone: ZoneInfo) -> str:
    """28 August 2025"""
    if isinstance(value, datetime):
        value = value.astimezone(zone)
    return f"{value.day} {value:%B %Y}"


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    """4:05pm EST"""
    local = moment.astimezone(zone)
    return f"{local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'} {local:%Z}"
