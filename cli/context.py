"""The object that every command gets: the settings and the clock."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from monitor.settings import Settings


class ExitStatus(IntEnum):
    """How a command ended."""

    DONE = 0
    NEEDS_A_PERSON = 1  # done, but something new waits for a decision
    COULD_NOT = 2


@dataclass
class Context:
    """Click's `ctx.obj`. A command reads the clock once, as `now`; only what runs until stopped gets `clock` itself."""

    clock: Callable[[], datetime]
    config: Path | None = None
    state: Path | None = None

    @cached_property
    def now(self) -> datetime:
        return self.clock()

    @cached_property
    def settings(self) -> Settings:
        # 0.07 s, for which `--help` and the start of a reading process do not wait.
        from cli.logging import configure
        from monitor.settings import load

        settings = load(self.config, self.state)
        configure(settings.log)
        return settings

    def end(self, status: ExitStatus) -> NoReturn:
        sys.exit(status)
