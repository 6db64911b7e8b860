"""Pure: is a publication the list that it claims to be, and is it plausible? Accept it, or hold it with reasons.

A held publication reaches neither the log nor a subscriber. Structural holds wait for an operator; plausibility holds
release themselves once ICE has stood by what it published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.model import HeldPublication, Hold, Listing, ListName, Matching


class Doubt(StrEnum):
    """Why a publication is not plausible: the first word of the reason that an operator reads."""

    GONE = "Too many rows gone"
    UNKNOWN_STATES = "Too many unknown states"
    REPEATED = "Too many repeated rows"
    SERVED_AGAIN = "An earlier workbook served again"


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a publication is not plausible (shares of 1; counts of rows), and how long a hold lasts."""

    gone_share: float = 0.10
    gone_rows: int = 20
    odd_share: float = 0.05
    odd_rows: int = 10
    agreeing_publications: int = 2
    release_after: timedelta = timedelta(hours=48)
    release_served_again_after: timedelta = timedelta(hours=24)


def structure(asked: ListName, columns_of: ListName, listings: Sequence[Listing]) -> Hold | None:
    """Hold what cannot be the list that was linked.

    22 September 2025: ICE swapped the two workbooks; a thousand agreements "left" and 42 applications "joined".
    An empty participating list would end every agreement at once; an empty pending list is normal.
    """
    if columns_of is not asked:
        return Hold(
            (f"The workbook linked as the {asked} list has the columns of the {columns_of} list.",),
            structural=True,
        )
    if asked is ListName.PARTICIPATING and not listings:
        return Hold(("The participating list is empty.",), structural=True)
    return None


def plausibility(matching: Matching, before: int, *, served_before: bool, limits: Limits) -> Hold | None:
    """Hold a participating publication that would say too much at once. `before`: rows of the one before.

    Judged after matching: what counts as gone is what continues nowhere, however many cells were rewritten.
    """
    gone = len(matching.gone)
    now = matching.rows
    shown = [m.new for m in (*matching.matches, *matching.spares)]
    shown += [*matching.came, *(second for second, _ in matching.twins)]
    unknown = sum(listing.values.state is None for listing in shown)
    reasons = []
    if served_before:
        reasons.append(f"{Doubt.SERVED_AGAIN}: its bytes were published before, and replaced since.")
    if gone >= limits.gone_rows and gone > limits.gone_share * before:
        reasons.append(f"{Doubt.GONE}: {gone} of {before}.")
    if unknown >= limits.odd_rows and unknown > limits.odd_share * now:
        reasons.append(f"{Doubt.UNKNOWN_STATES}: {unknown} of {now} rows.")
    spare = len(matching.spares) + len(matching.twins)
    if spare >= limits.odd_rows and spare > limits.odd_share * now:
        reasons.append(f"{Doubt.REPEATED}: {spare} of {now} rows list an agreement a second time.")
    return Hold(tuple(reasons), structural=False) if reasons else None


def released(
    hold: Hold, waiting: Sequence[HeldPublication], observed_at: datetime, now: datetime, limits: Limits
) -> bool:
    """Whether ICE has stood by a doubtful publication for long enough.

    `waiting`: the held publications before this one that nothing believed has followed, oldest first; `observed_at`:
    when this one was first seen. Two further publications that raise the same doubt, or 48 hours of it, release it;
    bytes that were served before need 24 hours, and no further publication speaks for them.
    """
    if hold.structural:
        return False
    implausible = doubts(hold) - {Doubt.SERVED_AGAIN}
    if not implausible:
        return now - observed_at >= limits.release_served_again_after
    agreeing = [w for w in waiting if not w.hold.structural and implausible & doubts(w.hold)]
    since = min([observed_at, *(w.observed_at for w in agreeing)])
    return len(agreeing) >= limits.agreeing_publications or now - since >= limits.release_after


def doubts(hold: Hold) -> frozenset[Doubt]:
    """Which doubts a hold's reasons speak of."""
    return frozenset(d for d in Doubt if any(r.startswith(d) for r in hold.reasons))
