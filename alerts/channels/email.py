"""Sends mail over SMTP, on one connection for a run."""

from __future__ import annotations

import hashlib
import re
import smtplib
import ssl
from datetime import datetime, timedelta
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from functools import lru_cache
from typing import TYPE_CHECKING, Never

from alerts.addresses import sender_address, sender_domain
from alerts.links import Links, LinkScope, around_marks, in_quoted_printable, marked_scope
from alerts.masking import without_addresses
from alerts.model import Accepted, Delivery, Message
from alerts.sanitize import clean
from monitor.errors import ChannelError, SettingsError

if TYPE_CHECKING:
    from monitor.settings import MailSettings

# The default folds a long List-Unsubscribe into an encoded word, which no mail program can follow (RFC 5322, 2.1.1
# allows 998).
_POLICY = SMTP.clone(max_line_length=998)

_CLOSING = 421  # whatever the command was (RFC 5321, 3.8)
_TOO_LARGE = 552  # the one refusal at MAIL that is about the message, not about us (RFC 1870)


# An address that `addresses.mail_address` accepts: nothing in it can end a header or a command (RFC 5321, 4.1.2).
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")

# Status codes for an address that will never take mail (RFC 3463, 3.2; RFC 7505, 3): bad mailbox, bad system, bad
# mailbox syntax, mailbox moved without a new address, domain without mail.
_GONE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
_ENHANCED = re.compile(r"\s*(5\.\d{1,3}\.\d{1,3})\b")


def composed(delivery: Delivery, sender: str, links: Links | None = None) -> bytes:
    """The bytes of the mail: text and HTML, with the subscriber's own `links`; the same for every attempt.

    Raises ChannelError for an address that is not valid in a mail.
    """
    if not _PLAIN_ADDRESS.fullmatch(delivery.address):
        raise ChannelError("this is no mail address as it is stored; remove the watch and add it anew", permanent=True)
    own = [("To", delivery.address), ("Message-ID", delivery.message_id)]
    if delivery.answers:
        # Mail programs show the correction below the mail that it corrects (RFC 5322, 3.6.4).
        own += [(name, delivery.answers.message_id) for name in ("In-Reply-To", "References")]
    pieces = _shared(delivery.message, delivery.created_at, sender)
    page = ""
    if links and len(pieces) > 1:  # only mails for a watch have links
        own_path = {s: f"{s}/{links.token(s, delivery.subscriber, delivery.created_at)}" for s in LinkScope}
        pieces = tuple(
            in_quoted_printable(own_path[marked_scope(piece)]) if at % 2 else piece for at, piece in enumerate(pieces)
        )
        page = links.one_click_page(own_path[LinkScope.STOP])
    own += unsubscribe_headers(sender_address(sender), page).items()
    head = "".join(f"{name}: {value}\r\n" for name, value in own)
    return head.encode("ascii") + b"".join(pieces)


@lru_cache(maxsize=32)
def _shared(message: Message, at: datetime, sender: str) -> tuple[bytes, ...]:
    """What is the same for all who get this message, cut at the placeholders for links.

    Cached, since composing takes longer than sending.
    """
    name, address = parseaddr(sender)
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(clean(name), addr_spec=address)
    mail["Date"] = at
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies, please
    mail["List-Id"] = f"<agreement-monitor.{sender_domain(sender)}>"
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    digest = hashlib.sha256(f"{message.text}\0{message.html}".encode()).hexdigest()
    mail.set_boundary(f"=_{digest[:24]}")  # "=_" never occurs in quoted-printable
    headers, blank, body = mail.as_bytes().partition(b"\r\n\r\n")
    subject = f"Subject: {_in_header(clean(message.subject))}\r\n".encode("ascii")
    text, *rest = around_marks(body)  # never in a header, whatever a workbook says
    return subject + headers + blank + text, *rest


def _in_header(text: str) -> str:
    """One line of text, encoded for a header (RFC 2047).

    Not left to EmailMessage, which would decode `=?utf-8?q?=0D=0ABcc:…?=` in the text and write another header.
    """
    if text.isascii() and text.isprintable() and "=?" not in text:
        return text
    return Header(text, "utf-8", header_name="Subject").encode(linesep="\r\n")


def unsubscribe_headers(address: str, page: str = "") -> dict[str, str]:
    """The headers with which mail programs unsubscribe: by a mail to `address`, or by a POST to `page` if given.

    RFC 2369, 3.2; RFC 8058, 3.1.
    """
    by_mail = f"<mailto:{address}?subject=unsubscribe>"
    if not page:
        return {"List-Unsubscribe": by_mail}
    return {"List-Unsubscribe": f"<{page}>, {by_mail}", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


class MailChannel:
    """Sends mails one by one; connects with the first."""

    def __init__(self, settings: MailSettings, links: Links | None = None) -> None:
        self._settings, self._links = settings, links
        self._sender = sender_address(settings.sender)
        if not _PLAIN_ADDRESS.fullmatch(self._sender):
            raise SettingsError(f"mail.sender: {settings.sender!r} is no mail address; mend it")
        self._connection: smtplib.SMTP | None = None
        self._silent = ""  # why the server is not tried again in this run

    interval = timedelta()

    def send(self, delivery: Delivery) -> Accepted:
        """Send a mail. Raises ChannelError, whose text names no address."""
        if self._silent:
            raise ChannelError(self._silent, permanent=False)
        content = composed(delivery, self._settings.sender, self._links)
        kept = self._connection is not None
        try:
            self._send(self._connection or self._connect(), delivery.address, content)
        except _Unsent:
            self._drop()
            if not kept:
                raise
            # Servers end a connection after some number of messages. Nothing of this one was sent yet.
            self._send(self._connect(), delivery.address, content)
        return Accepted()

    def reachable(self, address: str) -> bool:
        """Whether the mail server has answered so far."""
        return not self._silent

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            try:
                self._connection.quit()
            except (OSError, smtplib.SMTPException):
                self._connection.close()
            self._connection = None

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        # Without a name of its own smtplib asks the resolver for this machine's, which can take a minute.
        domain = sender_domain(settings.sender)
        name = domain if "." in domain else "localhost"
        try:
            if settings.security == "tls":
                connection: smtplib.SMTP = smtplib.SMTP_SSL(
                    settings.host,
                    settings.port,
                    name,
                    timeout=settings.timeout,
                    context=ssl.create_default_context(),
                )
            else:
                connection = smtplib.SMTP(settings.host, settings.port, name, timeout=settings.timeout)
            self._connection = connection
            if settings.security == "starttls":
                connection.starttls(context=ssl.create_default_context())
            if settings.user:
                connection.login(settings.user, settings.password.get_secret_value())
            connection.ehlo_or_helo_if_needed()
        except smtplib.SMTPAuthenticationError as exc:
            self._give_up("the mail server refused the login; mend mail.user and mail.password", exc)
        except smtplib.SMTPNotSupportedError as exc:
            self._give_up(f"the mail server does not offer what mail.security and mail.user ask for ({exc})", exc)
        except (OSError, smtplib.SMTPException) as exc:
            self._give_up(f"the mail server could not be reached: {_said(exc)}", exc)
        return connection

    def _give_up(self, why: str, exc: Exception | None = None, *, maybe_sent: bool = False) -> Never:
        """Do not try the server again in this run, so that the other messages need not wait for it one by one."""
        self._silent = why
        self._drop()
        raise ChannelError(why, permanent=False, maybe_sent=maybe_sent) from exc

    def _send(self, connection: smtplib.SMTP, address: str, content: bytes) -> None:
        """Send one mail, command by command, since the meaning of a failure depends on the command."""
        size = [f"size={len(content)}"] if connection.has_extn("size") else []
        try:
            self._expect("sender", connection.mail(self._sender, size))
            self._expect("recipient", connection.rcpt(address))
        except (OSError, smtplib.SMTPException) as exc:
            self._mind_the_time(exc)
            raise _Unsent(f"the mail server broke off: {_said(exc)}", permanent=False) from exc
        try:
            self._expect("message", connection.data(content))
        except smtplib.SMTPDataError as exc:
            self._expect("message", (exc.smtp_code, _bytes(exc.smtp_error)))
            # It accepted before there was a message. Nothing was sent, and later replies would be out of step.
            self._drop()
            raise ChannelError(f"the mail server did not ask for the message: {_said(exc)}", permanent=False) from exc
        except (OSError, smtplib.SMTPException) as exc:
            # It may have been accepted. It is sent again under the same Message-ID.
            self._mind_the_time(exc, maybe_sent=True)
            self._drop()
            raise ChannelError(f"the mail server broke off: {_said(exc)}", permanent=False, maybe_sent=True) from exc

    def _mind_the_time(self, exc: Exception, *, maybe_sent: bool = False) -> None:
        # smtplib wraps a time-out while it reads into "Connection unexpectedly closed".
        if isinstance(exc, TimeoutError) or isinstance(exc.__context__, TimeoutError):
            self._give_up("the mail server did not answer in time", exc, maybe_sent=maybe_sent)

    def _expect(self, step: str, reply: tuple[int, bytes]) -> None:
        """Raise ChannelError unless a reply is positive. 5xx is not tried again (RFC 5321, 4.2.1), unless about us."""
        code, text = reply
        if 200 <= code < 300:
            return
        said = without_addresses(text.decode("utf-8", "replace"))
        what = f"the mail server refused the {step}: {code} {said}"
        if code == _CLOSING:
            raise _Unsent(what, permanent=False)
        self._reset()
        if step == "sender" and code != _TOO_LARGE:
            self._give_up(f"{what}; mend mail.sender, or mail.user and mail.password")
        enhanced = _ENHANCED.match(text.decode("ascii", "replace"))
        gone = code >= 500 and enhanced is not None and enhanced[1] in _GONE
        raise ChannelError(what, permanent=code >= 500, gone=gone)

    def _reset(self) -> None:
        try:
            if self._connection is not None:
                self._connection.rset()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Unsent(ChannelError):
    """The connection ended before anything of the message was sent."""


def _said(exc: Exception) -> str:
    if isinstance(exc, smtplib.SMTPResponseException):
        return f"{exc.smtp_code} {without_addresses(_bytes(exc.smtp_error).decode('utf-8', 'replace'))}"
    return without_addresses(getattr(exc, "strerror", None) or str(exc)) or type(exc).__name__


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
