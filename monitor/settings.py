"""Settings in sections, one for each package; the only reader of settings files and of the environment.

Order of precedence: the environment (`AGREEMENT_MONITOR_MAIL__PASSWORD=…`), then the settings file, then the defaults
below. Secrets belong in the environment.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from monitor.errors import SettingsError

DEFAULT_FILE = Path("config.toml")
_PREFIX = "AGREEMENT_MONITOR_"

_LONGEST = 1_000_000  # of seconds, minutes and hours alike: what is longer overflows where times are added up


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{value!r} is no web address; write https://…")
    return value


def zone_name(value: str) -> str:
    """The name of a time zone. Raises ValueError where there is none of that name."""
    try:
        ZoneInfo(value)
    except (KeyError, OSError) as exc:  # a folder of zones ("America") is an OSError
        raise ValueError(f"there is no time zone {value!r}; write one like America/New_York") from exc
    return value


# pydantic's own type for addresses takes 20 ms to import, and every command reads the settings.
WebAddress = Annotated[str, AfterValidator(_web_address)]
Seconds = Annotated[float, Field(gt=0, le=_LONGEST)]
Hours = Annotated[float, Field(gt=0, le=_LONGEST)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceSettings(_Section):
    """Where ICE's lists are read, and how politely."""

    page: WebAddress = "https://www.ice.gov/identify-and-arrest/287g"
    contact: str = "operator contact not set"  # an address or page that ICE's staff can turn to
    connect_timeout: Seconds = 5.0
    read_timeout: Seconds = 30.0
    max_bytes: Annotated[int, Field(gt=0)] = 20_000_000  # real workbooks: at most 0.2 MB
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    every_minutes: Annotated[float, Field(ge=1, le=_LONGEST)] = 30.0


class ArchiveSettings(_Section):
    """Where past lists are looked for, and how slowly: `backfill` is in no hurry, and the archive is everybody's."""

    cdx: WebAddress = "https://web.archive.org/cdx/search/cdx"
    web: WebAddress = "https://web.archive.org/web"
    workbooks: WebAddress = "https://www.ice.gov/doclib/about/offices/ero/287g/"  # their addresses begin so
    pause: Annotated[float, Field(ge=0, le=_LONGEST)] = 4.0
    timeout: Seconds = 60.0
    retries: Annotated[int, Field(ge=0, le=10)] = 5


class ReadSettings(_Section):
    """What reading one workbook may cost; real ones take 0.5 s and 100 MB."""

    timeout: Seconds = 60.0
    max_memory_mb: Annotated[int, Field(ge=128)] = 1024


class GuardSettings(_Section):
    """From where on a list is held instead of believed, and for how long."""

    gone_share: Annotated[float, Field(gt=0, le=1)] = 0.01
    gone_rows: Annotated[int, Field(ge=1)] = 15
    operator_gone_share: Annotated[float, Field(gt=0, le=1)] = 0.05
    state_gone_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    state_rows: Annotated[int, Field(ge=1)] = 6
    changed_share: Annotated[float, Field(gt=0, le=1)] = 0.03
    changed_rows: Annotated[int, Field(ge=1)] = 15
    unreadable_share: Annotated[float, Field(gt=0, le=1)] = 0.01
    unreadable_rows: Annotated[int, Field(ge=1)] = 15
    odd_share: Annotated[float, Field(gt=0, le=1)] = 0.05
    odd_rows: Annotated[int, Field(ge=1)] = 10
    emptied_pending_rows: Annotated[int, Field(ge=1)] = 20
    release_after_hours: Hours = 48.0
    release_served_again_after_hours: Hours = 24.0


class LogSettings(_Section):
    """The days and delays of the change log; and how the service logs what it does."""

    time_zone: Annotated[str, AfterValidator(zone_name)] = "America/New_York"  # where the days of the log begin and end
    confirm_after_hours: Hours = 48.0
    review_days: Annotated[float, Field(ge=1, le=366)] = 7.0
    format: Literal["console", "json"] = "console"
    level: Literal["info", "warning", "error"] = "info"

    @property
    def confirm_after(self) -> timedelta:
        return timedelta(hours=self.confirm_after_hours)

    @property
    def remind_after(self) -> timedelta:
        return timedelta(days=self.review_days)


class MailSettings(_Section):
    """The server that outgoing mail is handed to."""

    host: str = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    security: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    password: SecretStr = SecretStr("")
    sender: str = "agreement-monitor@localhost"
    timeout: Seconds = 30.0


class SlackSettings(_Section):
    """How messages are handed to Slack."""

    timeout: Seconds = 30.0
    hosts: tuple[str, ...] = ("hooks.slack.com", "hooks.slack-gov.com")  # where an incoming webhook may lie
    bot_token: SecretStr = SecretStr("")  # of the app that posts to channels by their id
    api_url: WebAddress = "https://slack.com/api/"


class DeliverySettings(_Section):
    """How deliveries are tried, and tried again."""

    first_pause: Seconds = 60.0
    longest_pause: Seconds = 6 * 3600.0
    give_up_after_hours: Hours = 72.0
    lease: Seconds = 300.0
    confirm_within_hours: Hours = 72.0
    key: SecretStr = SecretStr("")
    acknowledge_every: Annotated[int, Field(ge=1, le=100)] = 1


class OperatorSettings(_Section):
    """The person who runs the service, and what they are told."""

    email: str = ""
    slack: SecretStr = SecretStr("")  # an incoming webhook
    stale_after_hours: Hours = 6.0


class WebSettings(_Section):
    """The web page."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8287
    base_url: Annotated[WebAddress, AfterValidator(lambda url: url.rstrip("/"))] = "http://127.0.0.1:8287"
    """How readers reach it: links in messages begin with this."""


class FormSettings(_Section):
    """The forms by which visitors subscribe, and the links by which they manage and leave."""

    mails_per_address: Annotated[int, Field(ge=1, le=100)] = 3  # a day, of those that anybody can ask for
    asks_per_network: Annotated[int, Field(ge=1, le=_LONGEST)] = 20  # an hour
    asks_overall: Annotated[int, Field(ge=1, le=_LONGEST)] = 500  # an hour
    manage_days: Annotated[float, Field(gt=0, le=366)] = 7.0
    link_keys: tuple[SecretStr, ...] = ()
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0


class Settings(BaseSettings):
    """All settings; see config.example.toml."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
    )

    state: Path = Path("state.db")
    source: SourceSettings = SourceSettings()
    archive: ArchiveSettings = ArchiveSettings()
    read: ReadSettings = ReadSettings()
    guard: GuardSettings = GuardSettings()
    log: LogSettings = LogSettings()
    mail: MailSettings = MailSettings()
    slack: SlackSettings = SlackSettings()
    delivery: DeliverySettings = DeliverySettings()
    operator: OperatorSettings = OperatorSettings()
    web: WebSettings = WebSettings()
    forms: FormSettings = FormSettings()


def load(file: Path | None = None, state: Path | None = None) -> Settings:
    """The settings of this run; `state` from the command line goes before all. Raises SettingsError, naming each fault.

    Without `file`, `config.toml` in the working directory is read if it is there.
    """
    path = file or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
    if file is not None and not file.is_file():
        raise SettingsError(f"{file}: no such settings file; copy config.example.toml and edit it")

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            sources = [init_settings, env_settings]
            if path is not None:
                sources.append(TomlConfigSettingsSource(settings_cls, path))
            return tuple(sources)

    given: dict[str, Any] = {} if state is None else {"state": state}
    try:
        return FromFile(**given)
    except ValidationError as exc:
        faults = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors())
        raise SettingsError(f"{path or 'environment'}: {faults}; see config.example.toml") from exc
    except (ValueError, OSError) as exc:  # not TOML, not readable; or a section in the environment that is not JSON
        raise SettingsError(f"{path or 'environment'}: {exc}; see config.example.toml") from exc
