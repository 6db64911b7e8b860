"""Generated publications: a list, and the next one after corrections, departures and arrivals, with what is true of it.

A `Plan` says in words what happens and is what Hypothesis draws and shrinks; `build` carries it out on a list. A row
is left alone, and an arrival left out, where nobody could tell what happened; each such case has a function below
whose docstring gives the reason, so that what is left is what `match` must get right.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from itertools import chain
from pathlib import Path
from random import Random

from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from monitor.counties import COUNTIES
from monitor.geography import county_in, is_county
from monitor.matching.matcher import Key, key
from monitor.model import Cells, Listing, ListName, Matching, Standing, SupportType, Values
from monitor.normalize import STATES, document_name, listing
from monitor.workbooks.parser import read
from tests.monitor.corrections import (
    ALL_FAMILIES,
    LISTED_AGAIN,
    REPEATED,
    SWAPPED_AND_MISSPELT,
    SWAPPED_DOCUMENTS,
    Corrector,
    misspelt,
)

LISTS = Path(__file__).resolve().parents[3] / "shared" / "lists"
ABSENT = f"the real lists are not beside this project ({LISTS.parent.name}/{LISTS.name})"

# --- lists to start from -----------------------------------------------------------------------------------


class Base:
    """A list to correct: one row for each agreement, and rows of later lists that it cannot have had.

    No dataclass: Hypothesis would print every row of it.
    """

    def __init__(self, name: str, list_: ListName, rows: Iterable[Listing], later: Iterable[Cells] = ()) -> None:
        self.name, self.list, self.rows, self.later = name, list_, tuple(rows), tuple(later)

    def __repr__(self) -> str:
        return f"<{self.name}>"


def base(name: str, list_: ListName, rows: Iterable[Cells], later: Iterable[Cells] = ()) -> Base:
    """A list without its second listings of one agreement."""
    first: dict[Key, Listing] = {}
    for number, cells in enumerate(rows, start=2):
        row = listing(number, cells)
        first.setdefault(key(row.values), row)
    new = (c for c in later if key(listing(0, c).values) not in first)
    return Base(name, list_, first.values(), new)


@cache
@cache
def real_bases(participating: int, pending: int) -> tuple[Base, ...]:
    """So many real lists of each kind, spread over the year; () where they are not beside this project."""
    if not (LISTS / "manifest.csv").exists():
        return ()
    with (LISTS / "manifest.csv").open(newline="") as manifest:
        lines = [line for line in csv.DictReader(manifest) if int(line["rows"])]
    found = []
    *_, newest = _spread(lines, ListName.PARTICIPATING, 1)
    later = [cells for _, cells in _rows(newest["file"])]
    for kind, count in ((ListName.PARTICIPATING, participating), (ListName.PENDING, pending)):
        for line in _spread(lines, kind, count):
            day = datetime.fromisoformat(line["published"]).date().isoformat()
            since = [c for c in later if c.signed > day]
            if kind is ListName.PENDING:
                since = [replace(c, signed="", moa="", moa_address="", addendum="", addendum_address="") for c in since]
            found.append(base(line["file"], kind, (cells for _, cells in _rows(line["file"])), since))
    return tuple(found)


def _spread(lines: Sequence[dict[str, str]], kind: ListName, count: int) -> list[dict[str, str]]:
    """The last file of a kind, and as many before it at equal distances. Files that are the other list are none."""
    of_kind = [line for line in lines if line["link"] == kind and _list_of(line["file"], int(line["rows"])) is kind]
    step = max(1, len(of_kind) // count)
    return of_kind[::-1][::step][:count][::-1]


def _list_of(file: str, rows: int) -> ListName:
    """Which list a file of that many rows is: the pending list never had 120, the participating one never fewer."""
    return ListName.PARTICIPATING if rows > 120 else ListName.PENDING


@cache
def _rows(file: str) -> tuple[tuple[int, Cells], ...]:
    return tuple((number, Cells(**cells)) for number, cells in read((LISTS / file).read_bytes())[0]["rows"])


def invented_base(list_: ListName = ListName.PARTICIPATING, rows: int = 400) -> Base:
    """A list of invented agencies in real counties, signed in batches as ICE's are, half of them without a document."""
    chance = Random(20250221)
    cells = [invented(chance) for _ in range(rows)]
    if list_ is ListName.PENDING:
        cells = [replace(c, signed="", moa="", moa_address="") for c in cells]
    return base(f"invented {list_}", list_, cells)


_STATES = ("FLORIDA", "TEXAS", "PENNSYLVANIA", "GEORGIA", "TENNESSEE", "ARIZONA", "LOUISIANA", "WEST VIRGINIA")
_BATCHES = ("2019-10-15", "2025-02-26", "2025-03-25", "2025-04-14", "2025-07-02", "2025-08-28", "2025-10-17")


def invented(chance: Random, state: str = "", signed: str = "") -> Cells:
    """One invented agreement."""
    state = state or chance.choice(_STATES)
    code = next((code for code, name in STATES.items() if name.upper() == state.strip().upper()), "TX")
    county = chance.choice(sorted(COUNTIES[code])) + (" Parish" if code == "LA" else " County")
    place = "".join(chance.choice(_BEGIN) + chance.choice(_MIDDLE) + chance.choice(_END))
    agency, type_ = chance.choice(
        (
            (f"{county} Sheriff's Office", "County"),
            (f"{county} Sheriff's Office", "County"),
            (f"{place} Police Department", "Municipality"),
            (f"City of {place} Police Department", "Municipality"),
            (f"{place} Township Constable's Office", "Municipality"),
            (f"{county} Constable Precinct {chance.randrange(1, 9)}", "County"),
            (f"{place} Regional Jail Authority", "County"),
        )
    )
    row = Cells(
        state=state,
        agency=agency,
        type=type_,
        county=county if chance.random() < 0.7 else "#N/A",
        support_type=chance.choice([m.value for m in SupportType if m is not SupportType.TRIBAL_TASK_FORCE]),
        signed=signed or chance.choice(_BATCHES),
        moa="link pending",
    )
    if chance.random() < 0.5:
        name = re.sub(r"\W", "", f"{agency}{code}{row.support_type}{row.signed}")
        row = replace(row, moa="link", moa_address=f"https://www.ice.gov/doclib/287gMOA/{name}.pdf")
    return row


_BEGIN = "Quill Bram Heron Tide Marsh Fen Oster Wick Harl Dun Pell Tarn Vex Morr Lin Ash Cor Yar Zell Thorn".split()
_MIDDLE = "a e i o u er en ol and ing".split()
_END = "wick moor ville ton burg stead mere dale ridge ford combe worth field by".split()

# --- plans and cases ---------------------------------------------------------------------------------------

# How many rows are corrected: so many, or that share of one state.
WHOLE_LIST = "the whole list"
RATES: dict[str, int | float] = {
    "one row": 1,
    "a few rows": 5,
    "a tenth of a state": 0.1,
    "half of a state": 0.5,
    "a whole state": 1.0,
    WHOLE_LIST: 1.0,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens between two publications. `undone`: the second one was first, the corrections are taken back."""

    base: Base
    family: str
    rate: str
    seed: int
    departures: int = 0
    arrivals: int = 0
    duplicates: int = 0
    alike: bool = False
    undone: bool = False


def plans(bases: Sequence[Base], families: Sequence[str] = ALL_FAMILIES) -> st.SearchStrategy[Plan]:
    """All that can happen to one of these lists."""
    return st.builds(
        Plan,
        base=st.sampled_from(bases),
        family=st.sampled_from(families),
        rate=st.sampled_from(list(RATES)),
        seed=st.integers(0, 2**24 - 1),  # as far as Hypothesis draws evenly
        departures=st.integers(0, 12),
        arrivals=st.integers(0, 40),
        duplicates=st.integers(0, 3),
        alike=st.booleans(),
        undone=st.booleans(),
    )


@dataclass(frozen=True, slots=True)
class Case:
    """Two publications and the truth: which agreement each row of the new one shows (None: one that came)."""

    plan: Plan
    old: tuple[Standing, ...]
    new: tuple[Listing, ...]
    shows: dict[int, int | None]  # by row number
    corrected: int


@dataclass(slots=True)
class Mistakes:
    """What a matching got wrong, in words."""

    false_terminations: list[str] = field(default_factory=list)
    false_new: list[str] = field(default_factory=list)
    missed_departures: list[str] = field(default_factory=list)
    missed_arrivals: list[str] = field(default_factory=list)
    crossed: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(self.all())

    def all(self) -> tuple[list[str], ...]:
        return (
            self.false_terminations,
            self.false_new,
            self.missed_departures,
            self.missed_arrivals,
            self.crossed,
        )


def judge(case: Case, matching: Matching) -> Mistakes:
    """Hold a matching against the truth."""
    found = Mistakes()
    still = {agreement for agreement in case.shows.values() if agreement is not None}
    for standing in matching.gone:
        if standing.agreement in still:
            found.false_terminations.append(_said(standing.listing))
    gone = {standing.agreement for standing in matching.gone}
    for standing in case.old:
        if standing.agreement not in still | gone:
            found.missed_departures.append(_said(standing.listing))
    for row in matching.came:
        if case.shows[row.row] is not None:
            found.false_new.append(_said(row))
    continued = {m.new.row: m.old for m in (*matching.matches, *matching.spares)}
    for row in case.new:
        if row.row not in continued:
            continue
        if case.shows[row.row] is None:
            found.missed_arrivals.append(f"{_said(row)} taken for {_said(continued[row.row].listing)}")
        elif case.shows[row.row] != continued[row.row].agreement:
            found.crossed.append(f"{_said(row)} taken for {_said(continued[row.row].listing)}")
    return found


def _said(row: Listing) -> str:
    c = row.cells
    return f"[{c.state}|{c.agency}|{c.county}|{c.support_type}|{c.signed}|{document_name(row.values.moa)}]"


def build(plan: Plan) -> Case:
    """Carry out a plan. What nobody could tell is not done: see the exclusions below."""
    chance = Random(plan.seed)
    rows = plan.base.rows
    state = chance.choice(rows).cells.state
    here = [row for row in rows if row.cells.state == state]
    departed = _departed(plan, chance, here)
    staying = [row for row in rows if row.row not in departed]
    after = _corrected(plan, chance, staying, [row for row in here if row.row not in departed])
    after = _only_decidable(rows, departed, after)
    leaving = [row for row in rows if row.row in departed]
    rewritten = [row for row in rows if row.row in after]
    arrived = _arrived(plan, chance, leaving, rewritten, after)
    shown = [_Shown(n, r.cells, None if r.row in departed else after.get(r.row, r.cells)) for n, r in enumerate(rows)]
    if plan.family in (REPEATED, LISTED_AGAIN):
        twice = [(n, row, after[row.row]) for n, row in enumerate(rows) if row.row in after]
        for n, row, again in twice:
            shown[n] = _Shown(n, row.cells, row.cells)
            shown.append(_Shown(n, row.cells if plan.family == REPEATED else None, again))
    shown += [_Shown(n, None, cells) for n, cells in enumerate(arrived, start=len(rows))]
    repeated = _repeated(plan, chance, departed, after)
    return _as_case(plan, chance, shown, repeated, corrected=len(after))


@dataclass(frozen=True, slots=True)
class _Shown:
    """What an agreement shows in a row before and after; None where that row is not there."""

    agreement: int
    before: Cells | None
    after: Cells | None


def _repeated(plan: Plan, chance: Random, departed: set[int], after: dict[int, Cells]) -> list[_Shown]:
    """Rows that the later side lists once more, half of them of the state and day of a row that is corrected."""
    leaving = [row for row in plan.base.rows if row.row in departed]
    rewritten = [row for row in plan.base.rows if row.row in after]
    days = {(row.cells.state, row.cells.signed) for row in rewritten}
    near = [n for n, row in enumerate(plan.base.rows) if (row.cells.state, row.cells.signed) in days]
    found = []
    for _ in range(plan.duplicates):
        number = chance.choice(near) if near and chance.random() < 0.5 else chance.randrange(len(plan.base.rows))
        row = plan.base.rows[number]
        if (
            row.row in departed
            or (
                plan.family in (REPEATED, LISTED_AGAIN) and row.row in after
            )  # one more row than before, and it is another agreement's
            or any(_could_continue(row, left) for left in leaving)
            or any(_rivals(row, r, after[r.row]) for r in rewritten if r is not row)
        ):
            continue
        found.append(_Shown(number, row.cells, after.get(row.row, row.cells)))
    return found


def _departed(plan: Plan, chance: Random, here: Sequence[Listing]) -> set[int]:
    """Some rows that leave, half of them from the state that is corrected. Never more than a third of the list."""
    rows = plan.base.rows
    count = min(plan.departures, len(rows) // 3)
    near = chance.sample(here, min(count // 2, len(here) // 3))
    return {row.row for row in (*near, *chance.sample(rows, count - len(near)))}


def _corrected(plan: Plan, chance: Random, staying: Sequence[Listing], here: Sequence[Listing]) -> dict[int, Cells]:
    """The rows that are corrected, by row number: some anywhere, or a share of one state's."""
    rate = RATES[plan.rate]
    if plan.rate == WHOLE_LIST:
        chosen = list(staying)
    elif isinstance(rate, int):
        chosen = chance.sample(staying, min(rate, len(staying)))
    else:
        chosen = chance.sample(here, max(1, round(rate * len(here))) if here else 0)
    if plan.family == SWAPPED_DOCUMENTS:
        return _swapped_documents(chosen)
    if plan.family == SWAPPED_AND_MISSPELT:
        swapped = _swapped_documents(chosen)
        return {
            number: misspelt(cells, chance) or cells if i % 2 else cells
            for i, (number, cells) in enumerate(swapped.items())
        }
    if plan.family == LISTED_AGAIN:
        chosen = [row for row in chosen if row.values.moa and row.values.signed]
    correct = Corrector(plan.family, plan.seed, plan.alike)
    found = ((row.row, correct(row.cells, row.row)) for row in chosen)
    return {number: cells for number, cells in found if cells}


def _swapped_documents(rows: Sequence[Listing]) -> dict[int, Cells]:
    found = {}
    with_document = [row for row in rows if row.cells.moa_address]
    for one, other in zip(with_document[::2], with_document[1::2], strict=False):
        found[one.row] = replace(one.cells, moa_address=other.cells.moa_address)
        found[other.row] = replace(other.cells, moa_address=one.cells.moa_address)
    return found


def _arrived(
    plan: Plan, chance: Random, leaving: Sequence[Listing], rewritten: Sequence[Listing], after: dict[int, Cells]
) -> list[Cells]:
    """Agreements that come: invented, or taken from later real lists; some signed on the day of one that leaves."""
    taken: set[object] = {key(row.values) for row in plan.base.rows}
    taken |= {key(listing(0, cells).values) for cells in after.values()}
    taken |= {document_name(row.values.moa) for row in plan.base.rows if row.values.moa}
    batch = [row.cells for row in (*leaving, *rewritten)] or [plan.base.rows[0].cells]
    found = []
    for _ in range(plan.arrivals):
        beside = chance.choice(batch)
        if plan.base.later and chance.random() < 0.5:
            cells = chance.choice(plan.base.later)
            if cells.signed and chance.random() < 0.5:
                cells = replace(cells, signed=beside.signed)
        else:
            cells = invented(chance, beside.state, beside.signed if chance.random() < 0.5 else "")
            if plan.base.list is ListName.PENDING:
                cells = replace(cells, signed="", moa="", moa_address="")
        row = listing(0, cells)
        if key(row.values) in taken or document_name(row.values.moa) in taken:
            continue
        if any(_could_continue(row, left) for left in leaving) or any(_rivals(row, r, after[r.row]) for r in rewritten):
            continue
        taken |= {key(row.values), *([document_name(row.values.moa)] if row.values.moa else [])}
        found.append(cells)
    return found


def _as_case(plan: Plan, chance: Random, shown: Sequence[_Shown], again: Sequence[_Shown], corrected: int) -> Case:
    """Number and shuffle the rows of both sides; `again`: those that the later side repeats."""
    old_rows = [(s.agreement, s.before) for s in shown if s.before]
    new_rows = [(s.agreement, s.after) for s in (*shown, *again) if s.after]
    if plan.undone:
        old_rows, new_rows = new_rows, old_rows
    chance.shuffle(old_rows)
    chance.shuffle(new_rows)
    seen: set[int] = set()
    old = []
    for number, (agreement, cells) in enumerate(old_rows, start=2):
        old.append(Standing(agreement, listing(number, cells), spare=agreement in seen))
        seen.add(agreement)
    new = tuple(listing(number, cells) for number, (_, cells) in enumerate(new_rows, start=2))
    shows = {
        row.row: agreement if agreement in seen else None for row, (agreement, _) in zip(new, new_rows, strict=True)
    }
    return Case(plan, tuple(old), new, shows, corrected)


def taken_back(case: Case, matching: Matching) -> Case:
    """The publication after a case that was matched: corrections are undone, departures and arrivals stand."""
    came = {row.row: len(case.old) + n for n, row in enumerate(matching.came, start=10_000)}
    came |= {second.row: came[first.row] for second, first in matching.twins}
    numbers = came | {m.new.row: m.old.agreement for m in (*matching.matches, *matching.spares)}
    spares = {m.new.row for m in matching.spares} | {second.row for second, _ in matching.twins}
    before = {s.agreement: s.listing.cells for s in case.old if not s.spare}
    old = tuple(Standing(numbers[row.row], row, row.row in spares) for row in case.new)
    new = tuple(listing(row.row, before.get(numbers[row.row], row.cells)) for row in case.new)
    return replace(case, old=old, new=new, shows=dict(numbers))


# --- what nobody could tell --------------------------------------------------------------------------------

_FIELDS = ("state", "agency", "county", "support_type", "signed", "moa", "addendum")


def _only_decidable(rows: Sequence[Listing], departed: set[int], after: dict[int, Cells]) -> dict[int, Cells]:
    """The corrections that can be told from a departure and an arrival."""
    by_row = {row.row: row for row in rows}
    by_key = {key(row.values): row for row in rows}
    agencies = {(row.values.state, row.values.agency) for row in rows}
    moving = [row for row in rows if row.row in departed or row.row in after]
    alike_but_for = _AlikeBut(moving)
    carried = Counter(document_name(row.values.moa) for row in rows)
    of_agency: defaultdict[object, list[Listing]] = defaultdict(list)
    for row in moving:
        of_agency[row.values.state, row.values.agency].append(row)
    kept: dict[int, Cells] = {}
    holders: defaultdict[Key, list[Listing]] = defaultdict(list)
    for number, cells in after.items():
        row, now = by_row[number], listing(number, cells)
        changed = tuple(name for name in _FIELDS if getattr(row.values, name) != getattr(now.values, name))
        holder = by_key.get(key(now.values))
        if (
            (holder and holder.row != number and _takes_anothers_place(now, holder, moving))
            or any(not _told_apart(now, other) for other in holders[key(now.values)])
            or any(_as_near_to_another(changed, row, now, q) for q in alike_but_for(changed, now) if q.row != number)
            or any(_model_of_another(row, now, q) for q in of_agency[now.values.state, now.values.agency])
            or any(_nearer_to_another_model(row, now, q) for q in of_agency[row.values.state, row.values.agency])
            or _another_is_county(now, row)
            or _nothing_but_the_name(row, now, (now.values.state, now.values.agency) in agencies)
            or _another_word_of_place(row, now)
            or _nothing_but_a_shared_document(row, now, carried)
        ):
            continue
        kept[number] = cells
        holders[key(now.values)].append(now)
    return kept


class _AlikeBut:
    """Finds the rows that agree with a corrected one in all but the corrected fields."""

    def __init__(self, rows: Sequence[Listing]) -> None:
        self._rows = rows
        self._found: dict[tuple[str, ...], dict[Hashable, list[Listing]]] = {}

    def __call__(self, fields: tuple[str, ...], now: Listing) -> Sequence[Listing]:
        if not set(fields) & {"state", "agency", "support_type"}:
            return ()
        if fields not in self._found:
            index = self._found[fields] = defaultdict(list)
            for row in self._rows:
                index[_without(fields, row.values)].append(row)
        return self._found[fields].get(_without(fields, now.values), ())


def _without(fields: Iterable[str], values: Values) -> Hashable:
    return tuple(getattr(values, name) for name in _FIELDS if name not in fields)


def _takes_anothers_place(now: Listing, holder: Listing, moving: Sequence[Listing]) -> bool:
    """The corrected row has the key (state, agency, model) of another row, which leaves or is itself corrected, or
    which has the same date and no other document: a model replaced by the one that the agency has already, say. What
    reads like another agreement in everything that identifies one *is* that agreement to any reader."""
    return holder in moving or not _told_apart(now, holder)


def _told_apart(one: Listing, other: Listing) -> bool:
    """Whether two rows of one key say which agreement they are: by their dates, or by their documents."""
    a, b = one.values, other.values
    dates = a.signed and b.signed and a.signed != b.signed
    return bool(dates or (a.moa and b.moa and document_name(a.moa) != document_name(b.moa)))


def _as_near_to_another(changed: Sequence[str], row: Listing, now: Listing, other: Listing) -> bool:
    """Another row that leaves, or is itself corrected, differs from the corrected row in the same cells alone, and
    its text is as near: two models of one agency signed the same day, of which one goes and the other is renamed;
    "Pimal", beside both Pima and Pinal."""
    if "agency" not in changed:
        return True
    distance = OSA.distance(now.values.agency, other.values.agency)
    return distance <= OSA.distance(now.values.agency, row.values.agency)


def _model_of_another(row: Listing, now: Listing, other: Listing) -> bool:
    """A corrected model, and another agreement of the agency, signed the same day, that leaves or is corrected too."""
    return (
        other.row != row.row and row.values.support_type is not now.values.support_type and not _told_apart(now, other)
    )


def _nearer_to_another_model(row: Listing, now: Listing, other: Listing) -> bool:
    """A name and a date or document corrected at once, beside another agreement of the agency that leaves or is
    corrected too, under another model: the one's day or document may then be the other's."""
    a, b = row.values, now.values
    both = a.agency != b.agency and (a.signed != b.signed or (a.moa and b.moa and a.moa != b.moa))
    return bool(both) and other.row != row.row


def _another_is_county(now: Listing, row: Listing) -> bool:
    """A slip that makes a real county's name of another real county's ("Hall" to "Hale" in Texas). Two real counties
    are two agencies (Pima, Pinal), unless the document or the COUNTY cell says that they are one."""
    a, b = row.values, now.values
    one, other = county_in(a.agency), county_in(b.agency)
    state = b.state or a.state
    said = a.moa or (a.county and a.county == b.county)
    return one != other and is_county(state, one) and is_county(state, other) and not said


_WORDS_OF_PLACE = frozenset(
    "north south east west new old upper lower fort mount saint port point park lake isle hill hills mills "
    "bay key city county town township borough village".split()
)


def _another_word_of_place(row: Listing, now: Listing) -> bool:
    """A slip that makes another place's name of it: East to West, Fort to Port, League City to "Cnty"; A&M to A&I."""
    one, other = set(row.values.agency.split()), set(now.values.agency.split())
    initials = any(len(word) == 1 and word.isalpha() for word in one - other)
    return initials or bool((one - other) & _WORDS_OF_PLACE and (other - one) & _WORDS_OF_PLACE)


def _nothing_but_the_name(row: Listing, now: Listing, agency_listed: bool) -> bool:
    """Where there is no date and no document (the pending list), a row that moves to another state, model or office
    is as likely another application: twenty states have a Jackson County, and agencies do apply for one model after
    another (Nov. 26, 2025: two counties in one publication)."""
    a, b = row.values, now.values
    if a.signed or a.moa:
        return False
    moved = a.state != b.state and b.state is not None and a.state is not None
    other_model = a.support_type != b.support_type and a.support_type is not None and b.support_type is not None
    return moved or other_model or _another_office(a.agency, b.agency)


def _nothing_but_a_shared_document(row: Listing, now: Listing, carried: Counter[str]) -> bool:
    """Another name altogether, and a document that other rows carry as well: nothing is left that says which."""
    name = document_name(now.values.moa)
    return bool(name) and carried[name] > 1 and not _nearly_one_place(_place(row.values), _place(now.values))


def _another_office(one: str, other: str) -> bool:
    """Whether two names differ by whole words that say which office, or what part of it."""
    counts = Counter(one.split()), Counter(other.split())
    words = "jail prison detention corrections commissioners safety division city police".split()
    return OSA.distance(one, other) > 2 and any(counts[0][word] != counts[1][word] for word in words)


def _could_continue(came: Listing, left: Listing) -> bool:
    """An arrival that could be the departed row corrected: same day (or none), same state or same name, the same place
    or nearly, and no documents that differ. The truth calls such pairs one agreement (a county's sheriff, then its
    prison, Sept. 30, 2025)."""
    a, b = came.values, left.values
    if _told_apart(came, left):
        return False
    if a.agency == b.agency:
        return True
    return a.state == b.state and _nearly_one_place(_place(a), _place(b))


def _rivals(came: Listing, row: Listing, after: Cells) -> bool:
    """An arrival that continues a corrected row as well as its correction does: signed the same day, of the very
    agency whose state, model or office is corrected; or nearly of its name, as the same row of a later list."""
    if _told_apart(came, row):
        return False
    a, b, now = came.values, row.values, listing(0, after).values
    if a.agency == b.agency:
        small = OSA.distance(now.agency, b.agency) <= 2
        return not small or now.state != b.state or now.support_type is not b.support_type
    return a.state == b.state and _nearly_one_place(_place(a), _place(b))


_GENERIC = frozenset(
    "the of and for in at county parish city town township borough village police sheriff constable marshal department "
    "office division services service bureau agency state public law center regional jail authority detention "
    "corrections correctional board commissioners trustees attorney safety precinct district".split()
)


def _place(values: Values) -> frozenset[str]:
    own = [*STATES[values.state].casefold().split(), values.state.casefold()] if values.state else []
    return frozenset(values.agency.split()) - _GENERIC - {*own}


def _nearly_one_place(one: frozenset[str], other: frozenset[str]) -> bool:
    def has(word: str, words: Iterable[str]) -> bool:
        return any(OSA.normalized_distance(word, w) <= 0.4 for w in words)

    return all(has(word, other) for word in one) and all(has(word, one) for word in other)


def words_of(mistakes: Mistakes) -> Iterator[str]:
    """Every mistake as a line, for whoever reads a failing test."""
    names = ("false termination", "false new", "missed departure", "missed arrival", "crossed")
    return chain.from_iterable(
        (f"{name}: {m}" for m in found) for name, found in zip(names, mistakes.all(), strict=True)
    )
