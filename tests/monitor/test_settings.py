"""Settings: where they come from, and what is said of those that cannot be used."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.errors import SettingsError
from monitor.settings import Settings, load

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings file of this machine's is in the way."""
    monkeypatch.chdir(tmp_path)


def complaint(text: str) -> str:
    file = Path("settings.toml")
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load(file)
    said = str(caught.value)
    assert said.startswith("settings.toml: ")
    assert said.endswith("; see config.example.toml")
    return said.removeprefix("settings.toml: ").removesuffix("; see config.example.toml")


def test_nothing_needs_to_be_set() -> None:
    settings = load()
    assert settings.state == Path("state.db")
    assert str(settings.source.page) == "https://www.ice.gov/identify-and-arrest/287g"
    assert settings.log.confirm_after == timedelta(hours=48)


def test_the_example_shows_the_defaults() -> None:
    assert load(ROOT / "config.example.toml").model_dump() == load().model_dump()


def test_the_example_shows_every_setting() -> None:
    shown = (ROOT / "config.example.toml").read_text()
    sections = {name: field.default for name, field in Settings.model_fields.items() if name != "state"}
    names = [f"{name}.{key}" for name, section in sections.items() for key in type(section).model_fields]
    assert [name for name in names if f"\n{name.partition('.')[2]} = " not in shown] == []


def test_a_settings_file_in_the_working_directory_is_read() -> None:
    Path("config.toml").write_text("[log]\nconfirm_after_hours = 24\n")
    assert load().log.confirm_after == timedelta(hours=24)


def test_a_file_that_is_named_is_read_instead() -> None:
    Path("config.toml").write_text("[log]\nconfirm_after_hours = 24\n")
    Path("other.toml").write_text("[log]\nconfirm_after_hours = 12\n")
    assert load(Path("other.toml")).log.confirm_after == timedelta(hours=12)


def test_the_environment_goes_before_the_file_and_the_command_line_before_both(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("config.toml").write_text('state = "file.db"\n[source]\npage = "https://file.test/"\ncontact = "desk"\n')
    monkeypatch.setenv("AGREEMENT_MONITOR_SOURCE__PAGE", "http://127.0.0.1:8000/page")
    monkeypatch.setenv("AGREEMENT_MONITOR_STATE", "environment.db")
    settings = load(state=Path("line.db"))
    assert (str(settings.source.page), settings.source.contact) == ("http://127.0.0.1:8000/page", "desk")
    assert settings.state == Path("line.db")
    assert load().state == Path("environment.db")


def test_a_secret_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGREEMENT_MONITOR_MAIL__PASSWORD", "hunter2")
    settings = load()
    assert settings.mail.password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(settings)


def test_a_fault_beside_a_secret_does_not_print_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGREEMENT_MONITOR_MAIL__PASSWORD", "hunter2")
    monkeypatch.setenv("AGREEMENT_MONITOR_MAIL__PORT", "smtp")
    with pytest.raises(SettingsError, match=r"^environment: mail\.port: Input should be a valid integer") as caught:
        load()
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_not_there_is_an_error_if_it_was_named() -> None:
    with pytest.raises(SettingsError, match=r"^nowhere\.toml: no such settings file; copy config\.example\.toml"):
        load(Path("nowhere.toml"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[log", "Expected ']' at the end of a table declaration (at end of document)"),
        ("[log]\nconfirm_after = 3", "log.confirm_after: Extra inputs are not permitted"),
        ("[lgo]\nconfirm_after_hours = 3", "lgo: Extra inputs are not permitted"),
        ("[log]\nconfirm_after_hours = 0", "log.confirm_after_hours: Input should be greater than 0"),
        ("[log]\nconfirm_after_hours = inf", "log.confirm_after_hours: Input should be less than or equal to 1000000"),
        ("[delivery]\ngive_up_after_hours = 1e300", "delivery.give_up_after_hours: Input should be less than or equal"),
        ('[log]\ntime_zone = "Nowhere/City"', "log.time_zone: Value error, there is no time zone 'Nowhere/City'"),
        ('[log]\ntime_zone = "America"', "log.time_zone: Value error, there is no time zone 'America'"),
        ('[log]\ntime_zone = "../x"', "log.time_zone: Value error, ZoneInfo keys must"),
        (
            '[source]\npage = "ftp://ice.test/"',
            "source.page: Value error, 'ftp://ice.test/' is no web address; write https://…",
        ),
        ('[web]\nbase_url = "nowhere"', "web.base_url: Value error, 'nowhere' is no web address; write https://…"),
        ("[guard]\ngone_share = 10", "guard.gone_share: Input should be less than or equal to 1"),
        ('[mail]\nsecurity = "ssl"', "mail.security: Input should be 'none', 'starttls' or 'tls'"),
        ('mail = "localhost"', "mail: Input should be a valid dictionary or instance of MailSettings"),
        ("[web]\nport = 99999\n[mail]\nport = 0", "mail.port: Input should be greater than or equal to 1; web.port: "),
    ],
)
def test_each_fault_is_named_with_its_setting(text: str, fault: str) -> None:
    assert complaint(text).startswith(fault)


def test_a_file_that_is_no_text_is_an_error() -> None:
    Path("settings.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"^settings\.toml: 'utf-8' codec can't decode"):
        load(Path("settings.toml"))


def test_a_section_in_the_environment_that_is_none_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGREEMENT_MONITOR_SOURCE", "https://ice.test/")
    with pytest.raises(SettingsError, match=r'^environment: error parsing value for field "source"'):
        load()
