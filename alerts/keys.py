"""The key of this installation, and what is made with it: hashes of addresses and tokens that nobody else can try out.

It lies in a file beside state.db (`state.db.key`), made when it is first needed; or it is `delivery.key` in the
settings. Whoever loses it loses who must not be written to, and the links that were sent to be confirmed.
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
        """By which an address is known that must not be written to; mail addresses however they are capitalised."""
        return self._hash("address", channel, address.lower() if channel is ChannelName.EMAIL else address)

    def of_token(self, token: str) -> bytes:
        """By which a token is known."""
        return self._hash("token", token)

    def derived(self, purpose: str) -> bytes:
        """A key for another purpose, from which this one cannot be told."""
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
    """Where the key of a state.db lies."""
    return state.with_name(f"{state.name}.key")


def new_token() -> str:
    """A token that nobody can guess, fit for an address on the web."""
    return secrets.token_urlsafe(_BYTES)


def _read_or_make(path: Path) -> bytes:
    if not path.exists():
        # Whole from the first moment, whoever else makes one now: a link fails where there is one already.
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
