"""Pure: how alike two agencies' names are, and in what way.

Likeness alone never makes two listings one agreement (Milford and Milton Borough are 95 % alike); `match` asks for a
second, independent signal. What this file knows is English and American local government, not any agency.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from functools import lru_cache

from rapidfuzz.distance import OSA

from monitor.geography import county_in, is_county
from monitor.normalize import ABBREVIATIONS, ORDINALS, POSSESSIVES, STATES, agency, folded


class Likeness(IntEnum):
    """How alike two comparable names are, the weakest first."""

    DIFFERENT = 0
    RESEMBLES = 1  # one word looks much like another's, or one is left over
    SAME_PLACE = 2  # another office of the same place (sheriff and jail), or a part of the same body
    REWORDED = 3  # the same but for a word that seldom tells agencies apart: "Borough", "Police"
    WORDING = 4  # the same but for words that never do: "City of", "Department", the state's own name
    SPELLING = 5  # the same but for typing errors
    EQUAL = 6


# Words that say what kind of office it is: two names that differ in these alone are two offices of one place.
_UNITS = frozenset(
    "police sheriff constable marshal jail detention corrections correctional correction prison "
    "rehabilitation commissioners commission board trustees supervisors attorney prosecutor "
    "safety patrol troopers guard enforcement investigation investigations facility".split()
)
# Each of these is its own: a county's sheriff is not a town's police.
_HEADS = frozenset("police sheriff constable marshal".split())
# Words that say that something is a part of a larger body.
_PARTS = _UNITS | frozenset("division bureau unit section branch squad force".split())
# Words that say what form of government a place has. One may be left out; two different ones are two places.
_FORMS = frozenset("city town township borough village county parish".split())
# Words that are left out or put in without meaning another agency; some of them only beside another:
# "State Police" is a filler's use of "state", "State University" is not.
_FILLERS = frozenset("the of and for a in at department office division services service bureau agency".split())
# What may follow the name of an agency in the name of its document.
_AFTER_A_NAME = _UNITS | frozenset(
    "pd so dept department office tfm wso jem moa taskforce task sheriffs of and".split()
)
_SAYING_NOTHING = frozenset("the of and for a in at department office".split())
_FILLERS_BEFORE = {
    "public": frozenset({"safety"}),
    "law": frozenset({"enforcement"}),
    "state": frozenset("police patrol troopers highway constable attorney".split()),
}
_FILLERS_AFTER = {"center": frozenset("detention correctional correction corrections jail".split())}
# Words that make another place of a place's name: Melbourne, West Melbourne, Melbourne Beach.
_QUALIFIERS = frozenset(
    "north south east west northern southern eastern western northeast northwest southeast southwest central "
    "upper lower middle new old big little great grand beach lake lakes island islands park heights hill hills "
    "spring springs shore shores grove bay port point river valley ridge creek fall falls garden gardens isle isles "
    "key keys harbor mount fort saint".split()
)
_SHORTER: dict[str, list[str]] = {}
for _abbreviation, _word in {**ABBREVIATIONS, **POSSESSIVES}.items():
    _SHORTER.setdefault(_word, []).append(_abbreviation)
# The words that each abbreviation stands for, the most words first.
_PARTS_OF = {
    abbreviation: frozenset(word.split()) - {"of"}
    for abbreviation, word in sorted(ABBREVIATIONS.items(), key=lambda pair: -len(pair[1].split()))
}
_ORDINAL_OF = {number: ordinal for ordinal, number in ORDINALS.items()}
_NOT_TELLING = _FILLERS | _FORMS | _UNITS


@lru_cache(maxsize=65536)
def likeness(one: str, other: str, state: str | None, county: str = "") -> Likeness:
    """How alike two comparable names (`normalize.agency`) are, as agencies of `state`.

    `county`: the comparable name of the county that both rows name, "" where they do not. Numbers must agree:
    precinct 1 is not precinct 2. Two names of real, different counties are two agencies however alike (Pima and
    Pinal), whereas a name that no county has is a typing error ("Freedom County").
    """
    if one == other:
        return Likeness.EQUAL
    if _only_spacing(_ordinals_in_words(one.split()), _ordinals_in_words(other.split())):
        return Likeness.SPELLING
    a, b = _numbers_read(one.split(), other.split())
    if _numbers(a) != _numbers(b) or (not county and _real_counties_differ(one, other, state)):
        return Likeness.DIFFERENT
    left, right, misread = _abbreviations_read(*_without_common(a, b))
    pairs = _typing_errors(left, right)
    loose = sum(not _is_slip(x, y) for x, y in pairs)
    if loose > 1 or any(_are_two(x, y) for x, y in pairs):
        return Likeness.DIFFERENT
    left, right = _less(left, [x for x, _ in pairs]), _less(right, [y for _, y in pairs])
    left, right = (_without_names(words, _names_of_state(state), county) for words in (left, right))
    misspelled = pairs or misread or a != one.split() or b != other.split()
    if left or right:
        most = _of_the_rest(left, right, a, b)
    else:
        most = Likeness.SPELLING if misspelled else Likeness.WORDING  # or the same words in another order
    return min(most, Likeness.RESEMBLES) if loose else most


def bare_name(name: str) -> str:
    """A comparable name without the words that never tell agencies apart: "City of", "Department", "Office".

    Equal for two names of one agency, and hardly ever for two agencies: of all names of 2025 it joins four pairs, each
    one agency ("City of Zephyrhills Police Department"). Typing errors are not mended. A "Town of" stays: beside the
    City of Poughkeepsie there is a Town of Poughkeepsie, each with a police department.
    """
    words = name.split()
    if words[:2] == ["city", "of"]:
        words = words[2:]
    return " ".join(word for word in words if word not in _SAYING_NOTHING) or name


def one_holds_the_other(one: str, other: str) -> bool:
    """Whether all words of one comparable name that tell agencies apart stand in the other: "Damascus County Constable"
    and "Damascus Township Constable", but also Melbourne and Melbourne Beach. A hint for a person, no evidence."""
    words = set(one.split()), set(other.split())
    heads = words[0] & _HEADS, words[1] & _HEADS
    if all(heads) and heads[0].isdisjoint(heads[1]):
        return False  # a county's sheriff, and the police of a town of that name
    a, b = (each - _NOT_TELLING for each in words)
    return bool(a and b) and (a <= b or b <= a)


def is_named_in(agency_name: str, document: str) -> bool:
    """Whether a document's file name says every word of a comparable name that tells agencies apart, each as a word.

    ICE has linked the document of another agency in a row: Edgewater's for Edgewood (July 7, 2025). File names run
    words together, so what follows a word must be the end, or what may follow a name: Lee is not in "leesburgpd".
    """
    words = agency_name.split()
    telling = [word for word in words if word not in _NOT_TELLING]
    text = re.sub(r"[^a-z0-9]+", "|", document.casefold())
    forms = {form for word in telling for form in (word, *_SHORTER.get(word, ()))}
    next_words = "|".join(sorted(forms | _AFTER_A_NAME | (_FORMS & set(words)), key=len, reverse=True))
    if "county" in words or "parish" in words:
        next_words += "|county|parish|co"
    after = rf"(?=$|[|0-9]|{next_words}|[a-z]{{2}}(?:$|[|0-9]|tfm|wso|jem|moa))"
    said = (re.search(rf"(?:{'|'.join((word, *_SHORTER.get(word, ())))}){after}", text) for word in telling)
    return bool(telling) and all(said)


def _of_the_rest(left: list[str], right: list[str], a: list[str], b: list[str]) -> Likeness:
    """The likeness that words left over on either side (`left` of `a`, `right` of `b`) allow."""
    forms = _forms(left), _forms(right)
    if forms[0] and forms[1] and forms[0] != forms[1]:
        return Likeness.DIFFERENT  # a township, and the borough of that name
    if _HEADS & set(left) and _HEADS & set(right):
        return Likeness.DIFFERENT
    common = set(a) & set(b)
    telling = _telling(left, a, common), _telling(right, b, common)
    if any(telling):
        return _of_a_telling_word(left, right, telling, common)
    units = bool(_UNITS & set(left)), bool(_UNITS & set(right))
    if all(units):
        return Likeness.SAME_PLACE
    form_said = forms[0] != forms[1] and not (_says_city_of(a) or _says_city_of(b))
    return Likeness.REWORDED if any(units) or form_said else Likeness.WORDING


def _says_city_of(name: list[str]) -> bool:
    """Whether a name begins by what every municipality may be called: "City of", "Town of"."""
    return name[:2] in (["city", "of"], ["town", "of"])


def _of_a_telling_word(
    left: list[str], right: list[str], telling: tuple[list[str], list[str]], common: set[str]
) -> Likeness:
    """The likeness of two names when one says more than the other.

    A part of a body may be listed under the whole ("Criminal Investigation Division" of a department), and where much
    else agrees one word more is no other agency ("…Safety and Homeland Security / THP"). Never so with a word that
    makes another place of a place's name.
    """
    if all(telling) or any(word in _QUALIFIERS for side in telling for word in side):
        return Likeness.DIFFERENT
    longer, shorter = (left, right) if telling[0] else (right, left)
    if _PARTS & set(longer) and not set(shorter) - _FILLERS:
        return Likeness.SAME_PLACE
    one_word = max(map(len, telling)) == 1
    return Likeness.RESEMBLES if one_word and len(common - _NOT_TELLING) >= 3 else Likeness.DIFFERENT


def _without_common(a: list[str], b: list[str]) -> tuple[list[str], list[str]]:
    """What each has that the other has not, in order."""
    left, right = [], list(b)
    for word in a:
        if word in right:
            right.remove(word)
        else:
            left.append(word)
    return left, right


# --- typing errors -----------------------------------------------------------------------------------------


def _only_spacing(a: list[str], b: list[str]) -> bool:
    """Whether two names differ in where one word ends: "South Hampton", "Co unty", "Fo urth Ward"."""
    if len(a) == len(b):
        return False
    one, other = "".join(a), "".join(b)
    return one == other or other in _abbreviating_one(a) or one in _abbreviating_one(b)


def _ordinals_in_words(words: list[str]) -> list[str]:
    """The words with "fourth" for 4, as which it was typed where a part was torn off or run on."""
    return [_ORDINAL_OF.get(word, word) for word in words]


def _abbreviating_one(words: list[str]) -> Iterator[str]:
    """The words run together, each in turn by its abbreviation or possessive, as which a part of a word that was torn
    off or run on may have been read."""
    for i, word in enumerate(words):
        for abbreviation in _SHORTER.get(word, ()):
            yield "".join([*words[:i], abbreviation, *words[i + 1 :]])


def _typing_errors(left: list[str], right: list[str]) -> list[tuple[str, str]]:
    """Words of each side that look like each other misspelled, the nearest first, each used once."""
    near = sorted(
        (OSA.normalized_distance(left[i], right[j]), i, j)
        for i in range(len(left))
        for j in range(len(right))
        if _resembles(left[i], right[j])
    )
    pairs: list[tuple[str, str]] = []
    used: set[tuple[str, int]] = set()
    for _, i, j in near:
        if ("left", i) not in used and ("right", j) not in used:
            used |= {("left", i), ("right", j)}
            pairs.append((left[i], right[j]))
    return pairs


def _resembles(x: str, y: str) -> bool:
    if x.isdigit() or y.isdigit():
        return False
    longest = max(len(x), len(y))
    return longest >= 2 and OSA.distance(x, y) <= max(1, 0.4 * longest)


def _is_slip(x: str, y: str) -> bool:
    """One typing error, two in a longer word."""
    return OSA.distance(x, y) <= (1 if max(len(x), len(y)) <= 5 else 2)


def _are_two(x: str, y: str) -> bool:
    """Whether two words that look alike are two words all the same: East and West, Fort and Port; not Spring(s)."""
    both = {x, y}
    return (both <= _QUALIFIERS or both <= _FORMS or both <= _HEADS) and x.rstrip("s") != y.rstrip("s")


def _numbers(words: Sequence[str]) -> list[str]:
    return sorted(word for word in words if word.isdigit())


def _numbers_read(a: list[str], b: list[str]) -> tuple[list[str], list[str]]:
    """Two names with a misspelled ordinal read where the other name has that number ("Fouth Ward", "Fourth Ward")."""
    return _read_like(a, set(_numbers(b)).difference(a)), _read_like(b, set(_numbers(a)).difference(b))


def _read_like(words: list[str], missing: set[str]) -> list[str]:
    if not missing:
        return words
    ordinals = {ordinal: number for ordinal, number in ORDINALS.items() if number in missing}
    return [next((n for o, n in ordinals.items() if OSA.distance(o, word) <= 1), word) for word in words]


def _abbreviations_read(left: list[str], right: list[str]) -> tuple[list[str], list[str], bool]:
    """Two names without a misspelled abbreviation on one side and its words on the other, and whether there was one.

    "Pcct." stands for precinct, and "So." may be a slip for "St.", though it reads as another abbreviation.
    """
    misread = False
    for abbreviation, parts in _PARTS_OF.items():
        for short, long in ((left, right), (right, left)):
            if parts <= set(long):
                slips = (word for word in _misspelled(short, parts) if _one_slip(abbreviation, word))
                if slip := next(slips, None):
                    short[:] = _less(short, _PARTS_OF.get(slip, (slip,)))
                    long[:] = _less(long, parts)
                    misread = True
    return left, right, misread


def _misspelled(words: list[str], parts: frozenset[str]) -> Iterator[str]:
    """What among these words may be a misspelled abbreviation of `parts`: a short word that says nothing by itself; of
    Fort, Saint and Mount, also the abbreviation of another kind of word that it reads as."""
    yield from (w for w in words if len(w) <= 5 and w not in _NOT_TELLING and w not in _QUALIFIERS)
    if parts <= _QUALIFIERS:
        have = set(words)
        yield from (short for short, read in _PARTS_OF.items() if read <= have and not read <= _QUALIFIERS)


def _one_slip(x: str, y: str) -> bool:
    return abs(len(x) - len(y)) <= 1 and OSA.distance(x, y) == 1


def _less(words: list[str], fewer: Iterable[str]) -> list[str]:
    """The words without one each of `fewer`."""
    rest = list(words)
    for word in fewer:
        rest.remove(word)
    return rest


# --- what words say ----------------------------------------------------------------------------------------


def _telling(rest: list[str], name: list[str], common: set[str]) -> list[str]:
    """The words that could tell two agencies apart: those of `rest` that are no filler, form or unit in `name`, and
    that the other name has not got at all ("County of Franklin / Franklin County Jail")."""
    fillers = {
        word
        for before, word, after in zip(["", *name], name, [*name[1:], ""], strict=False)
        if after in _FILLERS_BEFORE.get(word, ()) or before in _FILLERS_AFTER.get(word, ())
    }
    return [word for word in rest if word not in _NOT_TELLING and word not in fillers and word not in common]


def _forms(words: list[str]) -> set[str]:
    """The forms of government among these words; Louisiana's parishes are counties."""
    return {"county" if word == "parish" else word for word in words if word in _FORMS}


def _names_of_state(state: str | None) -> list[str]:
    """How a state's own name may stand in the name of one of its agencies: in full, or by its two letters."""
    return [folded(STATES[state]), agency(state)] if state else []


def _without_names(words: list[str], state: Sequence[str], county: str) -> list[str]:
    """The words without the names of the state and of the county, where one stands whole: of "West Virginia" never
    "West" alone, and of Lake County never "Lake", which make another place of a place."""
    names = [name.split() for name in (*state, *([] if county in _QUALIFIERS else [county]))]
    for name in names:
        if set(name) <= set(words):
            words = [word for word in words if word not in name]
    return words


def _real_counties_differ(one: str, other: str, state: str | None) -> bool:
    a, b = county_in(one), county_in(other)
    return a != b and is_county(state, a) and is_county(state, b)
