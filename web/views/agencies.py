"""The page of an agency: all agreements that it has or had."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, redirect, url_for
from werkzeug.wrappers import Response

from monitor.model import ListName
from monitor.storage.agencies import AgencyRecord
from monitor.storage.changelog import AgreementRecord
from web.page_cache import kept
from web.pages.agreements import AgreementPage, agreement_page, history
from web.pages.lines import EntryLine
from web.rendering import render
from web.request import visit

blueprint = Blueprint("agencies", __name__)


@dataclass(frozen=True, slots=True)
class AgencyPage:
    """An agency: its agreements, listed ones first, and its history, newest first."""

    agency: AgencyRecord
    agreements: tuple[AgreementPage, ...]
    history: tuple[EntryLine, ...]

    @property
    def listed(self) -> tuple[AgreementRecord, ...]:
        """The agreements that are on the participating list now."""
        return tuple(p.agreement for p in self.agreements if ListName.PARTICIPATING in p.agreement.listed)


@blueprint.get("/agencies/<id_>")
@kept
def agency(id_: str) -> str | Response:
    """An agency at the id of its oldest agreement; the ids of the others redirect there."""
    store = visit().store
    agency_record = visit().directory.of(store.resolve(id_))
    if agency_record is None:
        abort(404)
    if agency_record.id != id_:
        return redirect(url_for(".agency", id_=agency_record.id), 301)
    entries = {agreement: list(store.entries(agreement=agreement)) for agreement in agency_record.agreements}
    pages = [
        agreement_page(record, entries[agreement])
        for agreement in agency_record.agreements
        for record in store.agreements(agreement)
    ]
    together = sorted((entry for of_one in entries.values() for entry in of_one), key=lambda entry: entry.seq)
    return render(
        "agency.html",
        AgencyPage(agency_record, tuple(sorted(pages, key=lambda p: not p.agreement.listed)), history(together)),
    )
