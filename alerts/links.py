"""Signed links for subscribers: to manage what they are told, and to stop it. No login; each opens one thing.

A token is signed for one scope (an itsdangerous salt), so that what stops alerts cannot read or change them. Links to
manage are good for some days, and each mail carries a fresh one; links to stop are good for ever (CAN-SPAM asks for
30 days, and who keeps a mail for a year has the same right). When they end is in the token and not left to
`URLSafeTimedSerializer`, which reads the clock itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeSerializer

from alerts.keys import open_keys

if TYPE_CHECKING:
    from monitor.settings import Settings

# What stands for the token in a message that many get; the mail to each has its own there. Opened as it is, it leads
# to a page that says how to get a link.
YOURS = "your-link"


class Scope(StrEnum):
    """What a link allows; also the first part of its address."""

    MANAGE = "manage"
    STOP = "unsubscribe"


class NoGood(StrEnum):
    """Why a token opens nothing."""

    FORGED = "forged"  # or cut short, or signed with a key that is no longer good
    EXPIRED = "expired"


class Links:
    """Makes links for subscribers, and reads the tokens in them. `keys`: the first signs, all are good."""

    def __init__(self, base_url: str, keys: Sequence[bytes], manage_for: timedelta) -> None:
        self._base_url, self._manage_for = base_url, manage_for
        newest_last = list(reversed(keys))  # as itsdangerous has them
        self._serializers = {
            scope: URLSafeSerializer(
                newest_last,
                salt=f"agreement-monitor {scope}",
                signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
            )
            for scope in Scope
        }

    def token(self, scope: Scope, subscriber: int, at: datetime) -> str:
        """A token for this subscriber, made at `at`; the same every time."""
        until = int((at + self._manage_for).timestamp()) if scope is Scope.MANAGE else None
        return self._serializers[scope].dumps([subscriber, until])

    def read(self, scope: Scope, token: str, now: datetime) -> int | NoGood:
        """The number of the subscriber whose token this is."""
        try:
            subscriber, until = self._serializers[scope].loads(token)
        except (BadSignature, ValueError, TypeError):
            return NoGood.FORGED
        if until is not None and now.timestamp() >= until:
            return NoGood.EXPIRED
        return int(subscriber)

    def one_click_page(self, path: str) -> str:
        """The address of a page that stops alerts, as mail programs may be told of it; "" where they may not.

        RFC 8058 asks for https. On this machine plain http counts, so that it can be tried out.
        """
        url = urlsplit(self._base_url)
        here = url.hostname in ("127.0.0.1", "::1", "localhost")
        return f"{self._base_url}/{path}" if url.scheme == "https" or here else ""


def open_links(settings: Settings) -> Links:
    """Links as the settings have them: signed with `forms.link_keys`, or with one made from this installation's key.

    That one stays good, so that links in mails that were sent before a key was set go on working.
    """
    keys = [key.get_secret_value().encode() for key in settings.forms.link_keys]
    keys.append(open_keys(settings).derived("links"))
    return Links(settings.web.base_url, keys, timedelta(days=settings.forms.manage_days))


# In quoted-printable, a line may be broken anywhere by "=" at its end.
_BREAK = rb"(?:=\r\n)?"
_MARK = re.compile(
    b"((?:"
    + b"|".join(_BREAK.join(re.escape(bytes([c])) for c in scope.encode()) for scope in Scope)
    + b")"
    + _BREAK
    + _BREAK.join(re.escape(bytes([c])) for c in f"/{YOURS}".encode())
    + b")"
)
_LINE = 72


def around_marks(content: bytes) -> tuple[bytes, ...]:
    """A composed mail cut at what stands for a link: text, mark, text, …, text."""
    return tuple(_MARK.split(content))


def marked_scope(mark: bytes) -> Scope:
    """Which link a mark stands for."""
    return Scope(mark.replace(b"=\r\n", b"").partition(b"/")[0].decode("ascii"))


def in_quoted_printable(path: str) -> bytes:
    """A path with a token as it may stand anywhere in quoted-printable text, with no line too long (RFC 2045, 6.7)."""
    lines = [path[at : at + _LINE] for at in range(0, len(path), _LINE)]
    return ("=\r\n" + "=\r\n".join(lines) + "=\r\n").encode("ascii")
