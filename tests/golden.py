"""Golden files: what a message or page looks like, in `tests/golden/`, reviewed like code."""

from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "golden"


@dataclass(frozen=True, slots=True)
class Golden:
    """Compares a text with `folder/<name>`, byte for byte; `update` writes that file instead."""

    folder: Path
    update: bool

    def __call__(self, name: str, text: str) -> None:
        file = self.folder / name
        if self.update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
            return
        if not file.exists():
            pytest.fail(f"no golden file {name} yet: run with --update-golden", pytrace=False)
        kept = file.read_bytes().decode()
        if text != kept:
            diff = "\n".join(
                unified_diff(kept.splitlines(), text.splitlines(), f"golden/{name}", "this run", lineterm="")
            )
            pytest.fail(
                f"{diff or f'golden/{name}: only line endings differ'}\n\n"
                "If this run is right: --update-golden, then read `git diff`.",
                pytrace=False,
            )
