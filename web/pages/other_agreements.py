"""Pure: what the log knew of an agency's other agreements when one of them came, left or was signed again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from monitor.model import DEPARTURES, Entry, Relation


@dataclass(frozen=True, slots=True)
class OtherAgreements:
    """Support types of one agency on the participating list; "" for one that is not given.

    `listed`: those of the other agreements in the publication of the entry. `stayed`: those that were in the one
    before, too. `came`, `left`: where the agency switched, all that came and left in this publication. `arrivals`: how
    many more agreements the agency has than before, with that of the entry. `number`: how many it has now.
    """

    listed: tuple[str, ...]
    stayed: tuple[str, ...]
    came: tuple[str, ...]
    left: tuple[str, ...]
    arrivals: int
    number: int


def other_agreements(entry: Entry) -> OtherAgreements | None:
    """None where the entry does not say."""
    if entry.agency_standing is None:
        return None
    before, after = Counter(entry.agency_standing.before), Counter(entry.agency_standing.after)
    stayed, came, left = before & after, after - before, before - after
    if entry.relation is Relation.SWITCHED:
        (left if entry.kind in DEPARTURES else came)[entry.support_type] += 1
    else:
        came, left = Counter(), Counter()
    return OtherAgreements(
        entry.agency_standing.after,
        tuple(stayed.elements()),
        tuple(came.elements()),
        tuple(left.elements()),
        1 + max(0, after.total() - before.total()),
        1 + after.total(),
    )
