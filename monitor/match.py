"""Pure: which listing of a new publication continues which agreement of the old one, and why.

First by exact key (state, agency, support type), in groups, since a key may stand in several rows. What is left on
both sides is then paired by evidence, for the whole publication at once: a pair is believed only where **two
independent signals** speak for it and nothing against, and where each is the other's best by a margin. A tie is not
a match: a false "new" beside a "no longer listed" can be withdrawn, a false identity cannot.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple

from rapidfuzz.distance import OSA

from monitor.evidence import AT_ONCE, LATER, SECOND_ROW, Rules, agree, believed, listed_twice, same_county, weigh
from monitor.model import Listing, Match, Matching, Standing, SupportType, Values
from monitor.names import county_in
from monitor.normalize import document_name

Key = tuple[str | None, str, SupportType | None]
# By the key of an agreement that had left: those that were ever listed beside it, and so are not it respelt.
Apart = Mapping[Key, frozenset[int]]
NOBODY: Apart = {}


def key(values: Values) -> Key:
    """What identifies an agreement as long as nobody corrects anything."""
    return values.state, values.agency, values.support_type


def match(old: Sequence[Standing], new: Sequence[Listing], apart: Apart = NOBODY) -> Matching:
    """Account for every row of two publications of one list.

    Matches are one-to-one. A row of `new` whose key is listed already, and that continues nobody else, is a second
    listing of the same agreement, not a new one (4 August 2025: one borough in two identical rows). `apart`: which
    agreements the rows of a key cannot continue.
    """
    exact, gone, came = _by_key(old, new)
    staying = frozenset(m.old.agreement for m in exact)
    firsts, repeated = _first_of_each(came, exact)
    listed = frozenset(document_name(v.moa) for m in exact for v in (m.old.listing.values, m.new.values))
    respelt = _respelt(firsts, exact, apart)
    taken = {id(m.new) for m in respelt}
    left = [s for s in gone if not s.spare or s.agreement in staying]
    rest = [n for n in firsts if id(n) not in taken]
    found = by_evidence(left, rest, AT_ONCE, listed, apart, staying)
    taken |= {id(m.new) for m in found}
    matches, spares, gone = _one_each([*exact, *found], gone)
    spares += respelt
    rest = [n for n in (*firsts, *repeated) if id(n) not in taken]
    spares, came, twins = _second_listings(rest, matches, spares)
    return Matching(tuple(matches), tuple(spares), tuple(gone), tuple(came), tuple(twins))


def rejoin(
    left: Sequence[Standing], came: Sequence[Listing], apart: Apart = NOBODY, rules: Rules = LATER
) -> list[Match]:
    """Which of the rows that `came` are agreements that `left` earlier (or applied): by key, else by evidence.

    Nothing was replaced in the same publication here, so another office of the same place is not enough.
    """
    exact, gone, rest = _by_key(left, came)
    return [*exact, *by_evidence(gone, rest, rules, apart=apart)]


def _first_of_each(came: Iterable[Listing], exact: Iterable[Match]) -> tuple[list[Listing], list[Listing]]:
    """One row of each that came, and those that repeat one, or a row that is matched: the same key and date, and the
    same document. Without a document a repeated key may be another row's model or state, mistyped."""
    seen = {(key(m.new.values), m.new.values.signed, m.new.values.moa) for m in exact if m.new.values.moa}
    firsts: list[Listing] = []
    repeated: list[Listing] = []
    for listing in sorted(came, key=_fullest_first):
        what = (key(listing.values), listing.values.signed, listing.values.moa)
        (repeated if what in seen else firsts).append(listing)
        seen.add(what)
    return firsts, repeated


def _respelt(came: Iterable[Listing], exact: Iterable[Match], apart: Apart) -> list[Match]:
    """Rows that list once more, under another spelling, what stands on the list: they continue nobody who left."""
    holders: dict[object, list[Match]] = defaultdict(list)
    for m in sorted(exact, key=lambda m: m.old.agreement):
        if m.new.values.moa:
            holders[document_name(m.new.values.moa)].append(m)
    found = []
    for listing in came:
        beside = apart.get(key(listing.values), ())
        held = [
            m
            for m in holders.get(document_name(listing.values.moa), ())
            if m.old.agreement not in beside and listed_twice(weigh(m.new.values, listing.values))
        ]
        if held:
            holder = max(held, key=lambda m: _alike(m.new, listing))
            found.append(Match(holder.old, listing, ("listed a second time",)))
    return found


def _fullest_first(listing: Listing) -> tuple[bool, bool, bool, tuple[str, ...]]:
    """An order that does not depend on where a row stands: what says most first."""
    v = listing.values
    return not v.moa, v.signed is None, not v.county, astuple(listing.cells)


def _one_each(matches: Iterable[Match], gone: Iterable[Standing]) -> tuple[list[Match], list[Match], list[Standing]]:
    """One match an agreement; its further rows are spares, and it has not gone while one of its rows remains."""
    mains: dict[int, Match] = {}
    spares = []
    missing = {s.agreement: s for s in gone if not s.spare}
    for m in sorted(matches, key=lambda m: m.old.spare):
        if not m.old.spare and m.old.agreement not in mains:
            mains[m.old.agreement] = m
        elif m.old.agreement in mains:
            spares.append(m)
        else:
            main = missing.pop(m.old.agreement, m.old)
            mains[m.old.agreement] = Match(main, m.new, ("its second listing remains",))
    return list(mains.values()), spares, [s for s in missing.values() if s.agreement not in mains]


def _second_listings(
    came: Iterable[Listing], matches: Iterable[Match], spares: Sequence[Match]
) -> tuple[list[Match], list[Listing], list[tuple[Listing, Listing]]]:
    """Sort rows that continue nobody into second listings of what is listed, first ones, and their twins."""
    holders: dict[Key, list[Match]] = defaultdict(list)
    for m in sorted(matches, key=lambda m: m.old.agreement):
        holders[key(m.new.values)].append(m)
    firsts: dict[Key, list[Listing]] = defaultdict(list)
    seconds, twins = list(spares), []
    for listing in came:
        k = key(listing.values)
        held = [m for m in holders[k] if not _two_places(m.new.values, listing.values)]
        first = [n for n in firsts[k] if not _two_places(n.values, listing.values)]
        if held:
            holder = max(held, key=lambda m: _alike(m.new, listing))
            seconds.append(Match(holder.old, listing, ("listed a second time",)))
        elif first:
            twins.append((listing, max(first, key=lambda n: _alike(n, listing))))
        else:
            firsts[k].append(listing)
    return seconds, [n for listings in firsts.values() for n in listings], twins


# --- exact keys --------------------------------------------------------------------------------------------


def _by_key(old: Sequence[Standing], new: Sequence[Listing]) -> tuple[list[Match], list[Standing], list[Listing]]:
    """Pair rows of equal key; inside a key that stands several times, the rows that agree most."""
    waiting: dict[Key, list[Standing]] = defaultdict(list)
    for standing in old:
        waiting[key(standing.listing.values)].append(standing)
    groups: dict[Key, list[Listing]] = defaultdict(list)
    for listing in new:
        groups[key(listing.values)].append(listing)
    matches, came = [], []
    for k, listings in groups.items():
        standings = waiting.pop(k, [])
        pairs = _best_pairs(standings, listings)
        matches += [Match(s, n, ("same state, agency and support type",)) for s, n in pairs]
        if len(pairs) < max(len(standings), len(listings)):
            ended, taken = {id(s) for s, _ in pairs}, {id(n) for _, n in pairs}
            waiting[k] = [s for s in standings if id(s) not in ended]
            came += [n for n in listings if id(n) not in taken]
    return matches, [s for rest in waiting.values() for s in rest], came


def _best_pairs(standings: Sequence[Standing], listings: Sequence[Listing]) -> list[tuple[Standing, Listing]]:
    """The rows of one key, paired as they agree most; an agreement's main row before a spare one."""
    if len(standings) == len(listings) == 1 and not _two_places(standings[0].listing.values, listings[0].values):
        return [(standings[0], listings[0])]
    standings = sorted(standings, key=lambda s: s.agreement)
    listings = sorted(listings, key=_fullest_first)
    ranked = sorted(
        (
            ((not s.spare, *_alike(s.listing, n)), -i, -j)
            for i, s in enumerate(standings)
            for j, n in enumerate(listings)
            if not _two_places(s.listing.values, n.values)
        ),
        reverse=True,
    )
    pairs: dict[int, int] = {}
    for _, i, j in ranked:
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return [(standings[-i], listings[-j]) for i, j in pairs.items()]


def _alike(one: Listing, other: Listing) -> tuple[bool, ...]:
    """How much two rows of one key agree, the weightiest first."""
    a, b = one.values, other.values
    return (
        bool(a.moa) and a.moa == b.moa,
        a.signed is not None and a.signed == b.signed,
        a.county == b.county,
        one.cells == other.cells,
    )


def _two_places(a: Values, b: Values) -> bool:
    """Whether two rows of one key are two agencies all the same: in two real counties, of which the name names none,
    signed on two days, without one document. Pennsylvania alone has twenty Washington Townships."""
    if a.county == b.county or a.signed == b.signed or (a.moa and a.moa == b.moa) or county_in(a.agency):
        return False
    return same_county(a, b) is False and agree(a.signed, b.signed) is False


# --- evidence ----------------------------------------------------------------------------------------------


_Rank = tuple[int, int]


def by_evidence(
    gone: Sequence[Standing],
    came: Sequence[Listing],
    rules: Rules,
    listed: frozenset[str] = frozenset(),
    apart: Apart = NOBODY,
    staying: frozenset[int] = frozenset(),
) -> list[Match]:
    """Pair what exact keys left over: mutual best by a margin, again and again until nothing more is certain.

    Rows of agreements that are `staying` by another row are among the rivals, under rules of their own: an agreement
    that leaves does not continue in the row that another had twice and that is respelt.

    `listed`: names of the documents of rows that are matched; they are not those of the rows left over, whichever
    row carries them now. `apart`: two that were ever listed side by side are never one by evidence, whatever speaks for
    it: where one of them had left and a row of its key comes while the other goes, the one returned and the other left.
    """
    shared = listed | _shared_documents([s.listing for s in gone]) | _shared_documents(came)
    found: dict[tuple[int, int], tuple[_Rank, tuple[str, ...]]] = {}
    for i, j in _candidates([s.listing.values for s in gone], [n.values for n in came]):
        a, b = gone[i].listing.values, came[j].values
        if gone[i].agreement in apart.get(key(b), ()):
            continue
        evidence = weigh(a, b, shared)
        if reasons := believed(evidence, SECOND_ROW if gone[i].agreement in staying else rules):
            found[i, j] = (evidence.weight, -OSA.distance(a.agency, b.agency)), reasons
    matches: list[Match] = []
    while True:
        certain = list(_mutual_best(found))
        if not certain:
            return matches
        for i, j in certain:
            matches.append(Match(gone[i], came[j], found[i, j][1]))
        ended, taken = {i for i, _ in certain}, {j for _, j in certain}
        found = {(i, j): e for (i, j), e in found.items() if i not in ended and j not in taken}


def _mutual_best(found: dict[tuple[int, int], tuple[_Rank, tuple[str, ...]]]) -> Iterator[tuple[int, int]]:
    """The pairs that are the strict best of both sides."""
    best_old: dict[int, Counter[_Rank]] = defaultdict(Counter)
    best_new: dict[int, Counter[_Rank]] = defaultdict(Counter)
    for (i, j), (rank, _) in found.items():
        best_old[i][rank] += 1
        best_new[j][rank] += 1
    for (i, j), (rank, _) in found.items():
        if all(max(side) == rank and side[rank] == 1 for side in (best_old[i], best_new[j])):
            yield i, j


def _shared_documents(listings: Sequence[Listing]) -> frozenset[str]:
    """Names of documents that several of these rows carry (a row has carried its neighbour's)."""
    counts = Counter(document_name(n.values.moa) for n in listings if n.values.moa)
    return frozenset(name for name, count in counts.items() if count > 1)


def _candidates(gone: Sequence[Values], came: Sequence[Values]) -> list[tuple[int, int]]:
    """Pairs worth weighing: those that share a document, a signed date or a name; or, where one has no date, a state.

    No block trusts a field alone that can be misspelt: each row stands in several.
    """
    undated = any(v.signed is None for v in gone), any(v.signed is None for v in came)
    blocks: dict[tuple[str, object], list[int]] = defaultdict(list)
    for i, values in enumerate(gone):
        for block in _blocks(values, by_state=values.signed is None or undated[1]):
            blocks[block].append(i)
    return sorted(
        {
            (i, j)
            for j, v in enumerate(came)
            for block in _blocks(v, by_state=v.signed is None or undated[0])
            for i in blocks.get(block, ())
        }
    )


def _blocks(values: Values, *, by_state: bool) -> Iterator[tuple[str, object]]:
    yield "name", values.agency
    if values.moa:
        yield "document", document_name(values.moa)
    if values.signed:
        yield "signed", values.signed
    if by_state:
        yield "state", values.state
