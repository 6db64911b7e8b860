"""The secret key of this installation, and hashes of addresses and tokens made with it.

It is in a file beside state.db (`state.db.key`), made when it is first needed, or in `delivery.key` of the settings.
Without it, suppressed addresses are no longer recognized, and links that were sent for confirmation no longer work.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from alerts.model import ChannelName
from monitor.errors import StateUnusable

if TYPE_CHECKING:
    from monitor.settings import Settings

_BYTES = 32


class Keys:
    """Makes hashes with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of_address(self, channel: ChannelName, address: str) -> bytes:
        """The hash under which an address is suppressed; of a mail address, regardless of case."""
        return self._hash("address", channel, address.lower() if channel is ChannelName.EMAIL else address)

    def of_token(self, token: str) -> bytes:
        """The hash under which a token is stored."""
        return self._hash("token", token)

    def derived(self, purpose: str) -> bytes:
        """A key for another purpose, from which this one cannot be computed."""
        return self._hash("key", purpose)

    def _hash(self, *parts: str) -> bytes:
        return hmac.digest(self._key, "\0".join(parts).encode(), hashlib.sha256)


def open_keys(settings: Settings) -> Keys:
    """The key from the settings, or from the file beside state.db. Raises StateUnusable."""
    if given := settings.delivery.key.get_secret_value():
        return Keys(given.encode())
    path = key_file(settings.state)
    try:
        return Keys(_read_or_make(path))
    except OSError as exc:
        raise StateUnusable(path, f"cannot be read or made ({exc.strerror}); mend the file or its folder") from exc


def key_file(state: Path) -> Path:
    """The key file of a state.db."""
    return state.with_name(f"{state.name}.key")


def new_token() -> str:
    """A random token for use in a URL and on a command line: without a "-", which would look like an option there."""
    return secrets.token_hex(_BYTES)


def _read_or_make(path: Path) -> bytes:
    if not path.exists():
        # The file appears complete, and only once if several processes make it: `hardlink_to` fails if it exists.
        descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # only the owner may read it
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_BYTES))
                file.flush()
                os.fsync(file.fileno())
            Path(path).hardlink_to(made)
        except FileExistsError:
            pass
        finally:
            Path(made).unlink()
    key = path.read_bytes()
    if len(key) < _BYTES:
        raise StateUnusable(path, f"is no key: it has fewer than {_BYTES} bytes; put the right file there")
    return key
