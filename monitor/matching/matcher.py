"""Pure: which listing of a new publication continues which agreement of the old one, and why.

First by exact key (state, agency, support type), in groups, since a key may stand in several rows. What is left on
both sides is then paired by evidence, for the whole publication at once: a pair is believed only where **two
independent signals** speak for it and nothing against, and where each is the other's best by a margin. A tie is not
a match: a false "new" beside a "no longer listed" can be withdrawn, a false identity cannot.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import astuple
from itertools import chain, product
from typing import TypeVar

from rapidfuzz.distance import OSA

from monitor.matching.evidence import (
    AT_ONCE,
    LATER,
    SECOND_ROW,
    MatchRules,
    agree,
    believed,
    listed_twice,
    same_county,
    weigh,
)
from monitor.matching.similarity import county_in
from monitor.model import Listing, Match, Matching, Standing, SupportType, Values
from monitor.normalize import document_name

Key = tuple[str | None, str, SupportType | None]
_Row = TypeVar("_Row", Standing, Listing)
# By the key of an agreement that had left: those that were ever listed beside it, and so are not it respelt.
ListedBeside = Mapping[Key, frozenset[int]]
NONE_BESIDE: ListedBeside = {}


def key(values: Values) -> Key:
    """What identifies an agreement as long as nobody corrects anything."""
    return values.state, values.agency, values.support_type


def match(old: Sequence[Standing], new: Sequence[Listing], apart: ListedBeside = NONE_BESIDE) -> Matching:
    """Account for every row of two publications of one list.

    Matches are one-to-one. A row of `new` whose key is listed already, and that continues nobody else, is a second
    listing of the same agreement, not a new one (4 August 2025: one borough in two identical rows). `apart`: which
    agreements the rows of a key cannot continue.
    """
    exact, gone, came = _by_key(old, new)
    staying = frozenset(m.old.agreement for m in exact)
    firsts, repeated = _first_of_each(came, exact)
    listed = _documents_of(exact, beside=(*(s.listing for s in gone), *firsts))
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
    left: Sequence[Standing], came: Sequence[Listing], apart: ListedBeside = NONE_BESIDE, rules: MatchRules = LATER
) -> list[Match]:
    """Which of the rows that `came` are agreements that `left` earlier (or applied): by key, else by evidence.

    Nothing was replaced in the same publication here, so another office of the same place is not enough.
    """
    exact, gone, rest = _by_key(left, came)
    return [*exact, *by_evidence(gone, rest, rules, apart=apart)]


def _first_of_each(came: Sequence[Listing], exact: Iterable[Match]) -> tuple[list[Listing], list[Listing]]:
    """One row of each that came, and those that repeat one, or a row that is matched: the same key and date, and the
    same document. Without a document a repeated key may be another row's model or state, mistyped."""
    documents = {listing.values.moa for listing in came} - {""}
    seen = {(key(v), v.signed, v.moa) for v in (m.new.values for m in exact) if v.moa in documents}
    firsts: list[Listing] = []
    repeated: list[Listing] = []
    for listing in sorted(came, key=_fullest_first):
        what = (key(listing.values), listing.values.signed, listing.values.moa)
        (repeated if what in seen else firsts).append(listing)
        seen.add(what)
    return firsts, repeated


def _respelt(came: Iterable[Listing], exact: Iterable[Match], apart: ListedBeside) -> list[Match]:
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
    came: Sequence[Listing], matches: Iterable[Match], spares: Sequence[Match]
) -> tuple[list[Match], list[Listing], list[tuple[Listing, Listing]]]:
    """Sort rows that continue nobody into second listings of what is listed, first ones, and their twins."""
    names = {listing.values.agency for listing in came}
    holders: dict[Key, list[Match]] = defaultdict(list)
    for m in sorted((m for m in matches if m.new.values.agency in names), key=lambda m: m.old.agreement):
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


def under_one_key(matches: Iterable[Match]) -> list[tuple[Match, Match]]:
    """Agreements that were listed under two spellings and now share a key, as (older, younger).

    3 July 2025: one police department in two rows, with "City of" and without, until the first was respelt; a week
    later one of the rows went. They are two where two places or two documents say so.
    """
    groups: dict[Key, list[Match]] = defaultdict(list)
    for m in sorted(matches, key=lambda m: m.old.agreement):
        groups[key(m.new.values)].append(m)
    found = []
    for older, *rest in groups.values():
        for younger in rest:
            a, b = older.new.values, younger.new.values
            documents_differ = a.moa and b.moa and document_name(a.moa) != document_name(b.moa)
            if same_county(a, b) is not False and not documents_differ:
                found.append((older, younger))
    return found


# --- exact keys --------------------------------------------------------------------------------------------


_SAME_KEY = ("same state, agency and support type",)


def _by_key(old: Sequence[Standing], new: Sequence[Listing]) -> tuple[list[Match], list[Standing], list[Listing]]:
    """Pair rows of equal key; inside a key that stands several times, the rows that agree most.

    Nearly every key stands once on each side. Those are paired as they come: groups of one would take twice as long.
    """
    waiting: dict[Key, Standing] = {}
    repeated: set[Key] = set()
    for standing in old:
        k = key(standing.listing.values)
        if k in waiting:
            repeated.add(k)
        waiting[k] = standing
    repeated |= _repeated(new, waiting)
    standings = _grouped(((s.listing.values, s) for s in old), repeated)
    listings = _grouped(((n.values, n) for n in new), repeated)
    matches: list[Match] = []
    left_over: list[Standing] = []
    came: list[Listing] = []
    for listing in new:
        k = key(listing.values)
        if k not in repeated:
            paired = waiting.pop(k, None)
            if paired and not _two_places(paired.listing.values, listing.values):
                matches.append(Match(paired, listing, _SAME_KEY))
            else:
                left_over += [paired] if paired else []
                came.append(listing)
        elif group := listings.pop(k, None):
            waiting.pop(k, None)
            pairs = _best_pairs(standings[k], group)
            matches += [Match(s, n, _SAME_KEY) for s, n in pairs]
            ended, taken = {id(s) for s, _ in pairs}, {id(n) for _, n in pairs}
            left_over += [s for s in standings[k] if id(s) not in ended]
            came += [n for n in group if id(n) not in taken]
    gone = [s for k, standing in waiting.items() for s in standings.get(k, (standing,))]
    return matches, gone + left_over, came


def _repeated(new: Iterable[Listing], waiting: Mapping[Key, Standing]) -> set[Key]:
    """The keys that stand in several of the new rows, found without a second set of them all."""
    once = dict(waiting)
    others = Counter(k for listing in new if once.pop(k := key(listing.values), None) is None)
    return {k for k, count in others.items() if count > 1 or k in waiting}


def _grouped(rows: Iterable[tuple[Values, _Row]], of: Set[Key]) -> dict[Key, list[_Row]]:
    """The rows of each of these keys."""
    groups: dict[Key, list[_Row]] = {k: [] for k in of}
    names = {name for _, name, _ in of}
    for values, row in rows:
        if values.agency in names and (k := key(values)) in groups:
            groups[k].append(row)
    return groups


def _best_pairs(standings: Sequence[Standing], listings: Sequence[Listing]) -> list[tuple[Standing, Listing]]:
    """The rows of one key, paired as they agree most; an agreement's main row before a spare one."""
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
    rules: MatchRules,
    listed: frozenset[str] = frozenset(),
    apart: ListedBeside = NONE_BESIDE,
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


def _documents_of(matches: Sequence[Match], beside: Iterable[Listing]) -> frozenset[str]:
    """Those names of documents of the rows `beside` that rows which are matched carry, before or after."""
    names = {document_name(listing.values.moa) for listing in beside}
    if not names:
        return frozenset()
    # Rows of equal cells share what is read from them.
    before = (m.old.listing.values.moa for m in matches if m.old.listing.values is not m.new.values)
    carried = map(document_name, chain((m.new.values.moa for m in matches), before))
    return frozenset(names.intersection(carried))


def _shared_documents(listings: Sequence[Listing]) -> frozenset[str]:
    """Names of documents that several of these rows carry (a row has carried its neighbour's)."""
    counts = Counter(document_name(n.values.moa) for n in listings if n.values.moa)
    return frozenset(name for name, count in counts.items() if count > 1)


def _candidates(gone: Sequence[Values], came: Sequence[Values]) -> list[tuple[int, int]]:
    """Pairs worth weighing: those that share a document, a signed date or a name; or, where one has no date, a state.

    No block trusts a field alone that can be misspelt: each row stands in several.
    """
    undated = any(v.signed is None for v in gone), any(v.signed is None for v in came)
    blocks: dict[tuple[str, object], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, (rows, other_undated) in enumerate(((gone, undated[1]), (came, undated[0]))):
        for i, v in enumerate(rows):
            for block in _blocks(v, by_state=v.signed is None or other_undated):
                blocks[block][side].append(i)
    pairs: set[tuple[int, int]] = set()
    for left, right in blocks.values():
        if len(left) * len(right) <= _LARGE:
            pairs.update(product(left, right))
        else:
            pairs.update(_nearer(gone, left, came, right))
    return sorted(pairs)


_LARGE = 400  # pairs: twenty rows corrected in one batch
_FEW = 20  # rows


def _nearer(
    gone: Sequence[Values], left: Sequence[int], came: Sequence[Values], right: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """The pairs of a large block that share a state as well, or a word that few rows of the block have. A row whose
    state nobody could read stays beside all."""
    words = Counter(word for v in (*(gone[i] for i in left), *(came[j] for j in right)) for word in v.agency.split())
    few = {word for word, rows in words.items() if rows <= _FEW}
    finer: dict[tuple[str, str], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, (rows, block) in enumerate(((gone, left), (came, right))):
        for i in block:
            v = rows[i]
            if v.state:
                finer["state", v.state][side].append(i)
            for word in few.intersection(v.agency.split()):
                finer["word", word][side].append(i)
    for some, others in finer.values():
        yield from product(some, others)
    yield from product([i for i in left if not gone[i].state], right)
    yield from product(left, [j for j in right if not came[j].state])


def _blocks(values: Values, *, by_state: bool) -> Iterator[tuple[str, object]]:
    """What a row shares with those that it is weighed against."""
    yield "name", values.agency
    if values.moa:
        yield "document", document_name(values.moa)
    if values.signed:
        yield "signed", values.signed
    if by_state:
        yield "state", values.state
