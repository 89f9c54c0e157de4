"""What a setting may hold: types that check their value and say in words what is wanted instead."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number is wanted, not true or false")  # noqa: TRY004 - pydantic turns only ValueError into its own
    return value


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _listed(value: object) -> object:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


def _service_names(value: frozenset[str]) -> frozenset[str]:
    for name in sorted(value):
        if not SERVICE_NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} cannot name a service; lower-case letters, digits and '_' are wanted, like shop_example_org"
            )
    return value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("an address like http://127.0.0.1:8000/tmdb/3 is wanted, without password, query or fragment")
    return value.rstrip("/")


def _database_address(value: str) -> str:
    if value.partition("?")[0].count("@") > 1 and not value.startswith("sqlite"):
        # The driver would take what follows the first "@" for the host, and print it in its errors.
        raise ValueError("an @ in the user or the password is written %40")
    if value.startswith(("sqlite:///", "postgresql+psycopg://")):
        return value
    raise ValueError("sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE is wanted")


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError):
        raise ValueError(f"{value!r} is no time zone; a name like Europe/Rome or UTC is wanted") from None
    return value


SERVICE_NAME = re.compile(r"[a-z][a-z0-9_]*")
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Seconds = Annotated[Number, Field(gt=0)]
Amount = Annotated[Number, Field(ge=0)]
Count = Annotated[int, BeforeValidator(_number)]
Share = Annotated[Number, Field(ge=0, le=1)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]
Names = Annotated[frozenset[str], BeforeValidator(_listed)]
ServiceNames = Annotated[Names, AfterValidator(_service_names)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
DatabaseAddress = Annotated[str, AfterValidator(_database_address)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Secret = Annotated[SecretStr, BeforeValidator(_stripped), Field(min_length=1)]
