"""The revision of the log, to tell whether anything is new since a page or a file was made."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.storage.log import Log


@dataclass(frozen=True, slots=True)
class Revision:
    """Equal as long as the log and every agreement in it say the same; checks that find nothing do not count."""

    file: int  # a rebuilt log takes the old one's place under its name, and may have as many entries
    entry: int  # the last of the log
    decision: int  # the last about a publication
    act: int  # the last of an operator
    aliases: int  # agreements that proved to be another one

    def __str__(self) -> str:
        """For validators and other marks that leave the process."""
        return f"{self.file:x}-{self.entry}-{self.decision}-{self.act}-{self.aliases}"


def revision(log: Log) -> Revision:
    """The revision of the log now."""
    row = log.state.row(
        "SELECT coalesce((SELECT max(seq) FROM entries), 0) AS entry,"
        " coalesce((SELECT max(id) FROM decisions), 0) AS decision,"
        " coalesce((SELECT max(id) FROM acts), 0) AS act, (SELECT count(*) FROM aliases) AS aliases"
    )
    assert row is not None  # it has no FROM
    return Revision(log.state.path.stat().st_ino, row["entry"], row["decision"], row["act"], row["aliases"])
