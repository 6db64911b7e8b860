"""What a fake was told to do next."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Act = TypeVar("Act")


@dataclass(slots=True)
class _Line(Generic[Act]):
    act: Act
    left: int | None


class Script(Generic[Act]):
    """The acts a fake was told to perform, in the order it was told, each for a scope.

    An act told with `times` is performed that often and then makes room for the next. An act
    told without lasts until something else is told for the same scope, so that no act is ever
    out of reach behind another. Scopes (a path, a recipient, a step) do not disturb each other.

    Safe to use from the test's thread and from the server's threads at once.
    """

    def __init__(self) -> None:
        self._lines: dict[Hashable, deque[_Line[Act]]] = {}
        self._lock = threading.Lock()

    def tell(self, scope: Hashable, act: Act, *, times: int | None = None) -> None:
        """Perform `act` in `scope`, `times` times or until told otherwise."""
        if times is not None and times < 1:
            raise ValueError(f"times must be 1 or more, not {times}")
        with self._lock:
            lines = self._lines.setdefault(scope, deque())
            if lines and lines[-1].left is None:
                lines.pop()
            lines.append(_Line(act, times))

    def next(self, *scopes: Hashable) -> Act | None:
        """Return the act that is due in the first of `scopes` that has one; None if none has."""
        with self._lock:
            for scope in scopes:
                lines = self._lines.get(scope)
                if not lines:
                    continue
                line = lines[0]
                if line.left is not None:
                    line.left -= 1
                    if line.left == 0:
                        lines.popleft()
                return line.act
        return None

    def forget(self) -> None:
        """Drop every act: back to normal."""
        with self._lock:
            self._lines.clear()
