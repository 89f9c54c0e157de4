"""What a festival or site is: which pages an edition has, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cinegraph_core.contracts.calls import Answer
from cinegraph_core.contracts.naming import check_name
from cinegraph_core.records import Nomination, Provenance


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page of an edition that a source wants.

    ``path`` is joined to the service's base URL; ``statement`` names who speaks there (``venice_official``). ``context``
    travels to :attr:`Source.read` untouched. A page that is not ``required`` may answer 404: it is then ``absent``, and
    no error if another page of the edition answered.
    """

    service: str
    path: str
    operation: str
    statement: str
    context: Mapping[str, Any] = field(default_factory=dict)
    required: bool = True


@dataclass(frozen=True, slots=True)
class PageResult:
    """What a page said: nominations, facts about the edition, and further pages to fetch for it.

    ``truncated`` says in words what the page left out and no further page can bring (empty: nothing); the edition is
    then partial.
    """

    nominations: tuple[Nomination, ...] = ()
    number: int | None = None
    instance: int | None = None
    name: str | None = None
    follow: tuple[PageRequest, ...] = ()
    truncated: str = ""


@dataclass(frozen=True, slots=True)
class EditionPlan:
    """One edition to fetch: the festival, the year and its first pages."""

    festival: str
    year: int
    pages: tuple[PageRequest, ...]
    instance: int = 1


@dataclass(frozen=True, slots=True)
class PageInput:
    """A page as :attr:`Source.read` gets it: the answer, the request it belongs to, and when and from where it came."""

    request: PageRequest
    answer: Answer
    fetched_at: float
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Source:
    """A festival or site: which pages an edition has, and what they say. No I/O.

    ``plan(arguments)`` turns spider arguments into edition plans and raises :class:`UsageError` for a wrong one;
    ``arguments`` maps each argument to one sentence of help. ``read(page)`` is pure and raises :class:`PageError` or
    :class:`BlockedError`, never returns an empty success. ``festivals`` maps each festival's key to its printed name.
    ``spider`` is an import string (``package.module:Class``); without it a generic spider named like the source is built.
    """

    name: str
    plan: Callable[[Mapping[str, str]], Iterable[EditionPlan]]
    read: Callable[[PageInput], PageResult]
    arguments: Mapping[str, str]
    festivals: Mapping[str, str]
    services: tuple[str, ...]
    spider: str | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Award and category names that mean the same at two sources, lower case, to one canonical form."""

    def __post_init__(self) -> None:
        check_name("a source", self.name)
