"""What every command is given: the settings, the clock, and what follows a check."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeAlias

if TYPE_CHECKING:
    from monitor.settings import Settings

# What other packages do once a check has been recorded; monitor does not know who they are. Each returns whether
# something new needs a person. It comes as a function that fetches it, so that it is imported when there is time.
AfterCheck: TypeAlias = "Callable[[], Callable[[Settings, datetime], bool]]"

# What other packages say of how things stand: a line each of what needs a person. It comes as a function, as above.
Standing: TypeAlias = "Callable[[], Callable[[Settings], Sequence[str]]]"


class Rebuilder(Protocol):
    """What another package does so that its tables go along when a state.db is rebuilt."""

    def ready(self, old: Path) -> None:
        """Raise MonitorError where the old file cannot be left now."""

    def carry(self, old: Path, new: Path, *, named: Path) -> None:
        """Take over what is not derived from the lists; `new` takes the name `named` once it is finished."""


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    NEEDS_A_PERSON = 1  # done, but something new waits for a decision
    COULD_NOT = 2


@dataclass
class Context:
    """Click's `ctx.obj`. A command reads the clock once, as `now`; only what runs on and on is given `clock` itself."""

    clock: Callable[[], datetime]
    config: Path | None = None
    state: Path | None = None
    after_check: list[AfterCheck] = field(default_factory=list)
    rebuilders: list[Callable[[], Rebuilder]] = field(default_factory=list)
    standings: list[Standing] = field(default_factory=list)

    @cached_property
    def now(self) -> datetime:
        return self.clock()

    @cached_property
    def settings(self) -> Settings:
        from monitor.settings import load

        return load(self.config, self.state)

    def follow_up(self) -> bool:
        """Do what follows a check: tell subscribers. Whether something new needs a person."""
        return sum(load()(self.settings, self.now) for load in self.after_check) > 0

    def end(self, how: Exit) -> NoReturn:
        sys.exit(how)
