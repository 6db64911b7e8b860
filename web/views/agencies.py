"""The page of an agency: all agreements that it ever had."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, redirect, url_for
from werkzeug.wrappers import Response

from monitor.model import ListName
from monitor.storage.agencies import AgencyRecord
from monitor.storage.agreements import AgreementRecord
from web.page_cache import kept
from web.pages.history import history
from web.pages.lines import Line
from web.pages.pages import AgreementPage
from web.pages.pages import agreement as agreement_page
from web.rendering import render
from web.request import visit
from web.search.directory import directory

agencies = Blueprint("agencies", __name__)


@dataclass(frozen=True, slots=True)
class AgencyPage:
    """An agency: how each of its agreements stands, those that are listed first; and its history, newest first."""

    agency: AgencyRecord
    agreements: tuple[AgreementPage, ...]
    history: tuple[Line, ...]

    @property
    def listed(self) -> tuple[AgreementRecord, ...]:
        """The agreements that are on the participating list now."""
        return tuple(p.agreement for p in self.agreements if ListName.PARTICIPATING in p.agreement.listed)


@agencies.get("/agencies/<id_>")
@kept
def agency(id_: str) -> str | Response:
    """An agency at the id of its oldest agreement; the ids of all others lead there."""
    store = visit().store
    known = store.agreements.resolve(id_)
    found = directory(store).of(known)
    if found is None:
        abort(404)
    if found.id != id_:
        return redirect(url_for(".agency", id_=found.id), 301)
    entries = {agreement: list(store.changelog.entries(agreement=agreement)) for agreement in found.agreements}
    pages = [
        agreement_page(record, entries[agreement])
        for agreement in found.agreements
        if (record := store.agreements.find(agreement))
    ]
    together = sorted((entry for of_one in entries.values() for entry in of_one), key=lambda entry: entry.seq)
    return render(
        "agency.html",
        AgencyPage(found, tuple(sorted(pages, key=lambda p: not p.agreement.listed)), history(together)),
    )
