"""Three invented publications of both lists, and what moves from one to the next.

`agencies.csv` and `applications.csv` hold every row as it is meant. A publication is those rows
without the ones that are not listed at the time, and with the errors that ICE makes at the time:

| | 2 March am | 3 March pm | 6 March pm |
| --- | --- | --- | --- |
| Juniper Ledge PD, TX | – | new | listed |
| Saltgrass Key PD, FL | MOA "link pending" | MOA posted | same |
| Quillmarsh County SO, GA | signed Feb. 14, 2025 | March 14, 2025 | same |
| Copperfen County SO, OH | listed | no longer listed | still missing, 72 hours later |
| Larkmere PD, TX | pending | pending | participating, and no longer pending |
| Saltbrush PD, UT | listed | listed | no longer listed |
| Willowgate County SO, GA | – | an application | same |
| `_CORRECTED` | misspelt | corrected: nobody left | same |
| Cinderbrook County SO, TN (jail) | listed twice | listed twice | listed once: nobody left |
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from urllib.parse import quote

from demo.ice import ListName, usual_name
from demo.workbooks import Cell, Linked, Row

Typed = Mapping[str, Mapping[str, Cell]]
"""For each row, the cells that are typed otherwise than meant."""

_LISTS: tuple[ListName, ...] = ("participating", "pending")
_DOCUMENTS = "https://example.org/sample/"
# ICE's long list has a blank row in the middle now and then; the short one has not.
_ROWS_BEFORE_BLANK = 20
_PENDING_DOCUMENT = "link pending"


@dataclass(frozen=True, slots=True)
class SamplePublication:
    """One workbook of the samples: when it was saved and seen (UTC), and its rows.

    None among the rows is a blank one.
    """

    list: ListName
    file: str
    saved: datetime
    published: datetime
    rows: tuple[Row | None, ...]


def publications() -> tuple[SamplePublication, ...]:
    """Return the samples in the order in which they are seen, participating before pending."""
    agencies = _meant("agencies.csv")
    applications = _meant("applications.csv")
    moments = (
        datetime(2026, 3, 2, 14, tzinfo=UTC),
        datetime(2026, 3, 3, 21, tzinfo=UTC),
        datetime(2026, 3, 6, 21, tzinfo=UTC),
    )
    participating = (
        _listed(
            agencies,
            absent={"tx-juniper-ledge-tfm", "tx-larkmere-tfm"},
            typed={**_UNCORRECTED, **_CORRECTED, **_CHANGED},
            twice={"tn-cinderbrook-jem"},
        ),
        _listed(
            agencies,
            absent={"tx-larkmere-tfm", "oh-copperfen-wso"},
            typed=_UNCORRECTED,
            twice={"tn-cinderbrook-jem"},
        ),
        _listed(agencies, absent={"oh-copperfen-wso", "ut-saltbrush-tfm"}, typed=_UNCORRECTED),
    )
    pending = (
        _listed(applications, absent={"ga-willowgate-wso"}, typed=_PENDING_UNCORRECTED),
        _listed(applications, typed=_PENDING_UNCORRECTED),
        _listed(applications, absent={"tx-larkmere-tfm"}, typed=_PENDING_UNCORRECTED),
    )
    return tuple(
        _publication(list_name, moment, rows)
        for moment, *both in zip(moments, participating, pending, strict=True)
        for list_name, rows in zip(_LISTS, both, strict=True)
    )


def _safelink(address: str) -> str:
    # As Outlook wraps it; `data` carries the address of whoever pasted it.
    return (
        f"https://gcc02.safelinks.protection.outlook.com/?url={quote(address, safe='')}"
        "&data=05%7C02%7Csample%40example.org%7C0&sdata=sample%3D&reserved=0"
    )


_CHANGED: Typed = {
    "fl-saltgrass-key-tfm": {"moa": _PENDING_DOCUMENT},
    "ga-quillmarsh-tfm": {"signed": date(2025, 2, 14)},
}
"""What the first publication says otherwise, and the second changes."""

_CORRECTED: Typed = {
    "fl-marshhollow-wso": {"agency": "Marshmallow County Sheriff's Office"},
    "ga-fernhollow-wso": {"support_type": "Warrant Services Officer"},
    "ga-peachbramble-tfm": {"moa": Linked("link", _safelink(f"{_DOCUMENTS}Peachbramble-SO-GA-TFM.pdf"))},
    "tn-foxglove-bend-tfm": {"agency": "Foxglove Bend PD"},
    "tx-pecanvale-wso": {"state": "TEXAS "},
    "ut-larkscrub-wso": {"state": "UTAHJ"},
}
"""Errors of the first publication that the second corrects."""

_UNCORRECTED: Typed = {
    "fl-heronmoor-beach-tfm": {"type": "Muncipality", "county": "Tidewrack Couny"},
    "fl-lagoon-patrol-tfm": {"type": "State"},
    "fl-tidewrack-jem": {"agency": "Tidewrack County Sheriff\N{RIGHT SINGLE QUOTATION MARK}s Office"},
    "ga-peachbramble-jem": {"agency": "Peachbramble  County Sheriff's Office "},
    "ga-thistlemere-tfm": {"county": "#N/A"},
    "oh-buckthistle-jem": {"agency": "Buckthistle\N{NO-BREAK SPACE}County Sheriff's Offic"},
    "oh-ironquill-wso": {"support_type": "Warrant Service Office"},
    "oh-slatewater-tfm": {"agency": "Slatewater Twp. Police Department"},
    "tn-ashlantern-wso": {"support_type": "Warrant Services Officer "},
    "tn-cinderbrook-tfm": {"signed": "07/092025"},
    "tx-windrush-jem": {"support_type": "Jail Enforcment Model"},
    "tx-windrush-tfm": {"moa": "Link Pending"},
    "ut-redlantern-wso": {"type": "#NA"},
}
"""Errors that stay, as most do."""

_PENDING_UNCORRECTED: Typed = {
    "fl-mangrove-pass-tfm": {"agency": "Mangrove Pass Police Department "},
    "tn-ashlantern-jem": {"type": "County "},
}


def _meant(file: str) -> dict[str, Row]:
    """Read the rows as they are meant, by their names."""
    lines = (files("demo") / file).read_text(encoding="utf-8").splitlines()
    return {line.pop("row"): _row(line) for line in csv.DictReader(lines)}


def _row(line: dict[str, str]) -> Row:
    row = Row(line["state"], line["agency"], line["type"], line["county"], line["support_type"])
    if "signed" not in line:
        return row
    return replace(
        row,
        signed=date.fromisoformat(line["signed"]),
        moa=_document(line["moa"]),
        addendum=_document(line["addendum"]),
    )


def _document(name: str) -> Cell:
    if name.endswith(".pdf"):
        return Linked("link", _DOCUMENTS + name)
    return name or None


def _listed(
    meant: Mapping[str, Row],
    *,
    absent: Collection[str] = (),
    typed: Typed,
    twice: Collection[str] = (),
) -> tuple[Row | None, ...]:
    listed: list[Row | None] = []
    for name, row in meant.items():
        if name not in absent:
            as_typed = replace(row, **typed.get(name, {}))
            listed += [as_typed, as_typed] if name in twice else [as_typed]
    if len(listed) > _ROWS_BEFORE_BLANK:
        listed.insert(_ROWS_BEFORE_BLANK, None)
    return tuple(listed)


def _publication(list_name: ListName, published: datetime, rows: tuple[Row | None, ...]) -> SamplePublication:
    return SamplePublication(
        list=list_name,
        file=f"sample-{usual_name(list_name, published)}",
        saved=published - timedelta(minutes=18),
        published=published,
        rows=rows,
    )
