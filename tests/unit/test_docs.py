"""Documents and code say the same: what is named in one exists in the other, and the other way round."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cinegraph_core import errors, hookspecs
from cinegraph_core.cli import root
from cinegraph_core.crawling.turns import LONGEST_PAUSE
from cinegraph_core.endings import EXIT_CODES
from cinegraph_core.plugins import KINDS, load_plugins
from cinegraph_core.settings import describe_settings
from cinegraph_core.storage.tables import MetricRow

PROJECT = Path(__file__).resolve().parents[2]
REFERENCE = (PROJECT / "docs" / "reference.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")])


def _section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", REFERENCE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/reference.md has no section {title!r}"
    return found[1]


def _rows(title: str) -> dict[str, tuple[str, ...]]:
    """Return a section's table: the other cells by the first one, backticks taken off."""
    rows = {}
    for line in _section(title).splitlines():
        if line.startswith("| `"):
            # A bar that is meant is written \| in a table.
            cells = [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            rows[cells[0].strip("`")] = tuple(cell.strip("`") for cell in cells[1:])
    return rows


def _commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, by the words one types."""
    for noun in root.NOUNS:
        context = click.Context(root.cli)
        command = root.cli.get_command(context, noun)
        assert command is not None, f"cinegraph_core.cli.{noun} has no command {noun!r}"
        yield from _below(noun, command)


def _below(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield words, command
        return
    if command.invoke_without_command:
        yield words, command
    for name, further in command.commands.items():
        yield from _below(f"{words} {name}", further)


def _errors(base: type[BaseException]) -> Iterator[tuple[int, type[BaseException]]]:
    for below in base.__subclasses__():
        if below.__module__.startswith(errors.__name__):
            yield 1, below
            yield from ((depth + 1, one) for depth, one in _errors(below))


def test_lesson_03_every_command_and_option_is_in_the_reference_and_exists() -> None:
    documented = _rows("Commands")
    actual = dict(_commands())
    assert set(documented) == {f"cinegraph {name}" for name in actual}
    for name, command in actual.items():
        options = {option for parameter in command.params if isinstance(parameter, click.Option) for option in parameter.opts}
        assert set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", documented[f"cinegraph {name}"][0])) == options, name


def test_lesson_03_every_setting_is_in_the_reference_with_its_default() -> None:
    documented = _rows("Settings")
    actual = {one.name: (one.description, one.default) for one in describe_settings()}
    assert {name: (cells[0], cells[1]) for name, cells in documented.items()} == actual


def test_lesson_03_every_hook_is_in_the_reference_with_its_signature() -> None:
    actual = {}
    for name in KINDS:
        hook = getattr(hookspecs, name)
        returns = inspect.signature(hook).return_annotation
        actual[f"{name}() -> {returns}"] = (inspect.getdoc(hook),)
    assert _rows("Hooks") == actual


def test_lesson_03_every_error_is_in_the_reference_with_its_type() -> None:
    actual = {
        cls.__name__: (getattr(cls, "error_type", "–") if depth > 1 else "–", (inspect.getdoc(cls) or "").splitlines()[0])
        for depth, cls in _errors(errors.CinegraphError)
    }
    assert _rows("Errors") == actual


def test_lesson_03_every_error_type_belongs_to_a_class_and_the_other_way_round() -> None:
    types = {getattr(cls, "error_type", "unknown") for _, cls in _errors(errors.CinegraphError)}
    assert types == errors.ERROR_TYPES


def test_lesson_03_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert sorted(drawn) == sorted(cls.__name__ for _, cls in _errors(errors.CinegraphError))


def test_lesson_03_every_column_of_the_metrics_is_in_the_reference() -> None:
    assert set(_rows("api_lookup_metrics")) == {column.name for column in MetricRow.metadata.tables["api_lookup_metrics"].columns}


def test_lesson_03_every_operation_is_in_the_reference_and_in_the_code() -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("cinegraph_core", "plugins", "spiders")
        for path in (PROJECT / folder).rglob("*.py")
    )
    documented = set(_rows("Operations"))
    levels = {f"fallback_{matcher.strategy}" for matcher in load_plugins().matchers()}
    assert levels <= documented
    assert {name for name in documented - levels if f'"{name}"' not in source} == set()
    used = set(re.findall(r'operation="([a-z_]+)"|Call\([\w.]+, "([a-z_]+)"', source))
    assert {name for pair in used for name in pair if name} <= documented


def test_lesson_03_every_exit_code_is_in_the_reference() -> None:
    assert _rows("Exit codes") == {str(code): (meaning,) for code, meaning in EXIT_CODES.items()}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_lesson_03_documents_name_only_settings_that_exist(path: Path) -> None:
    known = {one.name for one in describe_settings()} | {LONGEST_PAUSE}
    shapes = [re.compile(re.escape(name).replace("<NAME>", r"\w+?")) for name in known]
    named = re.findall(r"CINEGRAPH_[A-Z_0-9<>]+", path.read_text(encoding="utf-8"))
    unknown = {name for name in named if name not in known and not any(shape.fullmatch(name) for shape in shapes)}
    assert unknown == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_lesson_03_documents_name_only_commands_that_exist(path: Path) -> None:
    known = {name for name, _ in _commands()} | set(root.NOUNS)
    text = path.read_text(encoding="utf-8")
    spoken = re.findall(r"(?:^\s*|`|\$ |; |run: )(?:\.venv/bin/)?cinegraph ([a-z]+)(?: ([a-z]+))?", text, re.MULTILINE)
    assert {noun for noun, _ in spoken} <= {name.split()[0] for name in known}
    groups = {name.split()[0] for name in known if " " in name}
    heads = {" ".join(name.split()[:2]) for name in known}
    assert {f"{noun} {verb}" for noun, verb in spoken if noun in groups and verb} <= heads


def test_nothing_tells_to_install_the_package_of_that_name_on_pypi() -> None:
    told = [PROJECT / "README.md"]
    for folder in ("docs", "examples", "cinegraph_core", "plugins", "spiders"):
        told += [path for kind in ("*.md", "*.py") for path in (PROJECT / folder).rglob(kind)]
    strangers = re.compile(r"pip install (?:-\S+ )*'?cinegraph(?:\[[^]]*\])?(?! @ file:)(?![\w-])")
    assert [str(path) for path in told if strangers.search(path.read_text(encoding="utf-8"))] == []
