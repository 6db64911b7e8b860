"""A real HTTP server on 127.0.0.1, for fakes that decide what it answers.

A fake says *what* to answer (a `Reply`); this file puts it on the wire, breaks included.
"""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_PIECE = bytes(64 * 1024)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked.

    `path` is as sent, query included; `headers` have their names in Title-Case.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


class Ending(Enum):
    """How a reply ends on the wire."""

    WHOLE = auto()
    BREAKS_OFF = auto()
    """The whole length is promised, half of it is sent, the connection closes."""
    NEVER = auto()
    """The body goes on with zeros until the client hangs up or the server stops."""
    UNSAID = auto()
    """The request is read and the connection closes without a byte in return."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answers, after waiting `delay` seconds."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.WHOLE
    delay: float = 0.0


class LoopbackSite(ABC):
    """A site served from 127.0.0.1 on a free port for as long as its `with` block lasts.

    Leaving the block closes every connection and waits for every thread, so that a reply still
    being delayed, or one without an end, does not outlive its test.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._connections = 0
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @abstractmethod
    def reply(self, request: Request) -> Reply:
        """Decide the answer to `request`. Called from one thread a connection."""

    @property
    def connections(self) -> int:
        """How many connections there have been."""
        return self._server.connections if self._server else self._connections

    @property
    def netloc(self) -> str:
        """Where the site is served, as in an address: `127.0.0.1:PORT`."""
        if self._server is None:
            raise RuntimeError(f"{type(self).__name__} is served inside its `with` block only")
        return f"127.0.0.1:{self._server.server_port}"

    def hangs_up(self) -> None:
        """Close every connection that is open, and serve on."""
        assert self._server is not None
        self._server.hang_up()

    def __enter__(self) -> Self:
        self._server = _Server(self._recorded)
        # The poll is how long leaving the block can take; the default of 0.5 s is a slow test.
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name=type(self).__name__,
            daemon=True,
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.stop()
        self._thread.join()
        self._connections = self._server.connections
        self._server = self._thread = None

    def _recorded(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.reply(request)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # server_close() then waits for them
    # More clients at once than the default of 5 would wait a second for the kernel's retry.
    request_queue_size = 64

    def __init__(self, decide: Callable[[Request], Reply]) -> None:
        self.decide = decide
        self.stopping = threading.Event()
        self.connections = 0
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for this machine's name, which may leave loopback.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up is what some tests are about, not an error.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.hang_up()
        self.server_close()

    def hang_up(self) -> None:
        for connection in self._open.copy():
            with suppress(OSError):  # closed meanwhile
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "agreement-monitor-demo", ""
    # Headers and body are two writes; with Nagle the second waits for the client's delayed ACK.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: what was asked is in `requests`."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.title(): value for name, value in self.headers.items()}
        reply = self.server.decide(Request(self.command, self.path, headers, body))
        stopped = reply.delay > 0 and self.server.stopping.wait(reply.delay)
        if stopped or reply.ending is Ending.UNSAID:
            self.close_connection = True
        else:
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        unchanged = reply.status == HTTPStatus.NOT_MODIFIED
        if reply.ending is not Ending.NEVER and not unchanged:
            self.send_header("Content-Length", str(len(reply.body)))
        if reply.ending is not Ending.WHOLE:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD" or unchanged:
            return
        if reply.ending is Ending.BREAKS_OFF:
            self.wfile.write(reply.body[: len(reply.body) // 2])
            return
        self.wfile.write(reply.body)
        while reply.ending is Ending.NEVER and not self.server.stopping.is_set():
            self.wfile.write(_PIECE)
