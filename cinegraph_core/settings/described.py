"""The settings in words: how each is called in the environment, what it means, and its default."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic.fields import FieldInfo

from cinegraph_core.settings.model import database_by_mode, mode_by_key, setting_fields

PREFIX = "CINEGRAPH_"


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


def variable_name(name: str) -> str:
    """Return a dotted name as it is written in the environment."""
    return PREFIX + "__".join(name.split(".")).upper()


def _shown_default(field: FieldInfo) -> str:
    if field.default_factory is mode_by_key:
        return "real where a TMDb key is set, else mock"
    if field.default_factory is database_by_mode:
        return "sqlite:///cinegraph.db, in mock mode sqlite:///cinegraph-mock.db"
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return "" if field.default in (None, frozenset()) else str(field.default)
