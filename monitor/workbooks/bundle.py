"""Several workbooks of one list as one file: a zip file of them, with the same bytes for the same workbooks."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from monitor.errors import WorkbookError

MAX_WORKBOOKS = 10
_ENDINGS = (".xlsx", ".xls", ".xlsm", ".ods", ".csv", ".html", ".htm")
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(workbooks: Sequence[tuple[str, bytes]]) -> bytes:
    """One file of several, each with its name; a number goes before it, so that two of one name stay two."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, (name, content) in enumerate(workbooks, start=1):
            ending = "" if name.casefold().endswith(_ENDINGS) else ".xlsx"
            archive.writestr(zipfile.ZipInfo(f"{number} {name}{ending}", _ZIP_EPOCH), content)
    return packed.getvalue()


def unpack(content: bytes) -> list[tuple[str, bytes]]:
    """The workbooks of such a file, or of any zip file of workbooks, in their order. Raises WorkbookError."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if name.casefold().endswith(_ENDINGS)]
            workbooks = [(name, archive.read(name)) for name in names[:MAX_WORKBOOKS]]
    except MemoryError:
        raise
    except Exception as exc:  # whatever a broken file does, it is the file that is wrong
        raise WorkbookError(f"it is truncated or no workbook at all ({exc})") from exc
    if not workbooks:
        raise WorkbookError("it is a zip file, but no workbook")
    if len(names) > MAX_WORKBOOKS:
        raise WorkbookError(f"it is a zip file of {len(names)} workbooks, which no real list is")
    return workbooks
