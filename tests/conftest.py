"""What every test gets: no network beyond this machine, and golden files."""

import ipaddress
import socket
import sys

import pytest
from hypothesis import settings

import demo  # noqa: F401 - before anything imports openpyxl: it says how that writes
from tests.golden import FOLDER, Golden

# A busy machine is no failure. The rest stays as hypothesis has it, here and under CI.
settings.register_profile("house", settings(), deadline=None)
settings.load_profile("house")

CONNECTIONS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


class NetworkBlocked(Exception):
    """A test reached for an address that is not on this machine.

    Not an OSError: what the service does about a failing network must not swallow it.
    """


def _is_here(host: object) -> bool:
    """Loopback, a wildcard to listen on, or this machine's own name (smtplib asks for it)."""
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name in {"", "localhost", socket.gethostname()}
    return address.is_loopback or address.is_unspecified


def _guard_network(event: str, args: tuple[object, ...]) -> None:
    """Told of every connection and look-up of this process, by any library (PEP 578)."""
    if event in CONNECTIONS:
        connection, address = args
        assert isinstance(connection, socket.SocketType)
        if connection.family not in {socket.AF_INET, socket.AF_INET6}:
            return
        host = address[0] if isinstance(address, tuple) else None
        if not _is_here(host):
            raise NetworkBlocked(f"{event} to {address}: tests stay on this machine")
    elif event in LOOK_UPS and not _is_here(args[0]):
        raise NetworkBlocked(f"{event} of {args[0]}: tests stay on this machine")


sys.addaudithook(_guard_network)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden/ instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """`golden(name, text)` compares a text with `tests/golden/<name>`."""
    return Golden(FOLDER, update=bool(request.config.getoption("--update-golden")))
