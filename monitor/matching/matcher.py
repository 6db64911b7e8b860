"""Pure: which listing of a new publication continues which agreement of the old one, and why.

First by exact key (state, agency, support type), in groups, since a key may stand in several rows. What is left on
both sides is then paired by evidence, for the whole publication at once: a pair is believed only where **two
independent signals** speak for it and nothing against, and where each is the other's best by a margin. A tie is not
a match: a false "new" beside a "no longer listed" can be withdrawn, a false identity cannot.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, replace
from itertools import product
from typing import TypeVar

from rapidfuzz.distance import OSA

from monitor.geography import county_in
from monitor.matching.evidence import (
    AT_ONCE,
    LATER,
    SECOND_ROW,
    MatchRules,
    agree,
    believed,
    listed_twice,
    named_county,
    same_county,
    weigh,
)
from monitor.model import Listing, Match, Matching, Standing, Values
from monitor.normalize import document_name

Key = tuple[str | None, str, str | None]
_Row = TypeVar("_Row", Standing, Listing)
# By the key of an agreement that had left: the agreements that were ever listed beside it, and so are not it respelled.
ListedBeside = Mapping[Key, frozenset[int]]
NONE_BESIDE: ListedBeside = {}


def key(values: Values) -> Key:
    """What identifies an agreement while its cells are not corrected: state, agency name, support type."""
    return values.state, values.agency, values.support_type or values.unknown_type or None


def match(old: Sequence[Standing], new: Sequence[Listing], beside: ListedBeside = NONE_BESIDE) -> Matching:
    """Account for every row of two publications of one list.

    Matches are one-to-one. A row of `new` that continues no agreement and whose key is listed already is a second
    listing of that agreement, not a new one (Aug. 4, 2025: one borough in two identical rows). `beside`: the
    agreements that the rows of a key cannot continue.
    """
    exact, gone, came = _same_key(old, new)
    unread, gone, came = _under_unknown_types(gone, came)
    exact += unread
    staying = frozenset(m.old.agreement for m in exact)
    firsts, repeated = _first_of_each(came, exact)
    listed = _documents_of(exact)
    second_spellings = _second_spellings(firsts, exact, beside)
    taken = {m.new.row for m in second_spellings}
    departed = [s for s in gone if not s.spare or s.agreement in staying]
    rest = [n for n in firsts if n.row not in taken]
    evident = by_evidence(departed, rest, AT_ONCE, listed, beside, staying)
    taken |= {m.new.row for m in evident}
    matches, spares, gone = _one_each([*exact, *evident], gone)
    spares += second_spellings
    rest = [n for n in (*firsts, *repeated) if n.row not in taken]
    spares, came, twins = _second_listings(rest, matches, spares)
    return Matching(tuple(matches), tuple(spares), tuple(gone), tuple(came), tuple(twins))


def rejoin(
    departed: Sequence[Standing],
    came: Sequence[Listing],
    beside: ListedBeside = NONE_BESIDE,
    rules: MatchRules = LATER,
) -> list[Match]:
    """Which of the rows that `came` are agreements that `departed` earlier (or applied): by key, else by evidence.

    Nothing was replaced in the same publication here, so another office of the same place is not enough.
    """
    exact, gone, rest = _same_key(departed, came)
    return [*exact, *by_evidence(gone, rest, rules, beside=beside)]


def _first_of_each(came: Sequence[Listing], exact: Iterable[Match]) -> tuple[list[Listing], list[Listing]]:
    """Sort the rows that came into first ones and those that repeat one of them, or a matched row.

    A row repeats another if key, date and document are the same. Without a document, a repeated key may be another
    row's with a mistyped support type or state.
    """
    documents = {listing.values.moa for listing in came} - {""}
    seen = {(key(v), v.signed, v.moa) for v in (m.new.values for m in exact) if v.moa in documents}
    firsts: list[Listing] = []
    repeated: list[Listing] = []
    for listing in sorted(came, key=_fullest_first):
        identity = (key(listing.values), listing.values.signed, listing.values.moa)
        (repeated if identity in seen else firsts).append(listing)
        seen.add(identity)
    return firsts, repeated


def _second_spellings(came: Iterable[Listing], exact: Iterable[Match], beside: ListedBeside) -> list[Match]:
    """Rows that list a matched agreement a second time, spelled differently. They continue no agreement that left."""
    holders: dict[object, list[Match]] = defaultdict(list)
    for m in sorted(exact, key=lambda m: m.old.agreement):
        if m.new.values.moa:
            holders[document_name(m.new.values.moa)].append(m)
    seconds = []
    for listing in came:
        others = beside.get(key(listing.values), ())
        held = [
            m
            for m in holders.get(document_name(listing.values.moa), ())
            if m.old.agreement not in others and listed_twice(weigh(m.new.values, listing.values))
        ]
        if held:
            holder = max(held, key=lambda m: _alike(m.new, listing))
            seconds.append(Match(holder.old, listing, ("listed a second time",)))
    return seconds


def _fullest_first(listing: Listing) -> tuple[bool, bool, bool, tuple[str, ...]]:
    """Sort key that puts the fullest row first, whatever its place in the sheet."""
    v = listing.values
    return not v.moa, v.signed is None, not v.county, astuple(listing.cells)


def _one_each(matches: Iterable[Match], gone: Iterable[Standing]) -> tuple[list[Match], list[Match], list[Standing]]:
    """Keep one match for each agreement. Its other rows are spares; it has not gone while one of its rows remains."""
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
    came: Sequence[Listing], matches: Iterable[Match], spares: Sequence[Match]
) -> tuple[list[Match], list[Listing], list[tuple[Listing, Listing]]]:
    """Sort rows that continue no agreement into second listings of listed ones, first rows, and twins of those."""
    holders: dict[Key, list[Match]] = defaultdict(list)
    for m in sorted(matches, key=lambda m: m.old.agreement):
        holders[key(m.new.values)].append(m)
    firsts: dict[Key, list[Listing]] = defaultdict(list)
    seconds, twins = list(spares), []
    for listing in came:
        k = key(listing.values)
        held = [m for m in holders[k] if not _two_rows(m.new.values, listing.values)]
        first = [n for n in firsts[k] if not _two_rows(n.values, listing.values)]
        if held:
            holder = max(held, key=lambda m: _alike(m.new, listing))
            seconds.append(Match(holder.old, listing, ("listed a second time",)))
        elif first:
            twins.append((listing, max(first, key=lambda n: _alike(n, listing))))
        else:
            firsts[k].append(listing)
    return seconds, [n for listings in firsts.values() for n in listings], twins


def under_one_key(matches: Iterable[Match]) -> list[tuple[Match, Match]]:
    """Agreements that were listed under two spellings and now share a key, as (older, younger).

    July 3, 2025: one police department in two rows, with "City of" and without, until the first was respelled; a
    week later one of the rows went. They stay two if their places or their documents differ.
    """
    groups: dict[Key, list[Match]] = defaultdict(list)
    for m in sorted(matches, key=lambda m: m.old.agreement):
        groups[key(m.new.values)].append(m)
    pairs = []
    for older, *rest in groups.values():
        for younger in rest:
            a, b = older.new.values, younger.new.values
            documents_differ = a.moa and b.moa and document_name(a.moa) != document_name(b.moa)
            if same_county(a, b) is not False and not documents_differ:
                pairs.append((older, younger))
    return pairs


# --- exact keys --------------------------------------------------------------------------------------------


_SAME_KEY = ("same state, agency and support type",)
_SAME_AGENCY = ("same state and agency, under a support type that is not known",)


def _same_key(old: Sequence[Standing], new: Sequence[Listing]) -> tuple[list[Match], list[Standing], list[Listing]]:
    """Pair rows of equal key; inside a key that stands several times, the rows that agree most."""
    standings = _grouped((key(s.listing.values), s) for s in old)
    listings = _grouped((key(n.values), n) for n in new)
    matches: list[Match] = []
    gone: list[Standing] = []
    came: list[Listing] = []
    for k in standings | listings:
        before, after = standings.get(k, []), listings.get(k, [])
        pairs = _best_pairs(before, after)
        matches += [Match(before[i], after[j], _SAME_KEY) for i, j in pairs.items()]
        gone += [s for i, s in enumerate(before) if i not in pairs]
        came += [n for j, n in enumerate(after) if j not in pairs.values()]
    return matches, gone, came


def _under_unknown_types(
    gone: Sequence[Standing], came: Sequence[Listing]
) -> tuple[list[Match], list[Standing], list[Listing]]:
    """Pair rows of one agency whose support types nobody knows, before or now: such a type is respelled or blanked
    before an agreement is replaced."""
    old = [s for s in gone if s.listing.values.support_type is None]
    new = [n for n in came if n.values.support_type is None]
    blank = (
        [replace(s, listing=replace(s.listing, values=replace(s.listing.values, unknown_type=""))) for s in old],
        [replace(n, values=replace(n.values, unknown_type="")) for n in new],
    )
    pairs, _, _ = _same_key(*blank)
    listings, standings = {n.row: n for n in new}, {s.listing.row: s for s in old}
    matches = [Match(standings[m.old.listing.row], listings[m.new.row], _SAME_AGENCY) for m in pairs]
    left = {m.old.listing.row for m in matches}, {m.new.row for m in matches}
    return (
        matches,
        [s for s in gone if s.listing.row not in left[0]],
        [n for n in came if n.row not in left[1]],
    )


def _grouped(rows: Iterable[tuple[Key, _Row]]) -> dict[Key, list[_Row]]:
    groups: dict[Key, list[_Row]] = defaultdict(list)
    for k, row in rows:
        groups[k].append(row)
    return groups


def _best_pairs(standings: Sequence[Standing], listings: Sequence[Listing]) -> dict[int, int]:
    """The rows of one key, by index, paired as they agree most; an agreement's main row before a spare one."""
    possible = [
        (i, j)
        for i, j in product(range(len(standings)), range(len(listings)))
        if not _two_places(standings[i].listing.values, listings[j].values)
    ]
    if len(possible) > 1:

        def most_alike(ij: tuple[int, int]) -> tuple[object, ...]:
            standing, listing = standings[ij[0]], listings[ij[1]]
            agreeing = (not standing.spare, *_alike(standing.listing, listing))
            return *(not each for each in agreeing), standing.agreement, _fullest_first(listing)

        possible.sort(key=most_alike)
    pairs: dict[int, int] = {}
    for i, j in possible:
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


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
    """Whether two rows of one key are two agencies: two real counties, neither in the agency's name, two signed dates
    and no common document. Pennsylvania alone has twenty Washington Townships."""
    if a.county == b.county or a.signed == b.signed or (a.moa and a.moa == b.moa) or county_in(a.agency):
        return False
    return same_county(a, b) is False and agree(a.signed, b.signed) is False


def _two_rows(a: Values, b: Values) -> bool:
    """Whether two rows of one key that stand side by side are two agencies. Applications have no signed dates to tell
    them apart, and a county that was corrected does not stand beside itself."""
    undated = a.signed is None and b.signed is None and not (a.moa and a.moa == b.moa)
    return _two_places(a, b) or (undated and in_two_counties(a, b))


def in_two_counties(a: Values, b: Values) -> bool:
    """Whether two rows of one name say two counties that exist, neither in the name."""
    return not county_in(a.agency) and same_county(a, b) is False


# --- evidence ----------------------------------------------------------------------------------------------


_Rank = tuple[int, int]
_Ranked = dict[tuple[int, int], tuple[_Rank, tuple[str, ...]]]  # by indexes of old and new row: rank and reasons


def by_evidence(
    gone: Sequence[Standing],
    came: Sequence[Listing],
    rules: MatchRules,
    listed: frozenset[str] = frozenset(),
    beside: ListedBeside = NONE_BESIDE,
    staying: frozenset[int] = frozenset(),
) -> list[Match]:
    """Pair the rows that have no exact key in common: mutual best pairs, until no more are certain.

    `staying`: agreements that keep another row. Their rows compete too, under `SECOND_ROW`, so that an agreement that
    leaves does not continue in the respelled second row of another.

    `listed`: names of the documents of matched rows, which identify no row left over. `beside`: agreements that were
    ever listed beside the one that had a row's key are never that row: the one returned, and the other left.
    """
    shared = listed | _shared_documents([s.listing for s in gone]) | _shared_documents(came)
    believable: _Ranked = {}
    for i, j in _candidates([s.listing.values for s in gone], [n.values for n in came]):
        a, b = gone[i].listing.values, came[j].values
        if gone[i].agreement in beside.get(key(b), ()):
            continue
        evidence = weigh(a, b, shared)
        if reasons := believed(evidence, SECOND_ROW if gone[i].agreement in staying else rules):
            believable[i, j] = (evidence.weight, -OSA.distance(a.agency, b.agency)), reasons
    matches: list[Match] = []
    while True:
        certain = list(_mutual_best(believable))
        if not certain:
            return matches
        for i, j in certain:
            matches.append(Match(gone[i], came[j], believable[i, j][1]))
        ended, taken = {i for i, _ in certain}, {j for _, j in certain}
        believable = {(i, j): e for (i, j), e in believable.items() if i not in ended and j not in taken}


def _mutual_best(ranked: _Ranked) -> Iterator[tuple[int, int]]:
    """The pairs that are the strict best of both sides."""
    best_old: dict[int, Counter[_Rank]] = defaultdict(Counter)
    best_new: dict[int, Counter[_Rank]] = defaultdict(Counter)
    for (i, j), (rank, _) in ranked.items():
        best_old[i][rank] += 1
        best_new[j][rank] += 1
    for (i, j), (rank, _) in ranked.items():
        if all(max(side) == rank and side[rank] == 1 for side in (best_old[i], best_new[j])):
            yield i, j


def _documents_of(matches: Iterable[Match]) -> frozenset[str]:
    """The names of the documents that matched rows carry, before or after."""
    carried = {moa for m in matches for moa in (m.new.values.moa, m.old.listing.values.moa)}
    return frozenset(map(document_name, carried - {""}))


def _shared_documents(listings: Sequence[Listing]) -> frozenset[str]:
    """Names of documents that several of these rows carry (a row has carried its neighbor's)."""
    counts = Counter(document_name(n.values.moa) for n in listings if n.values.moa)
    return frozenset(name for name, count in counts.items() if count > 1)


def _candidates(gone: Sequence[Values], came: Sequence[Values]) -> list[tuple[int, int]]:
    """Pairs worth weighing: those that share a document, a name, a signed date and a state, or a county and a support
    type; or where one has no date, the state, and where one has no state, the date.

    No block trusts a field alone that can be misspelled: each row stands in several.
    """
    blocks: dict[tuple[object, ...], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, (rows, others) in enumerate(((gone, came), (came, gone))):
        undated, stateless = any(v.signed is None for v in others), any(v.state is None for v in others)
        for i, v in enumerate(rows):
            for block in _blocks(v, by_state=v.signed is None or undated, by_date=v.state is None or stateless):
                blocks[block][side].append(i)
    return sorted({pair for left, right in blocks.values() for pair in product(left, right)})


def _blocks(values: Values, *, by_state: bool, by_date: bool) -> Iterator[tuple[object, ...]]:
    """What a row shares with those that it is weighed against."""
    yield "name", values.agency
    if values.moa:
        yield "document", document_name(values.moa)
    if county := named_county(values):
        yield "county", values.state, county, values.support_type
    if values.signed:
        yield "signed", values.signed, values.state
        if by_date:
            yield "signed", values.signed
    if by_state:
        yield "state", values.state
