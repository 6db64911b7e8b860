"""Renders notices, digests and other messages from `templates/`.

`finalize` escapes every value in a template for its medium, so that no template can forget it. What is trusted (our own
URLs, the output of macros) is Markup. Notices with the same content are rendered once.
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
from alerts.messages.operator_events import OperatorEvent
from alerts.messages.outline import digest_outline, outline
from alerts.messages.slack_blocks import fewer, message_parts
from alerts.messages.slack_parts import SlackPart, packed
from alerts.model import ChannelName, Digest, Message, Notice, RoutedEntry
from alerts.sanitize import mrkdwn, shortened, slack_escaped, strip_invisible
from monitor.model import ListName
from templates import dates
from templates.compiled import CompiledTemplates

if TYPE_CHECKING:
    from monitor.settings import Settings
    from monitor.storage.log import Log

# Points in one message; nobody reads more on a phone, and a link leads to the rest.
_MOST_IN_MAIL = 50
_MOST_IN_DIGEST = 100  # by mail

_MOST_EVENTS = 20  # in one message to the operator …
_MOST_EVENT_TEXT = 9000  # … and characters of them in Slack

_LARGEST_HTML = 90_000  # bytes; Gmail cuts a mail off at 102 KB
_LARGEST_DIGEST = 90_000  # bytes of text and HTML together
_LONGEST_SUBJECT = 200

_HTML, _TEXT, _MRKDWN = CompiledTemplates(), CompiledTemplates(), CompiledTemplates()


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What templates need besides the changes. `checked_at`: the last successful check of each list."""

    base_url: str
    zone: ZoneInfo
    sender: str  # mail address
    checked_at: Mapping[ListName, datetime]


class Renderer:
    """Renders the notices of one run."""

    def __init__(self, setting: RenderContext) -> None:
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
        """The link with which an address confirms that it may be written to."""
        return self._link("confirmation", {"token": token, "until": until}, channel)

    def manage_link(self, token: str, until: datetime, channel: ChannelName) -> Message:
        """The link with which a subscriber manages their alerts, sent on request."""
        return self._link("manage-link", {"token": token, "until": until}, channel)

    def _link(self, name: str, values: Mapping[str, object], channel: ChannelName) -> Message:
        if channel is not ChannelName.EMAIL:
            text = self._mrkdwn.get_template(f"slack/{name}.jinja").render(values)
            block = {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
            return packed([SlackPart(text, [block])])
        return Message(
            self._text.get_template(f"email/{name}-subject.txt.jinja").render(),
            self._text.get_template(f"email/{name}.txt.jinja").render(values),
            self._inlined(self._html.get_template(f"email/{name}.html.jinja").render(values)),
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

    def for_operator(self, channel: ChannelName, events: Sequence[OperatorEvent]) -> Message:
        """The message that tells the operator these events."""
        if channel is ChannelName.EMAIL:
            values = {"events": events[:_MOST_EVENTS], "more": max(len(events) - _MOST_EVENTS, 0)}
            return Message(
                self._text.get_template("operator/subject.txt.jinja").render(values),
                self._text.get_template("operator/message.txt.jinja").render(values),
                self._inlined(self._html.get_template("operator/message.html.jinja").render(values)),
            )
        prose: Any = self._mrkdwn.get_template("operator/slack.jinja").module
        texts = [str(prose.event(event)) for event in events[:_MOST_EVENTS]]
        while sum(map(len, texts)) > _MOST_EVENT_TEXT:
            texts.pop()
        if len(events) > len(texts):
            texts.append(str(prose.more(len(events) - len(texts))))
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}} for text in texts]
        return packed([SlackPart(str(prose.fallback(events)), blocks)])

    @cached_property
    def _html(self) -> Environment:
        return self._environment(_HTML, strip_invisible, str)

    @cached_property
    def _text(self) -> Environment:
        return self._environment(_TEXT, lambda text: Markup(strip_invisible(text)), str)

    @cached_property
    def _mrkdwn(self) -> Environment:
        return self._environment(
            _MRKDWN, lambda text: Markup(mrkdwn(strip_invisible(text))), lambda url: Markup(slack_escaped(url))
        )

    def _environment(
        self, compiled: CompiledTemplates, inert: Callable[[str], str], url: Callable[[str], str]
    ) -> Environment:
        """The templates of one medium. `inert` escapes a value for it, `url` a URL of ours.

        Autoescape escapes for HTML and leaves Markup alone, so what `inert` returns as Markup is not escaped again.
        """
        zone = self._setting.zone
        environment = Environment(
            loader=FileSystemLoader(Path(templates.__file__).parent),
            undefined=StrictUndefined,
            autoescape=True,
            finalize=lambda value: inert(value) if type(value) is not Markup and isinstance(value, str) else value,
            keep_trailing_newline=False,
            bytecode_cache=compiled,
        )
        environment.globals |= {
            "urls": _Urls(self._setting.base_url, zone, url),
            "checked_at": self._setting.checked_at.get,
            "sender": self._setting.sender,
        }
        environment.filters |= {"day": lambda at: _day(at, zone), "clock": lambda at: dates.clock(at, zone)}
        return environment

    @cached_property
    def _inlined(self) -> Callable[[str], str]:
        """Moves styles to the elements, since many mail programs drop <style>; those for dark mode stay there."""
        from css_inline import CSSInliner

        return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False).inline


def renderer_of(settings: Settings, log: Log) -> Renderer:
    """A renderer for these settings, with the times of the last checks."""
    checked_at = {check.list: check.succeeded_at for check in log.checks.last()}
    return Renderer(
        RenderContext(
            settings.web.base_url,
            ZoneInfo(settings.log.time_zone),
            sender_address(settings.mail.sender),
            {list_: at for list_, at in checked_at.items() if at},
        )
    )


@dataclass(frozen=True, slots=True)
class _Urls:
    """The URLs of our own pages."""

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
        """The page to manage alerts; without a token, the page that sends the link."""
        return self.fit(f"{self.base}/manage/{token}" if token else f"{self.base}/manage")

    def own(self, scope: str) -> str:
        """A placeholder for a link; each mail gets its own."""
        return self.fit(f"{self.base}/{scope}/{YOURS}")

    def day(self, moment: datetime) -> str:
        return self.fit(f"{self.base}/days/{moment.astimezone(self.zone).date().isoformat()}")


def _says(notice: Notice) -> object:
    """A key that is equal for notices with the same message."""
    return notice.subscriber.channel, notice.publication.id, _lines_say(notice.lines), notice.watched


def _digest_says(digest: Digest) -> object:
    """A key that is equal for digests with the same message."""
    return digest.subscriber.channel, digest.schedule.cadence, digest.slot, _lines_say(digest.lines), digest.watched


def _lines_say(lines: tuple[RoutedEntry, ...]) -> object:
    return tuple((line.entry.seq, line.least, line.corrects.seq if line.corrects else None) for line in lines)


@lru_cache(maxsize=1024)
def _day(value: date, zone: ZoneInfo) -> str:
    """The day of a date, or of a moment in a zone."""
    return dates.day(value.astimezone(zone).date() if isinstance(value, datetime) else value)
