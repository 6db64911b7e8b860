"""What a cell says: tables of texts as ICE published them, or might, beside what is read from them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import SupportType
from monitor.normalize import (
    STATES,
    agency,
    county,
    document,
    document_date,
    document_name,
    folded,
    listing,
    same_document,
    shown,
    signed,
    state,
    support_type,
)
from tests.monitor.builders import cells

JAIL, TASK_FORCE, WARRANT = SupportType.JAIL, SupportType.TASK_FORCE, SupportType.WARRANT
TRIBAL = SupportType.TRIBAL_TASK_FORCE

# --- states ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FLORIDA", "FL"),
        ("Florida", "FL"),
        ("MISSOURI ", "MO"),
        (" new  york", "NY"),
        ("NEW\u00a0YORK", "NY"),
        ("NORTH-CAROLINA", "NC"),
        ("fl", "FL"),
        (" Tx ", "TX"),
        ("W.V.", None),  # two words of one letter are no code
        ("GUAM", "GU"),
        ("NORTHERN MARIANA ISLANDS", "MP"),
        ("PUERTO RICO", "PR"),
        ("VIRGIN ISLANDS", "VI"),
        ("AMERICAN SAMOA", "AS"),
        ("DISTRICT OF COLUMBIA", "DC"),
    ],
)
def test_a_state_is_read_however_it_is_spaced_or_cased(text: str, code: str | None) -> None:
    assert state(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("UTAHJ", "UT"),
        ("UTHA", "UT"),
        ("MCHIGAN", "MI"),
        ("WEST VIRIGINIA", "WV"),
        ("VIRIGNIA", "VA"),
        ("MASSACHUSSETTS", "MA"),
        ("TENNESEE", "TN"),
        ("PENNSLYVANIA", "PA"),
        ("MISSISIPPI", "MS"),
        ("MISOURI", "MO"),
        ("ARKANAS", "AR"),
        ("KANAS", "KS"),
        ("IOW", "IA"),
        ("TEXSA", "TX"),
        ("NORHT DAKOTA", "ND"),
        ("GUAMM", "GU"),
    ],
)
def test_a_misspelt_state_is_repaired(text: str, code: str) -> None:
    assert state(text) == code


@pytest.mark.parametrize(
    "text", ["", " ", "#N/A", "NA", "XX", "USA", "JACKSON COUNTY", "DAKOTA", "CAROLINA", "12", "?"]
)
def test_a_state_that_nobody_could_tell_is_none(text: str) -> None:
    assert state(text) is None


def test_no_state_is_taken_for_another() -> None:
    assert {code: state(name.upper()) for code, name in STATES.items()} == {code: code for code in STATES}


@given(st.sampled_from(sorted(STATES.items())), st.data())
def test_one_letter_left_out_never_makes_another_state(named: tuple[str, str], data: st.DataObject) -> None:
    code, name = named
    at = data.draw(st.integers(0, len(name) - 1))
    assert state(name[:at] + name[at + 1 :]) in (code, None)


# --- support types -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("Jail Enforcement Model", JAIL),
        ("Jail Enforcement Model ", JAIL),
        ("JAIL ENFORCEMENT", JAIL),
        ("Jail Enforcment Model", JAIL),
        ("Jial Enforcement Model", JAIL),
        ("Task Force Model", TASK_FORCE),
        ("Task Force Model ", TASK_FORCE),
        ("Task Force Officer ", TASK_FORCE),
        ("Task  Force\u00a0Model", TASK_FORCE),
        ("Taks Force Model", TASK_FORCE),
        ("Warrant Service Officer", WARRANT),
        ("Warrant Services Officer", WARRANT),
        ("Warrant Service Office", WARRANT),
        ("Warant Service Officer", WARRANT),
        ("Tribal Task Force Model", TRIBAL),
        ("Tribal Taskforce Model", None),
        ("tribal task force", TRIBAL),
        ("JEM", JAIL),
        ("tfm", TASK_FORCE),
        ("WSO", WARRANT),
        ("", None),
        ("#N/A", None),
        ("Model", None),
        ("Task Force Model / Warrant Service Officer", None),
    ],
)
def test_a_support_type_is_read_through_its_variants(text: str, type_: SupportType | None) -> None:
    assert support_type(text) is type_


# --- dates -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-05-08", date(2025, 5, 8)),
        ("2025-05-08T09:30:00", date(2025, 5, 8)),
        ("5/8/2025", date(2025, 5, 8)),
        ("05/08/25", date(2025, 5, 8)),
        ("05.08.2025", date(2025, 5, 8)),
        ("05-08-2025", date(2025, 5, 8)),
        (" 05/08/2025 ", date(2025, 5, 8)),
        ("05/082025", date(2025, 5, 8)),
        ("7/72025", date(2025, 7, 7)),
        ("8/282025", date(2025, 8, 28)),
        ("0508/2025", date(2025, 5, 8)),
        ("05082025", date(2025, 5, 8)),
        ("45785", date(2025, 5, 8)),
        ("45785.0", date(2025, 5, 8)),
        ("2016-05-08", date(2016, 5, 8)),
        ("1996-09-30", date(1996, 9, 30)),
    ],
)
def test_a_date_is_read_with_the_slips_that_were_made(text: str, day: date) -> None:
    assert signed(text) == day


@pytest.mark.parametrize(
    "text",
    [
        *("March 5, 2025", "march 5 2025", "Mar. 5, 2025", "Mar 5th, 2025", "March 5,2025", "5 March 2025"),
        *("5-Mar-25", "05-Mar-2025", "5/Mar/2025", "Mar-05-2025", "Wednesday, March 5, 2025", "Wed 5 Mar 2025"),
        *("2025/03/05", "2025.03.05", "2025-3-5", "20250305", "3/5/2025", "03.05.2025", "3/5/25", "3/052025"),
        *("45721", "45721.0", "45721.75", "'3/5/2025", "\u00a03/5/2025\u00a0", "３/5/2025"),
        *("3/5/2025 0:00", "3/5/25 12:00:00 AM", "2025-03-05T00:00:00", "2025-03-05 00:00:00Z", "Marhc 5, 2025"),
    ],
)
def test_a_day_is_the_same_in_whichever_way_it_is_written(text: str) -> None:
    """Were it not, a list saved with its dates as text would change the signed date of every agreement."""
    assert signed(text) == date(2025, 3, 5)


@pytest.mark.parametrize(
    "text",
    [
        *("13/5/2025", "25/12/2025", "3/5/2025 & 4/5/2025", "3/5/2025 or 4/5/2025", "2025-03-05 / 2025-04-01"),
        *("March 2025", "March 5", "Ju 5, 2025", "Ma 5, 2025", "Mayo 5, 2025", "1112025", "20252503", "2025/03-05"),
        *("March 5, 2025 (amended)", "as of March 5, 2025", " " * 30_000, "Mon" + " " * 30_000 + "1:11"),
        *("", " ", "pending", "#N/A", "5025-07-07", "1925-05-08", "2025-13-08", "2025-02-30"),
        *("5/2025", "11/2025", "13/45/2025", "2025", "0/0/2025", "582025"),
    ],
)
def test_a_date_that_cannot_be_is_none(text: str) -> None:
    assert signed(text) is None


# --- documents ---------------------------------------------------------------------------------------------

PLAIN = "https://www.ice.gov/doclib/287gMOA/QuillmarshCoGA_TFM_MOA_02142025.pdf"
CANONICAL = "https://ice.gov/doclib/287gmoa/quillmarshcoga_tfm_moa_02142025.pdf"
ENCODED = "https%3A%2F%2Fwww.ice.gov%2Fdoclib%2F287gMOA%2FQuillmarshCoGA_TFM_MOA_02142025.pdf"


@pytest.mark.parametrize(
    "address",
    [
        PLAIN,
        f" {PLAIN} ",
        PLAIN.replace("https:", "http:"),
        PLAIN.replace("https:", ""),
        PLAIN.replace("www.", ""),
        PLAIN.replace("doclib", "DocLib"),
        PLAIN.replace("/287gMOA", "//287gMOA"),
        f"{PLAIN}?v=2",
        f"{PLAIN}#page=3",
        f"https://gcc02.safelinks.protection.outlook.com/?url={ENCODED}&data=05%7C02%7Ca.clerk%40ice.dhs.gov&reserved=0",
        f"https://gcc02.safelinks.protection.outlook.com/ap/b-59584e83/?url={ENCODED}&data=05",
        f"https://web.archive.org/web/20250811120000/{PLAIN}",
        f"https://web.archive.org/web/20250811120000if_/{PLAIN.replace('https:', 'http:')}",
        f"chrome-extension://efaidnbmnnnibpcajpcglclefindmkaj/{PLAIN}",
        "chrome-extension://efaidnbmnnnibpcajpcglclefindmkaj/https:/www.ice.gov/doclib/287gMOA/QuillmarshCoGA_TFM_MOA_02142025.pdf",
        f"https://web.archive.org/web/2025/https://gcc02.safelinks.protection.outlook.com/?url={ENCODED}&data=05",
    ],
)
def test_a_document_is_the_same_however_its_address_is_wrapped(address: str) -> None:
    assert document(address) == CANONICAL


def test_a_space_in_an_address_is_the_same_however_it_is_written() -> None:
    assert document("https://www.ice.gov/a/Harl%20Co.pdf") == document("https://www.ice.gov/a/Harl Co.pdf")
    assert document("https://www.ice.gov/a/Harl%2520Co.pdf") == document("https://www.ice.gov/a/Harl Co.pdf")


def test_staff_addresses_in_a_safelink_are_dropped() -> None:
    found = document(f"https://gcc02.safelinks.protection.outlook.com/?url={ENCODED}&data=05%7Ca.clerk%40ice.dhs.gov")
    assert "clerk" not in found


@pytest.mark.parametrize(
    "text", ["", "link", "link pending", "Link Pending", "Cons", "\u00a0", "https://", "mailto:a@b"]
)
def test_a_cell_without_an_address_has_no_document(text: str) -> None:
    assert document(text) == ""


def test_another_file_is_another_document() -> None:
    assert document(PLAIN) != document(PLAIN.replace("TFM", "WSO"))


def test_a_document_is_known_by_its_file_name_in_whichever_folder() -> None:
    assert document_name(document(PLAIN)) == "quillmarshcoga_tfm_moa_02142025.pdf"
    assert document_name(document(PLAIN.replace("doclib", "sites"))) == document_name(document(PLAIN))
    assert document_name("") == ""


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (PLAIN, True),
        (PLAIN.replace("doclib", "sites/default"), True),
        (PLAIN.replace("www.ice.gov", "files.example"), True),
        (PLAIN.replace("TFM", "WSO"), False),
        ("", False),
    ],
)
def test_a_document_that_is_moved_is_the_same(other: str, same: bool) -> None:
    """1,308 documents were "replaced" by being moved to another folder at once."""
    assert same_document(document(PLAIN), document(other)) is same


def test_two_addresses_without_a_file_name_are_two_documents() -> None:
    assert not same_document("https://ice.gov/a/", "https://ice.gov/b/")
    assert not same_document("https://ice.gov/file-download/1/public", "https://ice.gov/file-download/2/public")


# --- agencies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Harl County Sheriff's Office", "HARL COUNTY  SHERIFF’S OFFICE "),
        ("Harl County Sheriff's Office", "Harl County Sheriffs Office"),
        ("Harl County Sheriff's Office", "Harl County Sheriff`s\u00a0Office"),
        ("Harl County Sheriff's Office", "Harl Co. Sheriff's Ofc."),
        ("Harl County Sheriff's Office", "Harl County SO"),
        ("Harl County Sheriff's Office", "Harl County S.O."),
        ("Tarnford Police Department", "Tarnford PD"),
        ("Tarnford Police Department", "Tarnford P.D."),
        ("Tarnford Police Department", "Tarnford Police Dept."),
        ("Gulf County Board of County Commissioners", "Gulf County BOCC"),
        ("Shores Department of Public Safety", "Shores DPS"),
        ("Shores Department of Public Safety", "Shores Dept of Public Safety"),
        ("Southampton Township", "Southampton Twp."),
        ("Pelham Borough Police", "Pelham Boro. Police"),
        ("Fort Myers Police", "Ft. Myers Police"),
        ("Saint Cloud Police", "St. Cloud Police"),
        ("Mount Holly Police", "Mt. Holly Police"),
        ("Indian Harbor Beach Police", "Indian Harbour Beach Police"),
        ("Miami-Dade Sheriff's Office", "Miami Dade Sheriff's Office"),
        ("Fish & Wildlife Commission", "Fish and Wildlife Commission"),
        ("Cañon City Police", "Canon City Police"),
        ("Fourth Ward Constable", "4th Ward Constable"),
        ("Constable Precinct 1", "Constable's Pct.1"),
        ("Office of the State Attorney, Sixth Circuit", "Office of the State Attorney 6th Circuit"),
    ],
)
def test_two_ways_of_writing_one_agency_are_equal(text: str, other: str) -> None:
    assert agency(text) == agency(other)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("City of Melbourne Police Department", "Melbourne Police Department"),
        ("Constable Precinct 1", "Constable Precinct 2"),
        ("Harl County Sheriff's Office", "Harl County Sheriff's Department"),
        ("Tarnford Township Police", "Tarnford Borough Police"),
        ("Pima County Sheriff's Office", "Pinal County Sheriff's Office"),
    ],
)
def test_no_word_is_lost_on_the_way(text: str, other: str) -> None:
    assert agency(text) != agency(other)


# --- counties ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Harl County", "harl"),
        ("HARL COUNTY ", "harl"),
        ("Harl", "harl"),
        ("Harl Couny", "harl"),
        ("Harl Conty", "harl"),
        ("St. Johns County", "saint johns"),
        ("Saint Landry County", "saint landry"),
        ("Lafourche Parish", "lafourche"),
        ("Kenai Peninsula Borough", "kenai peninsula"),
        ("Miami-Dade County", "miami dade"),
        ("Prince George’s County", "prince georges"),
        ("County", "county"),
        ("", ""),
        (" ", ""),
        ("#N/A", ""),
        ("#NA", ""),
        ("N/A", ""),
        ("n/a ", ""),
        ("None", ""),
        ("TBD", ""),
    ],
)
def test_a_county_is_read_without_the_word_for_it(text: str, name: str) -> None:
    assert county(text) == name


# --- whole rows --------------------------------------------------------------------------------------------


def test_a_row_is_read_cell_by_cell_and_kept_as_published() -> None:
    row = cells("Harl Co. Sheriff’s Office ", county="#N/A", moa="link", moa_address=PLAIN.replace("https:", "http:"))
    read = listing(7, row)
    assert (read.row, read.cells) == (7, row)
    assert read.values.state == "GA"
    assert read.values.agency == "harl county sheriff office"
    assert read.values.county == ""
    assert read.values.support_type is TASK_FORCE
    assert read.values.signed == date(2025, 2, 14)
    assert read.values.moa == CANONICAL
    assert read.values.addendum == ""


def test_an_address_that_stands_in_the_cell_as_text_is_a_document() -> None:
    assert listing(2, cells(moa=PLAIN)).values.moa == CANONICAL


def test_a_reader_sees_the_words_of_a_cell_without_stray_spaces() -> None:
    assert shown(" Harl  County\u00a0Sheriff’s Office \n") == "Harl County Sheriff’s Office"


@given(st.text(max_size=60))
def test_any_text_can_be_read_as_any_cell(text: str) -> None:
    """A workbook is hostile: nothing in it may raise."""
    assert folded(text) == folded(folded(text))
    state(text), support_type(text), signed(text), document(text), agency(text), county(text)


@given(st.from_regex(r"(\d{1,6}[-/. ]?){1,4}\.?\d*", fullmatch=True))
def test_anything_like_a_date_is_a_possible_day_or_none(text: str) -> None:
    day = signed(text)
    assert day is None or date(1996, 9, 30) <= day < date(2100, 1, 1)


@pytest.mark.parametrize("host", ["[safelinks.protection.outlook.com", "\u2100.safelinks.protection.outlook.com"])
def test_a_wrapper_with_a_host_that_cannot_be_is_read_all_the_same(host: str) -> None:
    wrapped = f"https://{host}/?url=https%3A%2F%2Fwww.ice.gov%2Fdoclib%2Fa.pdf&data=05%7Ca.clerk"
    assert document(wrapped) == "https://ice.gov/doclib/a.pdf"
    assert document(f"https://{host}/?url=x") in ("", "x")


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("Harl_TFM_MOA_04052026", date(2026, 4, 5)),
        ("HarlMN_WSO_MOA040526", date(2026, 4, 5)),
        ("Harl_TFM_MOA_04.05.2026", date(2026, 4, 5)),
        ("Harl PD_4_5_26 508", date(2026, 4, 5)),
        ("287gWSO_HarlCoNc2026-04-05", date(2026, 4, 5)),
        ("Harl_20260405", date(2026, 4, 5)),
        ("Harl_TFM_MOA_0405026", None),
        ("Harl_TFM_MOA_13452026", None),
        ("Harl_04052026_04062026", None),
        ("Harl_TFM_MOA", None),
    ],
)
def test_the_day_of_a_document_is_read_from_its_file_name(name: str, day: date | None) -> None:
    assert document_date(document(f"https://www.ice.gov/doclib/04052020/{name}.pdf")) == day


def test_a_document_is_the_same_in_another_folder_and_on_another_host() -> None:
    assert same_document("https://ice.gov/a/harl.pdf", "https://dhs.gov/b/harl.pdf")
    assert not same_document("https://ice.gov/a/harl.pdf", "https://ice.gov/a/harl_2.pdf")
    assert not same_document("https://ice.gov/a/download", "https://ice.gov/b/download")


@pytest.mark.parametrize(
    ("misread", "meant"),
    [
        ("Harl Sheriffâ€™s Office", "Harl Sheriff's Office"),
        ("Harl â€“ Tarn Police", "Harl - Tarn Police"),
        ("St.Â\u00a0Harl Police", "St. Harl Police"),
        ("DoÃ±a Harl Police", "Doña Harl Police"),
        ("â€œHarlâ€\x9d Police", "“Harl” Police"),
    ],
)
def test_text_that_was_utf_8_and_read_as_windows_1252_is_what_it_was(misread: str, meant: str) -> None:
    assert agency(misread) == agency(meant)


def test_accents_and_curly_apostrophes_stay_what_they_are() -> None:
    assert agency("Ñuñoa Sheriff’s Office") == "nunoa sheriff office"


@pytest.mark.parametrize(
    ("misspelled", "meant"),
    [
        ("Office of Constable Monroeville 6qh Ward", "Office of Constable Monroeville 6th Ward"),
        ("16ti Judicial District Drug Task Force", "16th Judicial District Drug Task Force"),
        ("East Donegal Township Const ables Office", "East Donegal Township Constable's Office"),
    ],
)
def test_a_slip_within_an_ordinal_or_a_space_within_a_word_for_an_office_is_read(misspelled: str, meant: str) -> None:
    assert agency(misspelled) == agency(meant)
