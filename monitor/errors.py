"""Every error of the project, in one tree.

    MonitorError
    ├── SettingsError            a setting is missing or wrong                       → fix the settings
    ├── StateError               state.db cannot be used
    │   ├── StateTooNew          written by a newer version                          → upgrade
    │   ├── StateUnusable        not a database, read-only, no space                 → fix the file or folder
    │   └── StateBusy            another process is running on it                    → wait, or stop the other
    ├── SourceError              the source did not give what was asked; `permanent` says whether trying again helps
    ├── NotFound                 nothing has this id                                 → a list of ids
    ├── NotPossible              what an operator asks for cannot be done             → what can
    ├── ManifestError            a replay folder's manifest cannot be followed
    ├── EditionUnusable          the folder cannot be published into                 → another folder
    ├── WorkbookError            the bytes are not a workbook that can be read safely
    │   └── LayoutChanged        a workbook, but not with the columns of a list
    └── ChannelError             a message could not be handed over; `permanent`, `retry_after` (seconds)

Each keeps what it is about as fields, and its text says what happened, to what, and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable


class MonitorError(Exception):
    """Something that the person who runs the service can understand and mend."""


class SettingsError(MonitorError):
    """A setting is missing or has a value that cannot be used."""


class StateError(MonitorError):
    """state.db cannot be used; nothing was written."""

    def __init__(self, path: object, what: str) -> None:
        self.path = path
        super().__init__(f"{path}: {what}")


class StateTooNew(StateError):
    """state.db holds migrations that this version does not know."""


class StateUnusable(StateError):
    """state.db is no database, cannot be written, or its disk is full."""


class StateBusy(StateError):
    """Another process holds state.db, or runs the scheduler on it."""


class SourceError(MonitorError):
    """The source did not answer, or not with what was asked for.

    `permanent` is true where asking again soon will not help (a 403, say); a 404 of a workbook that the page
    has just named is not: ICE links workbooks minutes before they can be had.
    """

    def __init__(self, url: str, what: str, *, permanent: bool = False, status: int | None = None) -> None:
        self.url, self.permanent, self.status = url, permanent, status
        super().__init__(f"{url}: {what}")


class NotFound(MonitorError):
    """Nothing has the id that was asked for."""

    def __init__(self, id: str, where: str) -> None:
        self.id = id
        super().__init__(f"{id}: nothing has this id; {where}")


class NotPossible(MonitorError):
    """What was asked of the thing with this id cannot be done; nothing was written."""

    def __init__(self, id: str, what: str) -> None:
        self.id = id
        super().__init__(f"{id} {what}")


class ManifestError(MonitorError):
    """The manifest of a replay folder cannot be followed."""

    def __init__(self, path: object, what: str) -> None:
        self.path = path
        super().__init__(f"{path}: {what}")


class EditionUnusable(MonitorError):
    """The folder of a published edition cannot be written, or holds something else."""

    def __init__(self, path: object, what: str) -> None:
        self.path, self.what = path, what
        super().__init__(f"{path}: {what}")


class WorkbookError(MonitorError):
    """The bytes are not a workbook that can be read within the limits."""

    def __init__(self, what: str, *, url: str = "") -> None:
        self.what, self.url = what, url
        super().__init__(f"{url}: {what}" if url else what)


class LayoutChanged(WorkbookError):
    """A workbook in which no sheet has the columns of a list."""

    def __init__(self, missing: Iterable[str], *, url: str = "") -> None:
        self.missing = tuple(sorted(missing))
        super().__init__(
            f"no sheet has the columns of a list; the nearest lacks {', '.join(self.missing)}",
            url=url,
        )


class ChannelError(MonitorError):
    """A message could not be handed to a channel.

    `permanent`: sending the same again will not help. `retry_after`: seconds that the other side asked for. `gone`: the
    address will never take a message again. `maybe_sent`: it may have been taken all the same.
    """

    def __init__(
        self,
        what: str,
        *,
        permanent: bool,
        retry_after: float | None = None,
        gone: bool = False,
        maybe_sent: bool = False,
    ) -> None:
        self.permanent, self.retry_after, self.gone, self.maybe_sent = permanent, retry_after, gone, maybe_sent
        super().__init__(what)
