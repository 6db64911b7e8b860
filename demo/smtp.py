"""A mail server, on loopback."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from demo.script import Script

__all__ = ["FakeSmtp", "ReceivedMail", "Step"]

Step: TypeAlias = Literal["RCPT", "DATA"]

_HOST = "127.0.0.1"
_HANG_UP = "HANG UP"


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail that was taken: its envelope, the message in it, and the bytes as sent.

    `message` has lines that end in "\\n", as a reader of mail sees them; `raw` has them as sent.
    """

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes


class FakeSmtp:
    """A mail server that takes everything into `smtp.messages`, or is told what to refuse.

    Served at `smtp.host`, `smtp.port` for as long as its `with` block lasts. What goes wrong goes
    on until `accepts()`, unless `times` says how often. `on_taken` is called when a mail was taken,
    before that is said.
    """

    def __init__(self, on_taken: Callable[[], None] = lambda: None) -> None:
        self.messages: list[ReceivedMail] = []
        self._on_taken = on_taken
        self._script: Script[str] = Script()
        self._port: int | None = None
        self._held: socket.socket | None = None
        self._controller: _Controller | None = None

    @property
    def host(self) -> str:
        """The address it listens on."""
        return _HOST

    @property
    def port(self) -> int:
        """The port it listens on; the same one after it was down."""
        if self._port is None:
            raise RuntimeError("FakeSmtp is served inside its `with` block only")
        return self._port

    def accepts(self) -> None:
        """Take every mail: forget what was to go wrong."""
        self._script.forget()

    def refuses(self, reply: str, to: str | None = None, at: Step = "RCPT", times: int | None = None) -> None:
        """Answer `reply` (say "550 5.1.1 no such user") to this recipient, or to all.

        At RCPT the recipient alone is refused, at DATA the mail that goes to them.
        """
        self._script.tell((at, to and to.lower()), reply, times=times)

    def breaks_after_data(self, times: int | None = 1) -> None:
        """Take the next mails and hang up before saying so."""
        self._script.tell(_HANG_UP, _HANG_UP, times=times)

    def goes_down(self) -> None:
        """Close every connection and listen no more: connecting is refused."""
        assert self._controller is not None, "it is down already"
        self._controller.stop()
        self._controller = None
        self._held = _bound(self.port)

    def comes_back(self) -> None:
        """Listen again, on the same port."""
        assert self._held is not None, "it is not down"
        self._controller = _Controller(_Conversation(self._script, self.messages, self._on_taken), self._held)
        self._held = None  # the listening socket from here on, and closed with it
        self._controller.start()

    def __enter__(self) -> Self:
        self._held = _bound(0)
        self._port = self._held.getsockname()[1]
        self.comes_back()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._controller is not None:
            self.goes_down()
        if self._held is not None:
            self._held.close()
        self._held = self._port = None


class _Conversation:
    """aiosmtpd's hooks: each returns the reply to the command it is named after."""

    def __init__(self, script: Script[str], messages: list[ReceivedMail], on_taken: Callable[[], None]) -> None:
        self._script = script
        self._messages = messages
        self._on_taken = on_taken

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self._script.next(("RCPT", address.lower()), ("RCPT", None))
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        recipients = tuple(envelope.rcpt_tos)
        scopes = [("DATA", recipient.lower()) for recipient in recipients]
        refusal = self._script.next(*scopes, ("DATA", None))
        if refusal is not None:
            return refusal
        raw = envelope.content
        assert isinstance(raw, bytes)
        message = email.message_from_bytes(raw.replace(b"\r\n", b"\n"), policy=email.policy.default)
        self._messages.append(ReceivedMail(envelope.mail_from or "", recipients, message, raw))
        self._on_taken()
        if self._script.next(_HANG_UP):
            assert server.transport is not None
            server.transport.close()  # what is returned below goes nowhere
        return "250 OK"


class _Controller(Controller):
    """aiosmtpd in a thread, on a socket that is bound already.

    Its own way to a port of its choosing, port 0, fails: it then connects to port 0 to see whether
    it is up.
    """

    def __init__(self, conversation: _Conversation, bound: socket.socket) -> None:
        host, port = bound.getsockname()
        self._bound = bound
        # Without a name of its own it asks the resolver for this machine's, beyond loopback.
        super().__init__(conversation, hostname=host, port=port, server_hostname="localhost")

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._bound)


def _bound(port: int) -> socket.socket:
    """A socket that holds the port without listening, so that no other test is given it."""
    # asyncio turns Nagle off only where the protocol is named; each EHLO took 40 ms without.
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((_HOST, port))
    return held
