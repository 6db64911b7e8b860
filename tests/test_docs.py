"""What the documents promise is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from cli.__main__ import COMMANDS, group
from monitor.settings import Settings, load

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md")


def promised_commands() -> list[tuple[str, str]]:
    """Every `$ … agreement-monitor COMMAND` that a document shows, with the document."""
    return sorted(
        {
            (document, found)
            for document in DOCUMENTS
            for found in re.findall(
                r"^\$ .*?agreement-monitor ([a-z]+(?: [a-z]+)?)", (ROOT / document).read_text(), re.MULTILINE
            )
        }
    )


@pytest.mark.parametrize(("document", "words"), promised_commands())
def test_a_documented_command_exists(document: str, words: str) -> None:
    name, _, sub = words.partition(" ")
    assert name in COMMANDS, f"{document} shows `agreement-monitor {words}`"
    result = CliRunner().invoke(group, [name, "--help"])
    assert result.exit_code == 0
    if "COMMAND [ARGS]" in result.output and sub:
        assert sub in result.output, f"{document} shows `agreement-monitor {words}`"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_documented_make_target_exists(document: str) -> None:
    text = (ROOT / document).read_text()
    shown = set(re.findall(r"(?:^\$ |`)make ([a-z]+)", text, re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert shown - targets == set()


def test_each_file_that_the_contributing_guide_names_is_there() -> None:
    named = re.findall(r"[`(]((?:[\w.-]+/)+(?:[\w-]+\.[a-z]+)?)[`)]", (ROOT / "CONTRIBUTING.md").read_text())
    named = [path for path in named if "NAME" not in path]
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_readme_shows_commands() -> None:
    assert len(promised_commands()) >= 4


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [name for name in COMMANDS if f"`{name}" not in readme] == []


def test_the_example_settings_are_the_defaults_and_name_every_setting() -> None:
    assert load(ROOT / "config.example.toml").model_dump() == load().model_dump()
    example = (ROOT / "config.example.toml").read_text()
    missing = []
    for section, of in Settings.model_fields.items():
        if isinstance(of.annotation, type) and issubclass(of.annotation, BaseModel):
            block = example.partition(f"[{section}]")[2].partition("\n[")[0]
            missing += [f"{section}.{key}" for key in of.annotation.model_fields if f"\n{key} = " not in block]
    assert missing == []


def test_the_map_in_the_architecture_names_every_file_of_the_packages() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text()
    files = [p.name for name in ("cli", "monitor", "alerts", "web") for p in (ROOT / name).rglob("*.py")]
    assert [name for name in sorted(files) if name not in architecture and name != "__init__.py"] == []
