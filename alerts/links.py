"""Makes and reads the signed links with which subscribers manage their alerts or unsubscribe.

A token is signed for one scope (an itsdangerous salt), so that a link to unsubscribe cannot read or change anything.
Links to manage expire after some days, and each mail has a fresh one. Links to unsubscribe never expire (CAN-SPAM asks
for 30 days). The time of expiry is in the token; `URLSafeTimedSerializer` is not used, since it reads the clock itself.
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

# Placeholder for the token in a message that many get; each mail has its own token instead. Opened as it is, it leads
# to a page that says how to get a link.
YOURS = "your-link"


class LinkScope(StrEnum):
    """What a link allows; also the first part of its path."""

    MANAGE = "manage"
    STOP = "unsubscribe"


class InvalidLink(StrEnum):
    """Why a token is not valid."""

    FORGED = "forged"  # or cut short, or signed with a key that is no longer used
    EXPIRED = "expired"


class Links:
    """Makes links for subscribers, and reads the tokens in them. `keys`: the first signs, all verify."""

    def __init__(self, base_url: str, keys: Sequence[bytes], manage_for: timedelta) -> None:
        self._base_url, self._manage_for = base_url, manage_for
        newest_last = list(reversed(keys))  # the order that itsdangerous wants
        self._serializers = {
            scope: URLSafeSerializer(
                newest_last,
                salt=f"agreement-monitor {scope}",
                signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
            )
            for scope in LinkScope
        }

    def token(self, scope: LinkScope, subscriber: int, at: datetime) -> str:
        """A token for this subscriber, made at `at`; equal arguments give an equal token."""
        until = int((at + self._manage_for).timestamp()) if scope is LinkScope.MANAGE else None
        return self._serializers[scope].dumps([subscriber, until])

    def read(self, scope: LinkScope, token: str, now: datetime) -> int | InvalidLink:
        """The number of the subscriber whose token this is."""
        try:
            subscriber, until = self._serializers[scope].loads(token)
        except (BadSignature, ValueError, TypeError):
            return InvalidLink.FORGED
        if until is not None and now.timestamp() >= until:
            return InvalidLink.EXPIRED
        return int(subscriber)

    def one_click_page(self, path: str) -> str:
        """The URL with which a mail program unsubscribes in one click; "" if there may be none.

        RFC 8058 requires https. Plain http is accepted on this machine, so that it can be tried out.
        """
        url = urlsplit(self._base_url)
        here = url.hostname in ("127.0.0.1", "::1", "localhost")
        return f"{self._base_url}/{path}" if url.scheme == "https" or here else ""


def open_links(settings: Settings) -> Links:
    """Links signed with `forms.link_keys` of the settings, or with one derived from this installation's key.

    The derived key always verifies, so that links sent before `link_keys` was set go on working.
    """
    keys = [key.get_secret_value().encode() for key in settings.forms.link_keys]
    keys.append(open_keys(settings).derived("links"))
    return Links(settings.web.base_url, keys, timedelta(days=settings.forms.manage_days))


# In quoted-printable, a line may be broken anywhere by "=" at its end.
_BREAK = rb"(?:=\r\n)?"
_MARK = re.compile(
    b"((?:"
    + b"|".join(_BREAK.join(re.escape(bytes([c])) for c in scope.encode()) for scope in LinkScope)
    + b")"
    + _BREAK
    + _BREAK.join(re.escape(bytes([c])) for c in f"/{YOURS}".encode())
    + b")"
)
_LINE = 72


def around_marks(content: bytes) -> tuple[bytes, ...]:
    """A composed mail cut at the placeholders for links: text, placeholder, text, …, text."""
    return tuple(_MARK.split(content))


def marked_scope(mark: bytes) -> LinkScope:
    """The scope of the link that a placeholder stands for."""
    return LinkScope(mark.replace(b"=\r\n", b"").partition(b"/")[0].decode("ascii"))


def in_quoted_printable(path: str) -> bytes:
    """A path with a token, encoded for any place in quoted-printable text; no line is too long (RFC 2045, 6.7)."""
    lines = [path[at : at + _LINE] for at in range(0, len(path), _LINE)]
    return ("=\r\n" + "=\r\n".join(lines) + "=\r\n").encode("ascii")
