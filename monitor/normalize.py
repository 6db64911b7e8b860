"""Pure: turns the text of a cell (state, agency, county, support type, date) into a comparable value.

Cells are kept as published elsewhere; nothing here is ever shown to a reader. Every function takes the text of a
cell and returns a value, None or "" where the cell says nothing that can be used.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from functools import lru_cache
from urllib.parse import parse_qs, unquote

from rapidfuzz.distance import OSA

from monitor.model import Cells, Listing, SupportType, Values

STATES: dict[str, str] = {
    "AL": "Alabama", "AK": "Alaska", "AS": "American Samoa", "AZ": "Arizona", "AR": "Arkansas",
    "CA": "California", "CO": "Colorado", "CT": "Connecticut", "DE": "Delaware",
    "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia", "GU": "Guam", "HI": "Hawaii",
    "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas",
    "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts",
    "MI": "Michigan", "MN": "Minnesota", "MS": "Mississippi", "MO": "Missouri", "MT": "Montana",
    "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire", "NJ": "New Jersey",
    "NM": "New Mexico", "NY": "New York", "NC": "North Carolina", "ND": "North Dakota",
    "MP": "Northern Mariana Islands", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon",
    "PA": "Pennsylvania", "PR": "Puerto Rico", "RI": "Rhode Island", "SC": "South Carolina",
    "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont",
    "VI": "Virgin Islands", "VA": "Virginia", "WA": "Washington", "WV": "West Virginia",
    "WI": "Wisconsin", "WY": "Wyoming",
}  # fmt: skip
_CODE_OF_STATE = {name.upper(): code for code, name in STATES.items()}

# Each abbreviation is a whole word.
ABBREVIATIONS = {
    "auth": "authority",
    "bd": "board",
    "bocc": "board of county commissioners",
    "boro": "borough",
    "cnty": "county",
    "co": "county",
    "comm": "commissioners",
    "const": "constable",
    "dep": "department",
    "dept": "department",
    "depts": "department",
    "div": "division",
    "dps": "department of public safety",
    "ft": "fort",
    "hwy": "highway",
    "mt": "mount",
    "ofc": "office",
    "pct": "precinct",
    "pd": "police department",
    "so": "sheriff office",
    "st": "saint",
    "ste": "sainte",
    "twp": "township",
    "univ": "university",
}
# "4th District" and "Fourth District" are one.
ORDINALS = {
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5",
    "sixth": "6", "seventh": "7", "eighth": "8", "ninth": "9", "tenth": "10",
}  # fmt: skip
# Possessives, with the apostrophe typed, curly or forgotten, say the same.
POSSESSIVES = {
    "sheriffs": "sheriff",
    "constables": "constable",
    "marshals": "marshal",
    "attorneys": "attorney",
}
_WRITTEN_OUT = {**ABBREVIATIONS, **ORDINALS, **POSSESSIVES, "harbour": "harbor", "centre": "center"}
# Words that an abbreviation may begin, where a space was typed within: "Const ables".
_WHOLE = {*POSSESSIVES, *POSSESSIVES.values(), *ABBREVIATIONS.values()}
_APOSTROPHES = str.maketrans("", "", "'’‘`´ʼ＇")
# All 128 of them, since `translate` is slow about characters that a table lacks; "_" is no end of a word to `\\b`.
_ASCII: dict[int, str | None] = {i: chr(i).lower() if chr(i).isalnum() or chr(i) == "_" else " " for i in range(128)}
_ASCII |= {ord("'"): None, ord("`"): None, ord("&"): " and "}
_NOTHING = {"", "NA", "N A", "NONE", "NULL", "TBD"}
_WORD = re.compile(r"[a-z]+|\d+")
_ORDINAL = re.compile(r"(\d)(?:[stndrh]{2,3}|[th]|[a-z][stndrh]|[stndrh][a-z])\b")  # "4th", "4ht", "6qh"
_LETTERS = re.compile(r"\b(?:[a-z] )+[a-z]\b")


def folded(text: str) -> str:
    """The words of a text: compatibility forms, accents, case, punctuation and spacing folded away."""
    return " ".join(_words(text))


def _words(text: str) -> list[str]:
    """The words of `folded`. Every name of a list comes through here, and most are plain letters: those take 1/8."""
    if text.isascii():
        plain = text.translate(_ASCII)
        if plain.replace(" ", "").isalpha():
            return plain.split()
    else:
        text = _MISREAD.sub(_read_again, text)
        plain = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES).replace("&", " and "))
        plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    return _WORD.findall(_ORDINAL.sub(r"\1", plain))


_MISREAD = re.compile(r"[^\x00-\x7f]{2,}")


def _read_again(found: re.Match[str]) -> str:
    """Characters that were UTF-8 and read as Windows-1252, as what they were (`â€™` is an apostrophe); others stay."""
    try:
        # Windows-1252 leaves five bytes undefined, which programs read as the control characters of that number.
        return b"".join(c.encode("latin-1" if "\x80" <= c <= "\x9f" else "cp1252") for c in found[0]).decode()
    except UnicodeError:
        return found[0]


def shown(text: str) -> str:
    """A cell as a reader wants to see it: the same words, without stray and doubled spaces."""
    return " ".join(text.split())


@lru_cache(maxsize=4096)
def state(text: str) -> str | None:
    """The two-letter code of the one state or territory that `text` can mean, repaired from typing errors.

    A misspelled state must still reach those who watch it (July 8, 2025: "UTAHJ"), so a name within two typing
    errors is taken, one for short names, unless a second state is as near. None if it is not clear.
    """
    name = folded(text).upper()
    if name in STATES:
        return name
    if name in _CODE_OF_STATE:
        return _CODE_OF_STATE[name]
    if len(name) < 3:
        return None
    ranked = sorted((OSA.distance(name, known), code) for known, code in _CODE_OF_STATE.items())
    (nearest, code), (second, _) = ranked[0], ranked[1]
    allowed = 1 if len(name) <= 5 else 2
    return code if nearest <= allowed and nearest < second else None


@lru_cache(maxsize=1024)
def support_type(text: str) -> SupportType | None:
    """The support type that `text` names, through its variants ("Warrant Services Officer", "Task Force Officer")."""
    words = folded(text)
    named = {
        SupportType.JAIL: "jail enforcement",
        SupportType.TASK_FORCE: "task force",
        SupportType.WARRANT: "warrant service",
    }
    matching = [type_ for type_, phrase in named.items() if _holds_nearly(words, phrase)]
    if len(matching) != 1:
        return {"jem": SupportType.JAIL, "tfm": SupportType.TASK_FORCE, "wso": SupportType.WARRANT}.get(words)
    if matching[0] is SupportType.TASK_FORCE and _holds_nearly(words, "tribal"):
        return SupportType.TRIBAL_TASK_FORCE
    return matching[0]


def _holds_nearly(words: str, phrase: str) -> bool:
    """Whether every word of `phrase` stands in `words`, allowing a typing error in each (two in a long one)."""
    have = words.split()
    return all(any(OSA.distance(part, word) <= (2 if len(part) > 7 else 1) for word in have) for part in phrase.split())


@lru_cache(maxsize=16384)
def agency(text: str) -> str:
    """A name that is equal for two spellings of one agency that differ in nothing but how they are written.

    Case, spacing, punctuation, apostrophes and abbreviations go; no word goes: "City of Melbourne Police" and
    "Melbourne Police" may both be listed, as two agreements (they were, in June 2025).
    """
    words = _words(text)
    if min(map(len, words), default=0) == 1:
        # "B.O.C.C." and "P D" are one abbreviation, not letters.
        words = _LETTERS.sub(lambda m: m[0].replace(" ", ""), " ".join(words)).split()
    for place in range(len(words) - 1, 0, -1):
        if words[place - 1] in ABBREVIATIONS and (whole := words[place - 1] + words[place]) in _WHOLE:
            words = [*words[: place - 1], whole, *words[place + 1 :]]
    return " ".join([_WRITTEN_OUT.get(word, word) for word in words])


@lru_cache(maxsize=8192)
def county(text: str) -> str:
    """A county's comparable name without the word for county; "" for `#N/A`, `N/A` and blanks."""
    words = folded(text)
    if words.upper() in _NOTHING:
        return ""
    kept = [_WRITTEN_OUT.get(word, word) for word in words.split()]
    if (len(kept) > 1 and OSA.distance(kept[-1], "county") <= 2) or kept[-1] in {"parish", "borough"}:
        kept = kept[:-1] or kept
    return " ".join(kept)


# The program was enacted on Sept. 30, 1996; nothing can have been signed before.
_EARLIEST = date(1996, 9, 30)
_LATEST = date(2100, 1, 1)


# 5/8/25 with both marks; with a year of four digits the second may be missing (`05/082025`), or the first, or both,
# where month and day have two digits each. A month and a year alone ("11/2025") name no day.
_MONTH_DAY_YEAR = re.compile(
    r"(\d{1,2})[\s/.-]+(\d{1,2})[\s/.-]+(\d{2})|(\d{1,2})[\s/.-]+(\d{1,2})[\s/.-]*(\d{4})|(\d\d)(\d\d)[\s/.-]*(\d{4})"
)
_YEAR_MONTH_DAY = re.compile(r"(\d{4})\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{1,2})|((?:19|20)\d\d)()(\d\d)(\d\d)")
_NAMED_MONTH = re.compile(
    r"([a-z]+) (\d{1,2})(?:st|nd|rd|th)? (\d{4}|\d{2})|(\d{1,2})(?:st|nd|rd|th)? ([a-z]+) (\d{4}|\d{2})"
)
_LONGEST_DATE = 60  # characters; the expressions below are slow about thousands of spaces
_DAY_NUMBER = re.compile(r"\d{5}(?:\.\d+)?")  # days since Dec. 30, 1899, as spreadsheets count
_WEEKDAY = re.compile(r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b[\s,.]*", re.IGNORECASE)
_TIME = re.compile(
    r"(?:T|\s+|,\s*)\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:[ap]\.?m\.?)?\s*(?:z|[+-]\d\d:?\d\d)?$", re.IGNORECASE
)
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip


@lru_cache(maxsize=8192)
def signed(text: str) -> date | None:
    """The day that a SIGNED cell names, in any of the ways in which a spreadsheet or a person writes it.

    Year first (`2025-03-05`, `20250305`), month first as in the US (`3/5/2025`, with slips: `05/082025`), the month in
    letters (`March 5, 2025`, `5-Mar-25`), or a spreadsheet's day number; a weekday and a time of day are passed over.
    None for what could be two days, or none.
    """
    if len(text) > _LONGEST_DATE:
        return None
    text = unicodedata.normalize("NFKC", text).strip(" \t\r\n'’")
    text = _TIME.sub("", _WEEKDAY.sub("", text)).strip()
    read: date | None = None
    if year_first := _YEAR_MONTH_DAY.fullmatch(text):
        year, _, month, day = (part for part in year_first.groups() if part is not None)
        read = _date(int(year), int(month), int(day))
    elif _DAY_NUMBER.fullmatch(text):
        read = date(1899, 12, 30) + timedelta(days=int(float(text)))
    elif us := _MONTH_DAY_YEAR.fullmatch(text):
        month, day, year = (part for part in us.groups() if part)
        read = _date(_year(year), int(month), int(day))
    elif named := _NAMED_MONTH.fullmatch(" ".join(re.findall(r"[a-z]+|\d+(?:st|nd|rd|th)?", text.casefold()))):
        name, day, year = (named[1], named[2], named[3]) if named[1] else (named[5], named[4], named[6])
        read = _date(_year(year), _month(name), int(day))
    return read if read and _EARLIEST <= read < _LATEST else None


def _year(digits: str) -> int:
    return int(digits) + (2000 if len(digits) == 2 else 0)


def _month(name: str) -> int:
    """The number of a month by its name, its first letters (`Mar`, `Sept`), or its name with a typing error; else 0."""
    numbers = [number for number, month in enumerate(_MONTHS, start=1) if len(name) >= 3 and month.startswith(name)]
    if not numbers and len(name) >= 5:
        numbers = [number for number, month in enumerate(_MONTHS, start=1) if OSA.distance(name, month) == 1]
    return numbers[0] if len(numbers) == 1 else 0


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


@lru_cache(maxsize=16384)
def document(address: str) -> str:
    """The canonical address of a document, without the wrappers that it was pasted in; "" where there is none.

    Outlook safelinks keep only what `url=` says (the rest carries staff addresses), archive and browser-extension
    wrappers go, `http`, `//`, `www.`, case, `%20`, query and fragment do not make another document.
    """
    text = address.strip()
    for _ in range(4):  # a wrapper can stand in a wrapper
        inner = _unwrapped(text)
        if inner == text:
            break
        text = inner
    parts = _ADDRESS.match(text)
    if not parts or "." not in parts[1]:
        return ""
    host = parts[1].casefold().rpartition("@")[2].removeprefix("www.")
    path = parts[2] or "/"
    if "%" in path:
        path = unquote(unquote(path))
    if "//" in path:
        path = _SLASHES.sub("/", path)
    path = " ".join(path.casefold().split())
    return f"https://{host}{path}"


_ADDRESS = re.compile(r"(?:[Hh][Tt]{2}[Pp][Ss]?:)?/+([^/?#\s]+)(/[^?#]*)?")
_SLASHES = re.compile(r"/{2,}")
_WRAPPED = re.compile(r"(?:https?://web\.archive\.org/web/[^/]*/|chrome-extension://[^/]*/)(.+)", re.IGNORECASE)


def _unwrapped(address: str) -> str:
    if "safelinks.protection.outlook.com" in address.casefold():
        # By hand: urlsplit refuses hosts that no server has ("[…"), and a cell may hold anything.
        targets = parse_qs(address.partition("?")[2].partition("#")[0]).get("url")
        if targets:
            return targets[0].strip()
    wrapped = _WRAPPED.match(address)
    return wrapped[1] if wrapped else address


def document_name(canonical: str) -> str:
    """The file name of a canonical address: close to a primary key of an agreement, in whichever folder it lies."""
    return canonical.rpartition("/")[2]


def same_document(one: str, other: str) -> bool:
    """Whether two canonical addresses are of one document: equal, or the same file name in another folder or host."""
    name = document_name(one)
    return one == other or ("." in name and name == document_name(other))


# 04052026, 040526, 04.05.2026, 4_5_26, 2026-04-05 and 20260405.
_DATED_NAME = re.compile(
    r"(?<!\d)(?:(\d{4})([-_. ])(\d\d?)\2(\d\d?)|(\d\d?)([-_. ])(\d\d?)\6(\d{4}|\d\d)|(\d\d)(\d\d)(\d{4}|\d\d))(?!\d)"
)
_COMPACT_YEAR_FIRST = re.compile(r"(?<!\d)(20\d\d)(\d\d)(\d\d)(?!\d)")


@lru_cache(maxsize=8192)
def document_date(canonical: str) -> date | None:
    """The day in a document's file name (`Quillmarsh_TFM_MOA_04052026.pdf`); None for none, or for several days."""
    name = document_name(canonical)
    days = set()
    for found in _DATED_NAME.finditer(name):
        year, _, month, day, us_month, _, us_day, us_year, *compact = found.groups()
        if not year:
            month, day, year = (us_month, us_day, us_year) if us_month else compact
        days.add(_date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day)))
    days |= {_date(*map(int, found.groups())) for found in _COMPACT_YEAR_FIRST.finditer(name)}
    named = {day for day in days if day and _EARLIEST <= day < _LATEST}
    return named.pop() if len(named) == 1 else None


def listing(row: int, cells: Cells) -> Listing:
    """One row with what is read from it."""
    return Listing(row, cells, values(cells))


@lru_cache(maxsize=16384)  # nearly all rows of a publication stood in the one before it
def values(cells: Cells) -> Values:
    """All that the matcher compares, read from one row."""
    known_type = support_type(cells.support_type)
    other_type = "" if known_type else folded(cells.support_type)
    return Values(
        state=state(cells.state),
        agency=agency(cells.agency),
        county=county(cells.county),
        support_type=known_type,
        signed=signed(cells.signed),
        moa=document(cells.moa_address or cells.moa),
        addendum=document(cells.addendum_address or cells.addendum),
        unknown_type="" if other_type.upper() in _NOTHING else other_type,
    )
