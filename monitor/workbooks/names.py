"""The names of the columns of the lists: ours, ICE's, and other headers that mean the same."""

from __future__ import annotations

from monitor.model import ListName

# How each column of ours is called in the header, spacing and case aside.
COLUMNS = {
    "state": "STATE",
    "agency": "LAW ENFORCEMENT AGENCY",
    "type": "TYPE",
    "county": "COUNTY",
    "support_type": "SUPPORT TYPE",
    "signed": "SIGNED",
    "moa": "MOA",
    "addendum": "ADDENDUM",
}
REQUIRED = {
    ListName.PARTICIPATING: ("state", "agency", "support_type", "signed", "moa"),
    ListName.PENDING: ("state", "agency", "support_type"),
}
# What else a header may call them. No plain "DATE": on the pending list it would be another one.
SYNONYMS = {
    "state": ("states", "state territory", "state or territory", "state and territory", "state name", "state s"),
    "agency": (
        *("agency", "agencies", "agency name", "name of agency", "lea", "lea name", "law enforcement agencies"),
        *("law enforcement agency name", "name of law enforcement agency", "participating agency", "pending agency"),
        *("participating law enforcement agency", "pending law enforcement agency", "law enforcement agency lea"),
    ),
    "type": ("agency type", "type of agency", "law enforcement agency type"),
    "county": ("counties", "county name", "county parish", "parish county", "county or parish", "county equivalent"),
    "support_type": (
        *("support model", "model", "model type", "type of support", "support types", "g model", "program model"),
        *("agreement model", "support type model", "g support type"),
    ),
    "signed": (
        *("date signed", "signed date", "signed on", "date of signature", "signature date", "signing date"),
        *("moa signed", "date moa signed", "moa signed date", "moa date", "agreement signed", "date executed"),
    ),
    "moa": ("moa link", "link to moa", "moas", "moa document", "moa url", "memorandum of agreement", "moa pdf"),
    "addendum": ("addenda", "addendum link", "link to addendum", "moa addendum", "addendums", "addendum s"),
}


def field_of(name: str) -> str:
    """Our name of a column that an operator names as ICE does. Raises ValueError for one that there is not."""
    for ours, published in COLUMNS.items():
        if name.casefold() in (ours, published.casefold()):
            return ours
    raise ValueError(f"{name!r} is no column of a list; there are {', '.join(COLUMNS.values())}")
