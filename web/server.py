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
from typing import TYPE_CHECKING, NoReturn

from monitor.errors import SettingsError

if TYPE_CHECKING:
    from flask import Flask

    from monitor.settings import Settings

# Each holds one reader of the log; a page takes milliseconds.
THREADS = 4
MAX_REQUEST_BYTES = 65_536  # nothing is ever sent here but requests for pages, and small forms
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
    address cannot be had.
    """
    from waitress.server import create_server

    from web.app import create_app

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
            # What proxies of ours say is read by the application; without any, visitors may say nothing.
            clear_untrusted_proxy_headers=settings.forms.trusted_proxies == 0,
        )
        with suppress(KeyboardInterrupt):  # before it runs; once it does, it sees to that itself
            ready(_address(host, listening.getsockname()[1]))
            server.run()
        server.close()


def _warm_up(app: Flask) -> None:
    """Have ready what the first readers would wait for: templates compiled, numbers counted, agencies joined.

    What is there by then stays for good: Python need not look through it for garbage over and over while a page waits.
    A log that cannot be read yet is told to whoever asks for it.
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
