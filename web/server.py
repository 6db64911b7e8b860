"""Serves the pages over HTTP until the process is told to stop."""

from __future__ import annotations

import errno
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from types import FrameType
from typing import NoReturn

from flask import Flask
from waitress.server import create_server

from monitor.errors import SettingsError
from monitor.settings import Settings
from web.app import create_app

# Each holds one reader of the log; a page takes milliseconds.
THREADS = 4
MAX_REQUEST_BYTES = 65_536  # requests for pages, and small forms
IDLE_SECONDS = 60
# Pages that between them need all that a process makes once a publication.
WARM_UP = ("/", "/over-time", "/map", "/search?q=county")


def serve_forever(
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    ready: Callable[[str], None],
    host: str | None = None,
    port: int | None = None,
    any_port: bool = False,
) -> None:
    """Serve the change log on this, the main thread, until SIGINT or SIGTERM; then return.

    `host` and `port` are those of the settings unless given; `any_port` takes another port where that one is in use.
    `ready` is called with the address of the front page once requests are answered. Raises SettingsError where the
    address is not available.
    """
    host = settings.web.host if host is None else host
    port = settings.web.port if port is None else port
    listening = _bind(host, port, any_port)
    with listening, _stop_on_sigterm():
        app = create_app(settings, clock)
        _warm_up(app)
        server = create_server(
            app,
            sockets=[listening],
            threads=THREADS,
            ident="",
            max_request_body_size=MAX_REQUEST_BYTES,
            channel_timeout=IDLE_SECONDS,
            # The application reads the headers of trusted proxies; without any, such headers are dropped.
            clear_untrusted_proxy_headers=settings.forms.trusted_proxies == 0,
        )
        with suppress(KeyboardInterrupt):  # before `run`, which handles it itself
            ready(_address(host, listening.getsockname()[1]))
            server.run()
        server.close()


def _warm_up(app: Flask) -> None:
    """Compile the templates, count the numbers and join the agencies before the first request.

    What is made here stays for good, so the garbage collector is told to leave it alone. Errors are ignored: a log that
    cannot be read yet is reported to those who ask for a page.
    """
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)
    for address in WARM_UP:
        app.test_client().get(address).close()
    gc.collect()
    gc.freeze()


def _bind(host: str, port: int, any_port: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE and any_port:
            return socket.create_server((host, 0), family=family)
        if exc.errno == errno.EADDRINUSE:
            what = "is in use; stop what uses it, or choose another: web.port in the settings, --port of `serve`"
        else:
            what = f"cannot be served on ({exc.strerror}); see web.host and web.port in the settings"
        raise SettingsError(f"port {port} of {host} {what}") from exc


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _stop_on_sigterm() -> Iterator[None]:
    """Let SIGTERM (a service manager's "stop") do what Ctrl-C does."""

    def stop(signum: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
