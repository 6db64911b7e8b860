"""The pictures for the documents can be taken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.screenshots import LARGEST
from tests.browser.served import ROOT

SECONDS = 120


@pytest.mark.usefixtures("playwright")  # where there is none, none can be taken
def test_a_page_is_taken_on_a_phone_and_on_a_desktop(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.browser.screenshots", "--folder", str(tmp_path), "day=/days/2026-03-03"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=SECONDS)
    sizes = {}
    for path in tmp_path.iterdir():
        with Image.open(path) as picture:
            sizes[path.name] = picture.size
        assert path.stat().st_size <= LARGEST
    assert sizes == {"day-phone.png": (390, 844), "day-desktop.png": (1280, 900)}
