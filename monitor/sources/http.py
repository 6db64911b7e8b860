"""HTTP for sources: one session a run, with retries, a limit on the size of answers, and errors in plain words."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING

from monitor.errors import SourceError

if TYPE_CHECKING:
    import requests

PASSING = frozenset({429, 500, 502, 503, 504})  # statuses that may be another one soon
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, at the address where redirects led. Only a 200 has its body read."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes = field(default=b"", repr=False)


class Client:
    """Asks for addresses, one session for all of them.

    `timeout` is (connect, read) in seconds. `retries` counts repeats of a request that failed on the way or was
    answered with a status of `repeated`. `again` says in errors when what may pass is asked for again. Nothing is
    disguised: `user_agent` names the project and a contact.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        timeout: tuple[float, float],
        retries: int,
        again: str,
        repeated: Collection[int] = PASSING,
    ) -> None:
        self._user_agent, self._timeout = user_agent, timeout
        self._retries, self._repeated, self._again = retries, repeated, again

    def get(
        self, url: str, *, max_bytes: int, headers: Mapping[str, str] | None = None, begins: tuple[bytes, ...] = (b"",)
    ) -> Answer:
        """The answer, whatever its status: what a status means is for the caller to say.

        Of a body that begins with none of `begins` only the beginning is taken: it is not what is looked for.
        Raises SourceError where none came, or one without an end.
        """
        import requests
        import urllib3

        deadline = time.monotonic() + 10 * self._timeout[1]
        try:
            with self._session.get(url, headers=headers, timeout=self._timeout, stream=True) as response:
                if response.status_code != HTTPStatus.OK:
                    return Answer(response.url, response.status_code, response.headers)
                content = bytearray()
                for chunk in response.iter_content(_CHUNK):
                    content += chunk
                    if not content.startswith(begins):
                        break
                    if len(content) > max_bytes:
                        raise SourceError(
                            url, f"sends more than {max_bytes:,} bytes, which no real list has; gave up", permanent=True
                        )
                    if time.monotonic() > deadline:
                        raise SourceError(url, f"sends so slowly that it would never end; {self._again}")
                return Answer(response.url, response.status_code, response.headers, bytes(content))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as exc:
            # The latter too: an address whose host has an overlong label comes through requests as urllib3 raised it.
            raise SourceError(url, f"could not be fetched ({_cause(exc)}); {self._again}") from exc

    @cached_property
    def _session(self) -> requests.Session:
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3 import Retry

        session = requests.Session()
        session.headers["User-Agent"] = self._user_agent
        retry = Retry(
            total=self._retries,
            backoff_factor=0.5,
            backoff_jitter=0.5,
            status_forcelist=self._repeated,
            allowed_methods=("GET",),
            raise_on_status=False,
            # Waiting for as long as a server asks is for the caller, who knows whether anybody is served by it.
            respect_retry_after_header=False,
        )
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        return session


def _cause(exc: BaseException) -> str:
    """The innermost cause, which says more than the library's wrapping."""
    while exc.__cause__ or exc.__context__:
        exc = exc.__cause__ or exc.__context__  # type: ignore[assignment]
    return f"{type(exc).__name__}: {exc}"
