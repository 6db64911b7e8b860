"""Corrections of one cell of one row, of every kind that ICE's lists have shown (quirks.md), by family.

Each takes a row and a source of chance and returns the row corrected, or None where there is nothing to correct in
that way. What of this can be told from a real departure is for `generated` to say.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from urllib.parse import quote

from monitor.geography import county_in
from monitor.model import Cells, SupportType
from monitor.normalize import STATES, agency, signed, state, values

Correction = Callable[[Cells, Random], Cells | None]


def _cell(name: str, rewrite: Callable[[str, Random], str | None]) -> Correction:
    """A correction of one cell's text; None where nothing changes."""

    def correct(cells: Cells, chance: Random) -> Cells | None:
        before: str = getattr(cells, name)
        after = rewrite(before, chance)
        return None if after is None or after == before else replace(cells, **{name: after})

    return correct


# --- typing errors -----------------------------------------------------------------------------------------


def drop(text: str, at: int, chance: Random) -> str:
    return text[:at] + text[at + 1 :]


def double(text: str, at: int, chance: Random) -> str:
    return text[:at] + text[at] + text[at:]


def swap(text: str, at: int, chance: Random) -> str:
    return text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :]


def another_letter(text: str, at: int, chance: Random) -> str:
    letter = chance.choice(string.ascii_lowercase)
    return text[:at] + (letter.upper() if text[at].isupper() else letter) + text[at + 1 :]


def slip(*ways: Callable[[str, int, Random], str]) -> Callable[[str, Random], str | None]:
    """One typing error at one letter. Digits are left alone: another digit is another precinct, never a slip."""

    def rewrite(text: str, chance: Random) -> str | None:
        way = chance.choice(ways)
        letters = [i for i, c in enumerate(text) if c.isalpha() and (way is not swap or text[i + 1 : i + 2].isalpha())]
        return way(text, chance.choice(letters), chance) if letters else None

    return rewrite


def two_slips(text: str, chance: Random) -> str | None:
    """A typing error in each of two long words."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if len(long) < 2:
        return None
    for i in chance.sample(long, 2):
        words[i] = slip(drop, double, swap, another_letter)(words[i], chance) or words[i]
    return " ".join(words)


# --- the agency --------------------------------------------------------------------------------------------


def other_case(text: str, chance: Random) -> str:
    return chance.choice((str.upper, str.lower, str.title, str.swapcase))(text)


def other_spacing(text: str, chance: Random) -> str | None:
    """Spaces around, doubled, non-breaking, forgotten, or put into a word."""
    words = text.split()
    way = chance.randrange(5)
    if way == 0:
        return chance.choice((f" {text}", f"{text} ", f"{text}\u00a0", f"\t{text}\n"))
    if len(words) < 2:
        return None
    gap = chance.randrange(1, len(words))
    if way <= 2:
        wide = ("  ", "\u00a0")[way - 1]
        return f"{' '.join(words[:gap])}{wide}{' '.join(words[gap:])}"
    if way == 3:
        # A digit run into another would make another number.
        if words[gap - 1][-1].isalpha() and words[gap][0].isalpha():
            return " ".join([*words[: gap - 1], words[gap - 1] + words[gap], *words[gap + 1 :]])
        return None
    long = [i for i, word in enumerate(words) if len(word) >= 6 and word.isalpha()]
    if not long:
        return None
    i = chance.choice(long)
    at = chance.randrange(2, len(words[i]) - 2)
    return " ".join([*words[:i], words[i][:at], words[i][at:], *words[i + 1 :]])


def other_punctuation(text: str, chance: Random) -> str:
    marks = {
        "'": ("’", "`", "‘", "", "ʼ"),
        "’": ("'", "`", ""),
        "-": (" ", " - ", "– "),
        ".": ("",),
        ",": ("", " -", " /"),
        "/": (" / ", " - ", ", "),
        " - ": ("- ", ", ", " "),
        "&": ("and",),
        " and ": (" & ",),
    }
    found = [mark for mark in marks if mark in text]
    if not found:
        return f"{text}{chance.choice('.,')}"
    mark = chance.choice(found)
    return text.replace(mark, chance.choice(marks[mark]))


def apostrophe_misread(text: str, chance: Random) -> str | None:
    """A curly apostrophe that was written as UTF-8 and read as Windows-1252."""
    curly = re.sub(r"['`‘]", "’", text)
    return curly.encode().decode("cp1252") if curly.count("’") and re.sub("’", "", curly).isascii() else None


# Long forms beside their abbreviations; each may be written for the other, either way.
ABBREVIATED: Sequence[tuple[str, Sequence[str]]] = (
    ("Board of County Commissioners", ("BOCC", "B.O.C.C.")),
    ("Department of Public Safety", ("DPS", "D.P.S.", "Dept. of Public Safety")),
    ("Police Department", ("PD", "P.D.", "Police Dept.", "Police Dept")),
    ("Sheriff's Office", ("SO", "S.O.", "Sheriff's Ofc.")),
    ("Sheriff's Department", ("Sheriff's Dept.", "Sheriff's Dept")),
    ("Department", ("Dept.", "Dept")),
    ("Township", ("Twp.", "Twp", "TWP")),
    ("Borough", ("Boro", "Boro.")),
    ("County", ("Co.", "Cnty.")),
    ("Fort", ("Ft.", "Ft")),
    ("Saint", ("St.", "St")),
    ("Mount", ("Mt.", "Mt")),
    ("University", ("Univ.",)),
    ("Precinct", ("Pct.", "Pct")),
    ("Fourth", ("4th",)),
    ("Sixth", ("6th",)),
    ("District 4", ("4th District",)),
)


def abbreviated(text: str, chance: Random) -> str | None:
    """An abbreviation written out, or the other way round."""
    ways = []
    for long, shorts in ABBREVIATED:
        if re.search(rf"\b{long}\b", text):
            ways.append(re.sub(rf"\b{long}\b", chance.choice(shorts), text, count=1))
        for whole in (rf"(?<![\w.]){re.escape(short)}(?![\w.])" for short in shorts):
            if re.search(whole, text):
                ways += [re.sub(whole, long, text, count=1)]
    return chance.choice(ways) if ways else None


def city_of(text: str, chance: Random) -> str | None:
    """`City of` or `Town of` put in before a municipality's police, or left out."""
    if re.match(r"\s*(?:City|Town) of ", text):
        return re.sub(r"^\s*(?:City|Town) of ", "", text)
    municipal = re.search(r"\b(?:Police|PD|Public Safety)\b", text)
    other = re.search(r"\b(?:County|Parish|University|College|State|Township|Borough|Village|Authority)\b", text)
    return f"{chance.choice(('City', 'Town'))} of {text.strip()}" if municipal and not other else None


def sheriff(text: str, chance: Random) -> str | None:
    """A sheriff's office called department, or by the title alone."""
    found = re.search(r"Sheriff(['’]?s)?(?: (?:Office|Department|Dept\.?))?\s*$", text)
    if not found:
        return None
    return text[: found.start()] + chance.choice(
        ("Sheriff's Office", "Sheriff's Department", "Sheriff’s Office", "Sheriff", "Sheriff Department")
    )


def other_office(text: str, chance: Random) -> str | None:
    """An agreement re-listed under another office of the same place, or under the place itself."""
    if found := re.match(r"(.+ (?:County|Parish)) Sheriff['’]?s Office\s*$", text):
        return f"{found[1]} " + chance.choice(
            ("Jail", "Board of County Commissioners", "Corrections Department", "Detention Center", "Prison")
        )
    if found := re.match(r"(?!City|Town)(.+) Police Department\s*$", text):
        return chance.choice((f"City of {found[1]}", f"{found[1]} Department of Public Safety"))
    if found := re.match(r"(.+ Department of .+?)\s*$", text):
        return f"{found[1]}, Criminal Investigation Division"
    return None


def under_its_parent(cells: Cells, chance: Random) -> Cells | None:
    """An agreement re-listed under the name of the body that its agency is a part of; its document and day stay."""
    code = state(cells.state)
    if code is None or not cells.moa_address or not signed(cells.signed):
        return None
    county = cells.county.strip()
    parents = [
        f"{STATES[code]} Department of Public Safety",
        f"Office of the {STATES[code]} Attorney General",
        f"{STATES[code]} Department of Agriculture and Consumer Services",
    ]
    if county_in(agency(county)):
        parents += [f"{county} Board of Commissioners", f"{county} Government"]
    name = chance.choice([parent for parent in parents if parent != cells.agency])
    return replace(cells, agency=name)


def with_state(cells: Cells, chance: Random) -> Cells | None:
    """The state's name put before (or after) the name of one of its agencies, or left out."""
    code = state(cells.state)
    if code is None:
        return None
    own, name = STATES[code], cells.agency.strip()
    if name.startswith(own + " "):
        rest = name.removeprefix(own).strip()
        if re.match(r"(?:Department|Office|Bureau|Division) o", rest):
            return replace(cells, agency=rest)
        return None
    if re.match(r"(?:Department|Office|Bureau|Division) o", name):
        return replace(cells, agency=f"{chance.choice((own, code))} {name}")
    return replace(cells, agency=f"{name}, {code}")


# --- the other cells ---------------------------------------------------------------------------------------


def other_state(text: str, chance: Random) -> str:
    return chance.choice([name for code, name in STATES.items() if code != state(text)]).upper()


def state_written_otherwise(text: str, chance: Random) -> str:
    code = state(text)
    ways = [text.title(), text.lower(), f"{text} ", f" {text}", text.replace(" ", "  "), *([code] if code else [])]
    return chance.choice(ways)


def unknown_state(text: str, chance: Random) -> str:
    return chance.choice(("", "#N/A", "XXXXXX", "US", "COUNTY", "Jail Enforcement Model"))


def county_filled_or_emptied(text: str, chance: Random) -> str:
    nothing = ("", "#N/A", "N/A", "#NA")
    if text.strip() in nothing:
        return chance.choice(("Washington County", "Jackson County", "Hillsborough County", *nothing))
    return chance.choice(nothing)


def other_county(text: str, chance: Random) -> str:
    return chance.choice(("Washington County", "Jackson County", "Clay County", "Lee County", "Polk County"))


MODELS = {
    SupportType.JAIL: (
        "Jail Enforcement Model ",
        "Jail Enforcment Model",
        "JAIL ENFORCEMENT",
        "Jail  Enforcement Model",
    ),
    SupportType.TASK_FORCE: ("Task Force Model ", "Task Force Officer", "Taskforce Model", "TFM"),
    SupportType.WARRANT: ("Warrant Services Officer", "Warrant Service Office", "Warrant Service Officer ", "WSO"),
}


def model_variant(text: str, chance: Random) -> str | None:
    """The same model in another of the forms that stood in the lists."""
    for model, variants in MODELS.items():
        if text.strip() in (str(model), *(v.strip() for v in variants)):
            return chance.choice((str(model), *variants))
    return None


def other_model(text: str, chance: Random) -> str:
    return chance.choice([str(model) for model in SupportType if str(model) != text.strip()])


def day_shifted(text: str, chance: Random) -> str | None:
    try:
        day = date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
    return (day + timedelta(days=chance.choice((-31, -30, -14, -7, -1, 1, 7, 14, 28, 30, 31)))).isoformat()


def year_mistyped(text: str, chance: Random) -> str | None:
    return chance.choice(("2016", "2024", "2026", "5025", "2052")) + text[4:] if re.match(r"\d{4}-", text) else None


def date_as_text(text: str, chance: Random) -> str | None:
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text)
    if not found:
        return None
    year, month, day = found.groups()
    return chance.choice(
        (
            f"{month}/{day}{year}",
            f"{int(month)}/{int(day)}{year}",
            f"{month}/{day}/{year}",
            f"{month}.{day}.{year[2:]}",
            "",
        )
    )


def document_posted_or_withdrawn(cells: Cells, chance: Random) -> Cells:
    """`link pending` turned into a document, or a document back into `link pending`."""
    if cells.moa_address:
        return replace(cells, moa=chance.choice(("link pending", "Link Pending", "")), moa_address="")
    return replace(cells, moa="link", moa_address=_address(cells))


def other_document(cells: Cells, chance: Random) -> Cells | None:
    return replace(cells, moa_address=_address(cells, "_2")) if cells.moa_address else None


def _address(cells: Cells, more: str = "") -> str:
    name = "".join(re.findall(r"[A-Za-z]+", f"{cells.agency} {cells.state}"))
    model = "".join(word[0] for word in cells.support_type.split())
    return f"https://www.ice.gov/doclib/287gMOA/{name}_{model}_MOA_{cells.signed.replace('-', '')}{more}.pdf"


def address_rewrapped(cells: Cells, chance: Random) -> Cells | None:
    """The same document by another address: wrapped by Outlook or an archive, other scheme, other case."""
    address = cells.moa_address
    if not address.lower().startswith("https://www.ice.gov"):
        return None
    ways = (
        f"https://gcc02.safelinks.protection.outlook.com/?url={quote(address, safe='')}&data=05%7C02%7Ca.clerk",
        f"https://web.archive.org/web/20250811120000/{address}",
        f"chrome-extension://efaidnbmnnnibpcajpcglclefindmkaj/{address}",
        address.replace("https:", "http:"),
        address.removeprefix("https:"),
        address.replace("www.", ""),
        address.replace("/doclib/", "/Doclib/"),
        f"{address}?v=2",
    )
    return replace(cells, moa_address=chance.choice(ways))


def addendum_posted(cells: Cells, chance: Random) -> Cells:
    return replace(cells, addendum="link", addendum_address=_address(cells, "_addendum"))


def type_rewritten(text: str, chance: Random) -> str:
    return chance.choice(("County", "Municipality", "State Agency", "State", "Muncipality ", "#NA", "", f"{text} "))


def _both(*corrections: Correction) -> Correction:
    """Several corrections of one row: what goes together in ICE's lists, or happened to."""

    def correct(cells: Cells, chance: Random) -> Cells | None:
        for correction in corrections:
            cells = correction(cells, chance) or cells
        return cells

    return correct


def county_misspelt_everywhere(cells: Cells, chance: Random) -> Cells | None:
    """A county misspelt both in the agency's name and in the COUNTY cell, as "Lampass County" was."""
    name = cells.county.strip()
    if not name or name not in cells.agency:
        return None
    wrong = slip(drop, double, swap, another_letter)(name.removesuffix(" County"), chance) or name
    wrong += " County" * name.endswith(" County")
    return replace(cells, agency=cells.agency.replace(name, wrong), county=cells.county.replace(name, wrong))


# Two rows at once: `generated` gives each the other's document; and in the second, misspells one of the agencies.
SWAPPED_DOCUMENTS = "two rows swap documents"
SWAPPED_AND_MISSPELT = "two rows swap documents, one misspelt"
# One row that becomes two in `generated`: the first stays as it is while the second is misspelt.
REPEATED = "a row twice, one of them misspelt"
# One row beside which the same comes, misspelt; with its document, which says that it is the same.
LISTED_AGAIN = "a row listed again, misspelt"

_any_slip = slip(drop, double, swap, another_letter)
misspelt = _cell("agency", _any_slip)


def _where_a_county_is_named(*corrections: Correction) -> Correction:
    """Several corrections of one row, each of which must change it; None where its COUNTY cell names none."""

    def correct(cells: Cells, chance: Random) -> Cells | None:
        corrected: Cells | None = cells if values(cells).county else None
        for correction in corrections:
            corrected = correction(corrected, chance) if corrected else None
        return corrected

    return correct


def _posted(cells: Cells, chance: Random) -> Cells | None:
    return None if cells.moa_address else document_posted_or_withdrawn(cells, chance)


FAMILIES: Mapping[str, Sequence[Correction]] = {
    "agency: a letter left out": (_cell("agency", slip(drop)),),
    "agency: a letter doubled": (_cell("agency", slip(double)),),
    "agency: two letters swapped": (_cell("agency", slip(swap)),),
    "agency: another letter": (_cell("agency", slip(another_letter)),),
    "agency: a slip in two words": (_cell("agency", two_slips),),
    "agency: case": (_cell("agency", other_case),),
    "agency: spacing": (_cell("agency", other_spacing),),
    "agency: punctuation": (_cell("agency", other_punctuation),),
    "agency: apostrophe misread": (_cell("agency", apostrophe_misread),),
    "agency: abbreviation": (_cell("agency", abbreviated),),
    "agency: City of": (_cell("agency", city_of),),
    "agency: the state's name": (with_state,),
    "agency: another office": (_cell("agency", other_office),),
    "agency: its parent's name": (under_its_parent,),
    "agency: Sheriff's Department": (_cell("agency", sheriff),),
    "state: misspelt": (_cell("state", _any_slip),),
    "state: written otherwise": (_cell("state", state_written_otherwise),),
    "state: another": (_cell("state", other_state),),
    "state: unknown": (_cell("state", unknown_state),),
    "county: misspelt": (_cell("county", _any_slip),),
    "county: filled or emptied": (_cell("county", county_filled_or_emptied),),
    "county: another": (_cell("county", other_county),),
    "model: misspelt": (_cell("support_type", _any_slip),),
    "model: variant": (_cell("support_type", model_variant),),
    "model: another": (_cell("support_type", other_model),),
    "signed: shifted": (_cell("signed", day_shifted),),
    "signed: year": (_cell("signed", year_mistyped),),
    "signed: as text": (_cell("signed", date_as_text),),
    "MOA: posted or withdrawn": (document_posted_or_withdrawn,),
    "MOA: another": (other_document,),
    "MOA: address rewrapped": (address_rewrapped,),
    "addendum: posted": (addendum_posted,),
    "type": (_cell("type", type_rewritten),),
    "agency and county: one slip": (county_misspelt_everywhere,),
    "agency and MOA: a slip, posted": (_both(misspelt, _posted),),
    "agency and county: abbreviated, filled": (
        _both(_cell("agency", abbreviated), _cell("county", county_filled_or_emptied)),
    ),
    "agency and signed: a slip, shifted": (_where_a_county_is_named(misspelt, _cell("signed", day_shifted)),),
    "agency and signed: City of, shifted": (
        _where_a_county_is_named(_cell("agency", city_of), _cell("signed", day_shifted)),
    ),
    "agency and MOA: a slip, another": (_where_a_county_is_named(misspelt, other_document),),
    "state and MOA: misspelt, posted": (_both(_cell("state", _any_slip), _posted),),
}
# Each row of a publication by a family of its own.
ANY = "any of them, row by row"
ALL_FAMILIES = (*FAMILIES, SWAPPED_DOCUMENTS, SWAPPED_AND_MISSPELT, REPEATED, LISTED_AGAIN, ANY)
# Two of the fields that tell agreements apart at once, and too little besides: how often these are recognized is
# measured, and not promised.
MEASURED: Mapping[str, Sequence[Correction]] = {
    "agency and signed: a slip, shifted, any county": (_both(misspelt, _cell("signed", day_shifted)),),
    "state and signed: another, shifted": (_both(_cell("state", other_state), _cell("signed", day_shifted)),),
    "model and signed: another, shifted": (_both(_cell("support_type", other_model), _cell("signed", day_shifted)),),
    "agency and model: a slip, another": (_both(misspelt, _cell("support_type", other_model)),),
    "agency and state: a slip, another": (_both(misspelt, _cell("state", other_state)),),
}
_RULES = {**FAMILIES, **MEASURED, REPEATED: (misspelt,), LISTED_AGAIN: (misspelt,)}


@dataclass(frozen=True, slots=True)
class Corrector:
    """Applies one family. `alike`: the same choices for every row, as when one hand retypes a whole state."""

    family: str
    seed: int
    alike: bool

    def __call__(self, cells: Cells, number: int) -> Cells | None:
        chance = Random(self.seed if self.alike else f"{self.seed} {number}")
        family = chance.choice(list(FAMILIES)) if self.family == ANY else self.family
        return chance.choice(_RULES[family])(cells, chance)
