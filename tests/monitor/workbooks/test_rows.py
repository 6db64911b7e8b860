"""Which rows of a sheet are listings, and where the links in their cells lead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from demo.workbooks import Linked
from monitor.remarks import NotListing
from monitor.workbooks import parser
from monitor.workbooks.sandbox import Reader
from tests.monitor import hostile
from tests.monitor.hostile import HEADER, PENDING_HEADER, listed
from tests.monitor.workbooks.lists import QUILLMARSH, TIDEWRACK, fetched, many, names_of

NOW = datetime(2026, 3, 2, 17, tzinfo=UTC)
MOA, ADDENDUM = "https://docs.example/QuillmarshCoGA_MOA.pdf", "https://docs.example/QuillmarshCoGA_Addendum.pdf"


def numbers(*rows: Sequence[Any], header: Sequence[str] = HEADER) -> list[int]:
    """The numbers of the rows that are listings."""
    return [number for number, _ in parser.read(hostile.saved(listed(*rows, header=header)))[0]["rows"]]


@pytest.mark.parametrize(
    "row",
    [
        ("* Agencies whose agreement was signed before 2025.",),
        (None, "Note: agreements are added as they are signed."),
        ("TOTAL", 1560),
        ("TOTAL", "1,560"),
        (None, "Total", None, None, 1560),
        (None, "Total agreements: 1560"),
        ("Total", None, None, None, None, None, None, "1560"),
        ("GEORGIA",),
        (None, "GEORGIA"),
        ("GEORGIA", "35 agencies"),
        ("GEORGIA TOTAL", 35, None, None, 35),
        ("Jail Enforcement Model", 150),
        (None, "Jail Enforcement Model", None, None, 150),
        HEADER,
        ("State", "Agency", "Type", "County", "Support Model"),
        ("Updated 3/5/2025",),
        (None, None, None, None, None, "2025-03-05"),
    ],
)
def test_what_names_no_agency_with_its_support_type_is_no_listing(row: Sequence[Any]) -> None:
    """Each of these was entered as a new agreement."""
    assert numbers(QUILLMARSH, row, TIDEWRACK) == [2, 4]


@pytest.mark.parametrize(
    "row",
    [
        ("GEORGIA", "Quillmarsh County", "County", "Quillmarsh County"),  # October 2025: four without a support type
        ("", "Quillmarsh County", "", "", "Task Force Model"),
        ("GEROGIA", "Quillmarsh County", "", "", "Airport Model"),
        ("GEORGIA", "", "County", "Quillmarsh County", "Task Force Model"),
        ("GEROGIA", *TIDEWRACK[1:]),
    ],
)
def test_a_listing_may_lack_a_cell(row: Sequence[Any]) -> None:
    assert numbers(QUILLMARSH, row, TIDEWRACK) == [2, 3, 4]


def test_a_list_whose_support_types_are_blank_still_has_its_rows() -> None:
    assert len(numbers(*((*row[:4], None, *row[5:]) for row in many(5)))) == 5
    pending = [(*row[:4], None) for row in many(5)]
    assert len(numbers(*pending, header=PENDING_HEADER)) == 5


def test_an_operator_can_read_what_was_passed_over(reader: Reader) -> None:
    book = listed(QUILLMARSH, ("TOTAL", 1), ("* as of\n March 5",), above=[("287(g) agencies",), ()])
    _, publication = reader.read(fetched(hostile.saved(book)), NOW)
    assert names_of(publication) == [QUILLMARSH[1]]
    assert publication.remarks.not_listings == (NotListing(5, "TOTAL | 1"), NotListing(6, "* as of March 5"))


def test_of_rows_that_are_passed_over_only_the_first_hundred_are_told() -> None:
    notes = [("x" * 500,)] * 150
    told = parser.read(hostile.saved(listed(QUILLMARSH, *notes)))[0]["not_listings"]
    assert (len(told), len(told[0][1])) == (100, 100)


# --- where links lead -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "formula",
    [
        f'=HYPERLINK("{MOA}","link")',
        f'= hyperlink( "{MOA}" ; "link" )',
        '=HYPERLINK("https://docs.example/"&"QuillmarshCoGA_MOA.pdf","li"&"nk")',
        "=HYPERLINK($J$2,K2)",
        f'=IF(A2="","",HYPERLINK("{MOA}","link"))',
    ],
)
def test_a_formula_that_links_is_a_link(formula: str) -> None:
    """1,526 documents were withdrawn at once by a workbook that linked them so."""
    row = (*QUILLMARSH[:6], formula, None, None, MOA, "link")
    ((_, named),) = parser.read(hostile.saved(listed(row)))[0]["rows"]
    assert (named["moa"], named["moa_address"]) == ("link", MOA)


def test_the_result_of_a_formula_that_links_is_its_text() -> None:
    formula = f'<f>HYPERLINK("{MOA}","link")</f><v>link pending</v>'
    row = hostile.row(1, *HEADER) + hostile.row(2, *QUILLMARSH[:6]).replace(
        "</row>", f'<c r="G2" t="str">{formula}</c></row>'
    )
    ((_, named),) = parser.read(hostile.raw(row))[0]["rows"]
    assert (named["moa"], named["moa_address"]) == ("link pending", MOA)


@pytest.mark.parametrize(
    "formula",
    [
        '=HYPERLINK("#Sheet2!A1","link")',
        '=HYPERLINK(VLOOKUP(B2,X:Y,2),"link")',
        "=HYPERLINK(ZZZ9999999)",
        "=HYPERLINK(",
    ],
)
def test_a_formula_that_leads_to_no_address_is_none(formula: str) -> None:
    ((_, named),) = parser.read(hostile.saved(listed((*QUILLMARSH[:6], formula))))[0]["rows"]
    assert "moa_address" not in named


@pytest.mark.parametrize(
    ("cell", "moa", "addendum"),
    [
        (Linked("link | addendum", MOA), MOA, None),
        (Linked("link | addendum", ADDENDUM), None, ADDENDUM),
        (Linked("link\u00a0|\u00a0addendum", ADDENDUM), None, ADDENDUM),
        (Linked("link", ADDENDUM), ADDENDUM, None),
        ("link | addendum", None, None),
    ],
)
def test_a_cell_for_two_documents_says_which_one_it_links(cell: object, moa: str | None, addendum: str | None) -> None:
    ((_, named),) = parser.read(hostile.saved(listed((*QUILLMARSH[:6], cell))))[0]["rows"]
    assert (named.get("moa_address"), named.get("addendum_address")) == (moa, addendum)


def test_the_column_of_addenda_goes_before_what_another_cell_says_of_them() -> None:
    row = (*QUILLMARSH[:6], Linked("link | addendum", ADDENDUM), Linked("link", f"{ADDENDUM}2"))
    ((_, named),) = parser.read(hostile.saved(listed(row)))[0]["rows"]
    assert (named["addendum"], named["addendum_address"]) == ("link", f"{ADDENDUM}2")
