"""What ``cinegraph_core`` exports by name, and that importing it costs next to nothing."""

from __future__ import annotations

import inspect
import pkgutil
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

import cinegraph_core
from cinegraph_core import contracts, errors, records


def test_everything_exported_exists_and_is_listed_in_order() -> None:
    for name in cinegraph_core.__all__:
        assert getattr(cinegraph_core, name) is not None
    assert sorted(cinegraph_core.__all__) == cinegraph_core.__all__
    assert set(cinegraph_core.__all__) <= set(dir(cinegraph_core))


@pytest.mark.parametrize("module", [contracts, errors, records])
def test_every_public_class_an_author_needs_is_exported(module: ModuleType) -> None:
    inner = [import_module(f"{module.__name__}.{one.name}") for one in pkgutil.iter_modules(getattr(module, "__path__", ()))]
    own = {
        name
        for part in (module, *inner)
        for name, thing in inspect.getmembers(part, inspect.isclass)
        if thing.__module__ == part.__name__ and not name.startswith("_")
    }
    assert own
    assert own <= set(cinegraph_core.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Sauce'"):
        _ = cinegraph_core.Sauce


def test_importing_the_package_and_a_contract_imports_nothing_heavy() -> None:
    code = (
        "import sys, cinegraph_core\n"
        "assert 'cinegraph_core.contracts' not in sys.modules\n"
        "from cinegraph_core import hookimpl, Source, Edition, ServiceError\n"
        "heavy = ('scrapy', 'sqlmodel', 'sqlalchemy', 'httpx', 'pydantic', 'pydantic_settings')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_an_author_sees_types() -> None:
    """The names are also imported for type checkers, and no other ones."""
    import ast
    from pathlib import Path

    tree = ast.parse(Path(cinegraph_core.__file__ or "").read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    typed = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed == set(cinegraph_core.__all__)
