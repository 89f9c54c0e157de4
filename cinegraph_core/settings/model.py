"""The settings themselves: their names, types, defaults and one sentence about each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.sources import PydanticBaseSettingsSource

from cinegraph_core.records import Mode
from cinegraph_core.settings.groups import MatchingSettings, ServiceSettings
from cinegraph_core.settings.masking import mask_password
from cinegraph_core.settings.values import Amount, Count, DatabaseAddress, LogLevel, Names, ServiceNames


def mode_by_key(data: dict[str, Any]) -> Mode:
    """Return the mode where none is set: real for who has a TMDb key."""
    tmdb = data["services"].get("tmdb")
    return "real" if tmdb is not None and tmdb.api_key is not None else "mock"


def database_by_mode(data: dict[str, Any]) -> str:
    """Return the database where none is set: mock data never goes into the file of live data."""
    return "sqlite:///cinegraph-mock.db" if data["mode"] == "mock" else "sqlite:///cinegraph.db"


_NOTHING_SET = ServiceSettings()


class Settings(BaseSettings):
    """All settings of one process, frozen; made by :func:`load_settings`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    services: Mapping[str, ServiceSettings] = Field(default_factory=dict, description="Settings of each service by name.")
    matching: MatchingSettings = Field(default=MatchingSettings(), description="How sure the matching must be.")
    mode: Mode = Field(
        default_factory=mode_by_key,
        description="mock speaks to the bundled replica, real to the live services, hybrid to these and, where one is refused, "
        "to its replica.",
    )
    environment: Literal["development", "production"] = Field(
        default="development", description="In production nothing may run on a replica: such a start is refused."
    )
    mock_fallback: bool = Field(
        default=True, description="Whether a replica answers, marked fallback, for a service in hybrid mode that is refused."
    )
    database_url: DatabaseAddress = Field(
        default_factory=database_by_mode, repr=False, description="Where everything is stored: SQLite or PostgreSQL."
    )
    catalogue: Path | None = Field(
        default=None, description="File of the local catalogue; default: beside the SQLite database, else in this folder."
    )
    chromium: str | None = Field(
        default=None,
        description="Path of the Chromium that will render pages (so far only doctor looks at it); default: the one on the PATH.",
    )
    disable_plugins: Names = Field(default=frozenset(), description="Names of plugins that are not loaded, with commas between.")
    own_services: ServiceNames = Field(
        default=frozenset(),
        description="Services that your own code brings, with commas between: names of guarded functions' services and of hosts "
        "that your spiders crawl; only then may settings name them.",
    )
    retention_days: Annotated[Count, Field(ge=1)] = Field(
        default=90, description="Days for which measurements will be kept; nothing is deleted yet."
    )
    daily_budget_usd: Amount | None = Field(
        default=None, description="Dollars per calendar day (UTC) for all services together; counts those that have a price."
    )
    log_level: LogLevel = Field(
        default="INFO",
        description="Least severe kind of log line that is written; commands of cinegraph write warnings and worse until it is "
        "set.",
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
        return self.services.get(name, _NOTHING_SET)

    def mode_of(self, name: str) -> Mode:
        """Return the mode of a service: its own setting, else that of the run."""
        return self.service(name).mode or self.mode


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
