"""The settings themselves: their names, types, defaults and one sentence about each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.sources import PydanticBaseSettingsSource

from cinegraph_core.records import Mode

PREFIX = "CINEGRAPH_"
_ADDRESS = re.compile(
    r"(?P<scheme>(?:[a-z][a-z0-9+.-]*:/+)?)(?:(?P<user>[^:]*):.*@)?(?P<host>[^?#]*)(?P<query>.*)", re.IGNORECASE | re.DOTALL
)
_QUERY_VALUE = re.compile(r"(?<=[?#&;])([^=&;#]*=)?[^&;#]+")


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number is wanted, not true or false")  # noqa: TRY004 - pydantic turns only ValueError into its own
    return value


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _listed(value: object) -> object:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("an address like http://127.0.0.1:8000/tmdb/3 is wanted, without password, query or fragment")
    return value.rstrip("/")


def _database_address(value: str) -> str:
    if value.partition("?")[0].count("@") > 1 and not value.startswith("sqlite"):
        # The driver would take what follows the first one for the host, and print it in its errors.
        raise ValueError("an @ in the user or the password is written %40")
    if value.startswith(("sqlite:///", "postgresql+psycopg://")):
        return value
    raise ValueError("sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE is wanted")


def _not_hybrid(value: Mode) -> Mode:
    if value == "hybrid":
        raise ValueError("this version has no hybrid mode yet; use mock or real")
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError):
        raise ValueError(f"{value!r} is no time zone; a name like Europe/Rome or UTC is wanted") from None
    return value


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Seconds = Annotated[Number, Field(gt=0)]
Amount = Annotated[Number, Field(ge=0)]
Count = Annotated[int, BeforeValidator(_number)]
Share = Annotated[Number, Field(ge=0, le=1)]
RunMode = Annotated[Mode, AfterValidator(_not_hybrid)]


class ServiceSettings(BaseModel):
    """What may be set for one service; ``None`` leaves the value of its ``ServiceSpec``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: Annotated[str, AfterValidator(_web_address)] | None = Field(
        default=None, description="Address used instead of the public one; counts in real mode only."
    )
    timeout: Seconds | None = Field(default=None, description="Seconds one attempt may take, from connect to last byte.")
    deadline: Seconds | None = Field(default=None, description="Seconds the whole call may take, with all its waits.")
    retries: Annotated[Count, Field(ge=0)] | None = Field(default=None, description="How often a failed attempt is repeated.")
    rate_per_second: Annotated[Number, Field(ge=0)] | None = Field(
        default=None, description="Requests per second; 0 is no limit."
    )
    delay: Annotated[Number, Field(ge=0)] | None = Field(default=None, description="Seconds between two pages a spider fetches.")
    cache_ttl: Amount | None = Field(default=None, description="Seconds an answer is kept; 0 keeps none.")
    cache_negative_ttl: Amount | None = Field(
        default=None, description="Seconds a 'not found' is kept, but never longer than other answers."
    )
    cache_revalidate: Amount | None = Field(
        default=None, description="Seconds beyond that in which an answer, marked stale, is served while a new one is fetched."
    )
    cache_on_error: Amount | None = Field(
        default=None, description="Seconds beyond that in which an answer, marked stale, is served if no new one can be had."
    )
    breaker_failures: Annotated[Count, Field(ge=1)] | None = Field(
        default=None, description="Failures in a row after which the breaker opens."
    )
    breaker_wait: Seconds | None = Field(
        default=None, description="Seconds an open breaker waits before it lets a probe through."
    )
    breaker_mode: Literal["auto", "shadow", "open"] | None = Field(
        default=None, description="auto; shadow: the breaker counts but refuses nobody; open: it refuses everybody."
    )
    daily_quota: Annotated[Count, Field(ge=0)] | None = Field(
        default=None, description="Requests per calendar day, of all processes together."
    )
    hourly_quota: Annotated[Count, Field(ge=0)] | None = Field(
        default=None, description="Requests per calendar hour, of all processes together."
    )
    daily_budget_usd: Amount | None = Field(
        default=None, description="Dollars per calendar day, of all processes together; needs a price per call."
    )
    price_per_call_usd: Amount | None = Field(default=None, description="Dollars that one request costs.")
    time_zone: Annotated[str, AfterValidator(_time_zone)] | None = Field(
        default=None, description="Time zone in which the provider counts hours and days, such as America/New_York."
    )
    mode: RunMode | None = Field(
        default=None,
        description="Mode of this service alone; can only repeat the run's own, because a database holds mock data or live data, "
        "never both.",
    )
    api_key: Annotated[SecretStr, BeforeValidator(_stripped), Field(min_length=1)] | None = Field(
        default=None, description="Key of the service; shown nowhere."
    )


class MatchingSettings(BaseModel):
    """How sure the matching must be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_fallback_level: Annotated[Count, Field(ge=1)] = Field(default=6, description="Highest level of the cascade that is run.")
    min_confidence: Share = Field(default=0.5, description="Levels whose confidence is lower are not run.")
    accept_score: Share = Field(default=0.8, description="Score (0 to 1) from which a film is accepted.")
    margin: Share = Field(default=0.3, description="How far the best film's score must be ahead of the next one's.")


def _mode_by_key(data: dict[str, Any]) -> Mode:
    tmdb = data["services"].get("tmdb")
    return "real" if tmdb is not None and tmdb.api_key is not None else "mock"


def _database_by_mode(data: dict[str, Any]) -> str:
    return "sqlite:///cinegraph-mock.db" if data["mode"] == "mock" else "sqlite:///cinegraph.db"


class Settings(BaseSettings):
    """All settings of one process, frozen; made by :func:`load_settings`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    services: Mapping[str, ServiceSettings] = Field(default_factory=dict, description="Settings of each service by name.")
    matching: MatchingSettings = Field(default=MatchingSettings(), description="How sure the matching must be.")
    mode: RunMode = Field(
        default_factory=_mode_by_key, description="mock speaks to the bundled replica, real to the live services."
    )
    database_url: Annotated[str, AfterValidator(_database_address)] = Field(
        default_factory=_database_by_mode, repr=False, description="Where everything is stored: SQLite or PostgreSQL."
    )
    catalogue: Path | None = Field(
        default=None, description="File of the local catalogue; default: beside the SQLite database, else in this folder."
    )
    chromium: str | None = Field(
        default=None, description="Path of the Chromium that renders pages; default: the one on the PATH."
    )
    disable_plugins: Annotated[frozenset[str], BeforeValidator(_listed)] = Field(
        default=frozenset(), description="Names of plugins that are not loaded, with commas between."
    )
    retention_days: Annotated[Count, Field(ge=1)] = Field(default=90, description="Days for which measurements are kept.")
    daily_budget_usd: Amount | None = Field(
        default=None, description="Dollars per calendar day (UTC) for all services together; counts those that have a price."
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = Field(
        default="INFO", description="Least severe kind of log line that is written."
    )
    contact: str | None = Field(
        default=None, description="Mail address or page told to every service, so that they can reach you."
    )

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing behind the back of :func:`load_settings`."""
        return (init_settings,)

    @property
    def origins(self) -> Mapping[str, str]:
        """Where each value came from, by dotted name: ``default``, ``cinegraph.toml``, ``.env``, ``environment``, ``override``.

        Of the services only what is set is named.
        """
        return {name: self._origins.get(name, "default") for name in [*_plain_names(), *self._origins]}

    @property
    def masked_database_url(self) -> str:
        """The database's address without its password, for people and logs."""
        return mask_password(self.database_url)

    @property
    def catalogue_path(self) -> Path:
        """Where the local catalogue is: what is set, else a file named after the database."""
        if self.catalogue is not None:
            return self.catalogue
        file = self.database_url.removeprefix("sqlite:///").partition("?")[0] if self.database_url.startswith("sqlite") else ""
        database = Path(file or "cinegraph.db")
        return database.with_name(f"{database.stem}-catalogue.db")

    def service(self, name: str) -> ServiceSettings:
        """Return what is set for a service; empty where nothing is."""
        return self.services.get(name, ServiceSettings())


@dataclass(frozen=True, slots=True)
class SettingDoc:
    """A setting as the documentation names it."""

    name: str
    description: str
    default: str


def describe_settings() -> Iterator[SettingDoc]:
    """Yield every setting with its one-sentence description and its default, for documents and ``config show``."""
    for name, field in setting_fields():
        yield SettingDoc(variable_name(name), field.description or "", _shown_default(field))


def mask_password(url: str) -> str:
    """Return an address with its password and every value of its query starred out; also one that is written wrongly.

    The password ends at the last ``@``, whatever it holds, so that nothing of one that should have been quoted is shown.
    """
    found = _ADDRESS.fullmatch(url)
    if found is None:
        return "***"
    scheme, user, host, query = found.groups()
    login = "" if user is None else f"{user}:***@"
    if scheme.lower().startswith("http") and "@" in host:
        login, host = "***@", host.rpartition("@")[2]
    return scheme + login + host + _QUERY_VALUE.sub(r"\1***", query)


def setting_fields() -> Iterator[tuple[str, FieldInfo]]:
    """Yield every setting by dotted name; ``<name>`` stands for a service."""
    for name, field in Settings.model_fields.items():
        if name == "services":
            yield from ((f"services.<name>.{key}", one) for key, one in ServiceSettings.model_fields.items())
        elif name == "matching":
            yield from ((f"matching.{key}", one) for key, one in MatchingSettings.model_fields.items())
        else:
            yield name, field


def _plain_names() -> list[str]:
    return [name for name, _ in setting_fields() if not name.startswith("services.")]


def _shown_default(field: FieldInfo) -> str:
    if field.default_factory is _mode_by_key:
        return "real where a TMDb key is set, else mock"
    if field.default_factory is _database_by_mode:
        return "sqlite:///cinegraph.db, in mock mode sqlite:///cinegraph-mock.db"
    return "" if field.default in (None, frozenset()) else str(field.default)


def variable_name(name: str) -> str:
    """Return a dotted name as it is written in the environment."""
    return PREFIX + "__".join(name.split(".")).upper()
