"""Hands messages to a mail server over SMTP, on one connection a run."""

from __future__ import annotations

import re
import smtplib
import ssl
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import TYPE_CHECKING, Never

from alerts.addresses import sender_address, sender_domain
from alerts.masking import without_addresses
from alerts.model import Delivery, Taken
from monitor.errors import ChannelError, SettingsError

if TYPE_CHECKING:
    from monitor.config import MailSettings

# The default folds a long List-Unsubscribe into an encoded word, which no mail program can follow (RFC 5322, 2.1.1
# allows 998).
_POLICY = SMTP.clone(max_line_length=998)

_CLOSING = 421  # whatever the command was (RFC 5321, 3.8)
_TOO_LARGE = 552  # the one refusal at MAIL that is about the message, not about us (RFC 1870)


def composed(delivery: Delivery, sender: str) -> EmailMessage:
    """The mail: text and HTML side by side, the same every time it is sent."""
    name, address = parseaddr(sender)
    domain = sender_domain(sender)
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = delivery.address
    mail["Subject"] = delivery.message.subject
    mail["Date"] = delivery.created_at
    mail["Message-ID"] = delivery.message_id
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies, please
    mail["List-Id"] = f"<agreement-monitor.{domain}>"
    mail["List-Unsubscribe"] = f"<mailto:{address}?subject=unsubscribe>"
    mail.set_content(delivery.message.text, cte="quoted-printable")
    mail.add_alternative(delivery.message.html, subtype="html", cte="quoted-printable")
    mail.set_boundary(f"=_{delivery.id}")  # in quoted-printable, "=_" stands for nothing
    return mail


class MailChannel:
    """Sends mail one by one; connects when there is something to send."""

    def __init__(self, settings: MailSettings) -> None:
        if not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", sender_address(settings.sender)):
            raise SettingsError(f"mail.sender: {settings.sender!r} is no mail address; mend it")
        self._settings = settings
        self._connection: smtplib.SMTP | None = None
        self._silent = ""  # why the server counts as out of reach in this run

    interval = timedelta()

    def send(self, delivery: Delivery) -> Taken:
        """Send a mail. Raises ChannelError, whose text names no address."""
        if self._silent:
            raise ChannelError(self._silent, permanent=False)
        content = composed(delivery, self._settings.sender).as_bytes()
        kept = self._connection is not None
        try:
            self._send(self._connection or self._connect(), delivery.address, content)
        except _Unsent:
            self._drop()
            if not kept:
                raise
            # Servers end a connection after so many messages. Nothing of this one was handed over yet.
            self._send(self._connect(), delivery.address, content)
        return Taken()

    def reachable(self, address: str) -> bool:
        """Whether the mail server has answered so far."""
        return not self._silent

    def close(self) -> None:
        """Take leave of the server."""
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

    def _give_up(self, why: str, exc: Exception | None = None) -> Never:
        """The server is of no use in this run: the other messages need not wait for it one after another."""
        self._silent = why
        self._drop()
        raise ChannelError(why, permanent=False) from exc

    def _send(self, connection: smtplib.SMTP, address: str, content: bytes) -> None:
        """One mail, step by step, since what a failure means depends on the step."""
        sender = sender_address(self._settings.sender)
        size = [f"size={len(content)}"] if connection.has_extn("size") else []
        try:
            self._expect("sender", connection.mail(sender, size))
            self._expect("recipient", connection.rcpt(address))
        except (OSError, smtplib.SMTPException) as exc:
            self._mind_the_time(exc)
            raise _Unsent(f"the mail server broke off: {_said(exc)}", permanent=False) from exc
        try:
            self._expect("message", connection.data(content))
        except smtplib.SMTPDataError as exc:
            self._expect("message", (exc.smtp_code, _bytes(exc.smtp_error)))
        except (OSError, smtplib.SMTPException) as exc:
            # It may have been taken all the same. Under its Message-ID it goes out again.
            self._mind_the_time(exc)
            self._drop()
            raise ChannelError(f"the mail server broke off: {_said(exc)}", permanent=False) from exc

    def _mind_the_time(self, exc: Exception) -> None:
        # smtplib wraps a time-out while it reads into "Connection unexpectedly closed".
        if isinstance(exc, TimeoutError) or isinstance(exc.__context__, TimeoutError):
            self._give_up("the mail server did not answer in time", exc)

    def _expect(self, step: str, reply: tuple[int, bytes]) -> None:
        """Raises unless a reply is a yes. 4xx: tried again; 5xx: not (RFC 5321, 4.2.1), unless it is about us."""
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
        raise ChannelError(what, permanent=code >= 500)

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
    """The connection ended before anything of the message was handed over."""


def _said(exc: Exception) -> str:
    if isinstance(exc, smtplib.SMTPResponseException):
        return f"{exc.smtp_code} {without_addresses(_bytes(exc.smtp_error).decode('utf-8', 'replace'))}"
    return without_addresses(getattr(exc, "strerror", None) or str(exc)) or type(exc).__name__


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
