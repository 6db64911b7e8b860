"""Write the sample lists: `python -m demo.samples [FOLDER]`.

The folder is laid out for `agreement-monitor replay`. Running it again writes the same bytes, so
that a change of the samples shows as what it is.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from pathlib import Path

from demo.publications import publications
from demo.workbooks import workbook

LISTS = Path(__file__).parent / "lists"
"""Where the samples that are bundled live."""

TITLE = "SAMPLE – invented agencies"
"""The title of every workbook, for whoever opens one far from here."""


def write(folder: Path) -> list[Path]:
    """Write the workbooks and `manifest.csv` into `folder`; return the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.csv"
    written = [manifest]
    with manifest.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(["published", "link", "file", "url_name", "sha256", "rows"])
        for sample in publications():
            content = workbook(sample.list, sample.rows, saved=sample.saved, title=TITLE)
            path = folder / sample.file
            path.write_bytes(content)
            written.append(path)
            writer.writerow(
                [
                    f"{sample.published:%Y-%m-%dT%H:%M:%SZ}",
                    sample.list,
                    sample.file,
                    sample.file,
                    hashlib.sha256(content).hexdigest(),
                    sum(row is not None for row in sample.rows),
                ]
            )
    return written


def main() -> None:
    """Write the samples into the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.samples", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=LISTS)
    for path in write(parser.parse_args().folder):
        print(path)


if __name__ == "__main__":
    main()
