"""Reading the settings: ``cinegraph.toml``, ``.env``, the environment; the later wins, and unknown names stop the start.

pydantic-settings lets unknown names pass and forgets where a value came from, so its file readers are used here, but
names and origins are kept by :func:`load_settings` itself.
"""

from __future__ import annotations

import logging
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import DotEnvSettingsSource, TomlConfigSettingsSource

from cinegraph_core.errors import SettingsError
from cinegraph_core.settings.described import PREFIX, variable_name
from cinegraph_core.settings.masking import mask_password
from cinegraph_core.settings.model import Settings, setting_fields
from cinegraph_core.settings.slips import refuse_lines, refuse_slips
from cinegraph_core.settings.values import SERVICE_NAME

ALIASES = {"TMDB_API_KEY": "services.tmdb.api_key", "OMDB_API_KEY": "services.omdb.api_key"}
"""Names of other programs that are understood too; a CINEGRAPH_ name of the same place wins."""

_log = logging.getLogger(__name__)
_ENVIRONMENT = "the environment"
_Pair = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class _Given:
    """A value somebody set: what, in which kind of place, and where exactly."""

    value: Any
    origin: str
    where: str


def load_settings(*, directory: Path | None = None, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings of a directory (default: the current one) and an environment (default: the process's).

    Empty values count as not set. ``overrides`` win over all places; nested ones are mappings or joined with ``__``, and
    ``None`` leaves a setting alone. Raises :class:`SettingsError` for an unknown name, naming the nearest known one, and
    for a wrong value; secrets are never printed.
    """
    directory = directory or Path.cwd()
    places = (
        ("cinegraph.toml", str(directory / "cinegraph.toml"), _read_toml(directory / "cinegraph.toml")),
        (".env", str(directory / ".env"), _read_dotenv(directory / ".env")),
        ("environment", _ENVIRONMENT, _from_variables(os.environ if environ is None else environ, _ENVIRONMENT)),
        ("override", "the call", _flattened(overrides)),
    )
    found = [(name, _Given(value, origin, where)) for origin, where, pairs in places for name, value in pairs]
    _refuse_unknown(found)
    given = {name: one for name, one in found if not _is_empty(one.value)}
    try:
        settings = Settings(**_nested(given))
    except ValidationError as error:
        raise SettingsError(_explain(error, given)) from None
    settings._origins.update({name: one.origin for name, one in given.items()})
    return settings


def check_service_names(settings: Settings, known: set[str], tolerated: set[str]) -> None:
    """Raise :class:`SettingsError` for a service that is set but not ``known``; ``tolerated`` ones pass with a warning.

    So do those of :attr:`Settings.own_services`, without one; but no replica can stand in for them.
    """
    for service in sorted(set(settings.services) - known):
        if service in settings.own_services:
            _check_own(settings, service)
            continue
        message = (
            f"{_places(settings, service)}: no service {service!r} is installed{_nearest(service, known | settings.own_services)}"
        )
        if service not in tolerated:
            raise SettingsError(
                f"{message}. One that your own code brings has to be named in {variable_name('own_services')} too"
            )
        _log.warning("%s; without its plugin the setting has no effect", message)


def _places(settings: Settings, service: str) -> str:
    names = [name for name in settings.origins if name.startswith(f"services.{service}.")]
    return ", ".join(f"{variable_name(name)} ({settings.origins[name]})" for name in names) or f"services.{service}"


def _check_own(settings: Settings, service: str) -> None:
    if (mode := settings.service(service).mode) not in (None, "real"):
        name = variable_name(f"services.{service}.mode")
        raise SettingsError(f"{name}={mode}: a service that your own code brings has no replica; take the setting out")


def _read_toml(path: Path) -> list[_Pair]:
    try:
        raw = TomlConfigSettingsSource(Settings, path).toml_data
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    variables = {key: value for key, value in raw.items() if _is_variable(key)}
    return [*_flattened({key: raw[key] for key in raw.keys() - variables}), *_from_variables(variables, str(path))]


def _read_dotenv(path: Path) -> list[_Pair]:
    try:
        refuse_lines(path, (PREFIX, *ALIASES))
        return _from_variables(DotEnvSettingsSource(Settings, env_file=path, env_file_encoding="utf-8").env_vars, str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _is_variable(name: str) -> bool:
    return name.upper().startswith(PREFIX) or name.upper() in ALIASES


def _from_variables(variables: Mapping[str, Any], where: str) -> list[_Pair]:
    """Return the variables that are ours under their dotted names, the aliases first, so that our own names win."""
    refuse_slips(variables, where, ALIASES, is_shared=where == _ENVIRONMENT)
    ours = {name.upper(): value for name, value in variables.items() if _is_variable(name)}
    aliased = [(dotted, ours.pop(alias)) for alias, dotted in ALIASES.items() if alias in ours]
    return aliased + [(name.removeprefix(PREFIX).lower().replace("__", "."), value) for name, value in ours.items()]


def _flattened(values: Mapping[str, Any], prefix: str = "") -> Iterator[_Pair]:
    for key, value in values.items():
        name = prefix + key.replace("__", ".")
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{name}.")
        else:
            yield name, value


def _nested(given: Mapping[str, _Given]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, one in given.items():
        *parents, leaf = name.split(".")
        target = data
        for parent in parents:
            target = target.setdefault(parent, {})
        target[leaf] = one.value
    return data


def _refuse_unknown(found: Iterable[tuple[str, _Given]]) -> None:
    for name, one in found:
        parts = [part for part in name.split(".") if "." in name and SERVICE_NAME.fullmatch(part)]
        if name not in _known(parts):
            near = _nearest(variable_name(name), [*map(variable_name, _known(parts or ["tmdb"])), *ALIASES])
            raise SettingsError(f"there is no setting {variable_name(name)} (found in {one.where}){near}")


def _known(services: Iterable[str]) -> set[str]:
    """Return every setting's dotted name, with each of these services put in where a service is meant."""
    names = [name for name, _ in setting_fields()]
    return {name.replace("<name>", service) for service in ("<name>", *services) for name in names}


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.0)
    return f"; the nearest is {near[0]}" if near else ""


def _explain(error: ValidationError, given: Mapping[str, _Given]) -> str:
    """Say of each wrong value what it is, where it stands and what is wanted."""
    fields = dict(setting_fields())
    lines = []
    for problem in error.errors():
        if problem["type"] == "default_factory_not_called":  # only says that another value is wrong
            continue
        name = next((one for one in _prefixes(problem["loc"]) if one in given), "")
        one = given[name]
        field = fields[re.sub(r"^services\.[^.]+", "services.<name>", name)]
        shown = "" if name.endswith(".api_key") else f"={mask_password(str(one.value))}"
        wanted = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{variable_name(name)}{shown} (from {one.where}): {wanted}. It means: {field.description}")
    return "\n".join(lines)


def _prefixes(location: tuple[int | str, ...]) -> Iterator[str]:
    """Yield the dotted name of an error's place, then of what encloses it."""
    for end in range(len(location), 0, -1):
        yield ".".join(str(part) for part in location[:end])
