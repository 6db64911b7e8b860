"""What a run that is killed at each point in turn loses and repeats, beside the two ways that everybody writes first.

Every commit, and before each message, when it was taken, and when the reply was read; with a real mail server and real
webhooks on this machine.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.measure import Figure
from tests.alerts.crashes import ChannelUnderTest, Verdict, crashes

READERS = 4
CASES: tuple[tuple[str, ChannelUnderTest, int], ...] = (
    ("ours", "mail", READERS),
    ("ours", "slack", READERS),
    ("ours", "digests by mail", READERS),
    ("ours", "thread by bot", 2),
    ("ours in tens", "mail", 13),
    ("ours in tens", "digests by mail", 13),
    ("mark before send", "mail", READERS),
    ("mark before send", "slack", READERS),
    ("checkpoint at fetch", "mail", READERS),
    ("checkpoint at fetch", "slack", READERS),
    ("mark before send", "digests by mail", READERS),
    ("checkpoint at fetch", "digests by mail", READERS),
)


def figures() -> Iterator[Figure]:
    """For each way and channel: at how many points it was killed, what was lost, and the most that came again."""
    for how, channel, readers in CASES:
        with crashes(how, channel, readers) as made:
            verdicts = [made.killed_at(point) for point in made.points()]
        is_ours = how.startswith("ours")
        yield Figure(f"{how}, {channel}: points", str(len(verdicts)))
        yield Figure("    messages lost at any of them", str(_lost(verdicts)), "0" if is_ours else "caught: > 0")
        most = max(verdict.repeated for verdict in verdicts)
        yield Figure("    most messages that came again", str(most), "10" if how == "ours in tens" else "1")
        if is_ours:
            strange = sum(not verdict.same_ids for verdict in verdicts)
            yield Figure("    of those, points at which under another id", str(strange), "0")
        if channel == "thread by bot":
            stray = sum(not verdict.threaded for verdict in verdicts)
            yield Figure("    points at which a part stands outside its thread", str(stray), "0")


def _lost(verdicts: list[Verdict]) -> int:
    return sum(len(verdict.lost) for verdict in verdicts)


if __name__ == "__main__":
    for figure in figures():
        print(f"{figure.what:<60} {figure.value:>6}  {figure.bound}", flush=True)
