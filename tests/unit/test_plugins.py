"""The plugin host: every fault stays with its plugin, and the rest works."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from cinegraph_core import MetricsSink, PluginError, Replica, ServiceSpec, hookimpl
from cinegraph_core.plugins import KINDS, Installed, PluginInfo, Plugins, assemble, load_plugins
from cinegraph_core.testing import fresh_plugins

FOLDER = Path(__file__).parent.parent / "fixtures" / "plugins"
Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put folders of hand-written distributions on the path, and forget their modules afterwards."""
    before = set(sys.modules)

    def put(*folders: str) -> None:
        for folder in folders:
            monkeypatch.syspath_prepend(str(FOLDER / folder))

    yield put
    for name in set(sys.modules) - before:
        if str(FOLDER) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def info_of(plugins: Plugins, name: str) -> PluginInfo:
    (info,) = [info for info in plugins.infos() if info.name == name]
    return info


def test_an_installed_plugin_is_active_with_its_distribution_and_kinds(install: Install) -> None:
    install("hello")
    plugins = load_plugins()
    assert info_of(plugins, "hello") == PluginInfo(
        "hello", "1.0", "cinegraph-hello", kinds=("matcher", "metrics_sink", "service"), status="active", reason=None
    )
    assert plugins.services()["hello_api"].base_url == "https://hello.example"
    assert "hello_sink" in plugins.metrics_sinks()


def test_matchers_come_by_level_then_by_name(install: Install) -> None:
    install("hello")
    names = [matcher.name for matcher in load_plugins().matchers()]
    assert [name for name in names if name.startswith("hello")] == ["hello_a", "hello_b", "hello_late"]


def test_our_own_plugins_come_in_through_entry_points_like_anyones() -> None:
    assert {"tmdb", "venice", "imdb", "sql", "replica"} <= {
        info.name for info in load_plugins().infos() if info.distribution == "cinegraph"
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("import_error", "ModuleNotFoundError: No module named 'a_module_that_is_not_installed'"),
        ("leaves", "SystemExit: 3"),
        ("misspelt", "it has a hook 'metrics_snik' that Cinegraph does not know; the nearest is 'metrics_sink'"),
        ("half_way", "RuntimeError: the second service is lost"),
        ("wrong_type", "its hook 'source' gave ServiceSpec("),
        ("forgot_return", "its hook 'service' returned None instead of ServiceSpec objects"),
        ("is_async", "its hook 'service' is async"),
        ("wants_argument", "PluginValidationError: "),
        ("wraps", "its hook 'service' is a wrapper"),
        ("no_hook", "it implements no hook"),
        ("bad_name", "a service has the name 'Not A Name'"),
        ("one_name_twice", "the service 'double' is brought by 'one_name_twice' (cinegraph-broken 0.3) and 'one_name_twice'"),
        ("no_module", ": "),
    ],
)
def test_a_broken_plugin_is_failed_with_its_reason_and_harms_nothing(install: Install, name: str, reason: str) -> None:
    install("broken", "hello")
    plugins = load_plugins()
    info = info_of(plugins, name)
    assert (info.status, info.distribution, info.version) == ("failed", "cinegraph-broken", "0.3")
    assert reason in (info.reason or "")
    assert info_of(plugins, "hello").status == "active"
    assert not {"half", "wrong", "forgotten", "double"} & set(plugins.services())
    assert plugins.has_gaps


def test_a_failure_is_logged_with_plugin_distribution_and_version(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    install("broken")
    with caplog.at_level(logging.WARNING):
        load_plugins()
    assert "plugin 'half_way' (cinegraph-broken 0.3) failed: RuntimeError: the second service is lost" in caplog.messages


def test_strict_raises_naming_plugin_distribution_and_version(install: Install) -> None:
    install("torn")
    others = {info.name for info in load_plugins().infos()} - {"cinegraph-torn"}
    with pytest.raises(PluginError, match=r"plugin 'cinegraph-torn' \(cinegraph-torn 4\.0\) failed: "):
        load_plugins(blocked=others, strict=True)


def test_ctrl_c_during_an_import_is_not_swallowed() -> None:
    def interrupted() -> object:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        assemble([Installed(PluginInfo("slow", "1", "slow"), interrupted)])


def test_a_blocked_plugin_is_listed_and_not_even_imported(install: Install) -> None:
    install("hello")
    plugins = load_plugins(blocked={"hello"})
    info = info_of(plugins, "hello")
    assert (info.status, info.kinds) == ("blocked", ())
    assert "CINEGRAPH_DISABLE_PLUGINS" in (info.reason or "")
    assert "hello_api" not in plugins.services()
    assert "hello_cinegraph" not in sys.modules
    assert plugins.has_gaps


def test_a_blocked_name_nobody_has_is_told_with_the_nearest(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    install("hello")
    with caplog.at_level(logging.WARNING):
        plugins = load_plugins(blocked={"helo"})
    assert plugins.unknown_blocked == ("helo",)
    assert any("'helo'" in message and "the nearest is 'hello'" in message for message in caplog.messages)


def test_two_distributions_with_one_plugin_name_both_fail_without_being_imported(install: Install) -> None:
    install("twin_a", "twin_b", "hello")
    plugins = load_plugins()
    twins = [info for info in plugins.infos() if info.name == "twin"]
    assert [(info.status, info.distribution) for info in twins] == [
        ("failed", "cinegraph-twin-a"),
        ("failed", "cinegraph-twin-b"),
    ]
    for info in twins:
        assert "'twin' (cinegraph-twin-a 1.0) and 'twin' (cinegraph-twin-b 2.0)" in (info.reason or "")
    assert not {"twin_a", "twin_b"} & set(plugins.metrics_sinks())
    assert not {"twin_a", "twin_b"} & set(sys.modules)
    assert "hello_sink" in plugins.metrics_sinks()


def test_two_plugins_with_objects_of_one_kind_and_name_both_fail(install: Install) -> None:
    install("clash_a", "clash_b", "hello")
    plugins = load_plugins()
    for name in ("clash_a", "clash_b"):
        info = info_of(plugins, name)
        assert info.status == "failed"
        assert info.kinds == ("metrics_sink",)
        assert (
            "the metrics_sink 'paper' is brought by 'clash_a' (cinegraph-clash-a 1.0) and 'clash_b' (cinegraph-clash-b 2.0)"
            in (info.reason or "")
        )
    assert not {"paper", "clash_a", "clash_b"} & set(plugins.metrics_sinks())
    assert "hello_sink" in plugins.metrics_sinks()


def test_blocking_one_of_two_clashing_plugins_lets_the_other_work(install: Install) -> None:
    install("clash_a", "clash_b")
    plugins = load_plugins(blocked={"clash_a"})
    assert info_of(plugins, "clash_b").status == "active"
    assert "paper" in plugins.metrics_sinks()


def test_the_same_distribution_twice_on_the_path_is_no_conflict(install: Install) -> None:
    install("hello", "hello")
    assert info_of(load_plugins(), "hello").status == "active"


def test_a_torn_entry_points_file_fails_that_distribution_only(install: Install) -> None:
    install("torn", "hello")
    plugins = load_plugins()
    info = info_of(plugins, "cinegraph-torn")
    assert (info.status, info.version) == ("failed", "4.0")
    assert "entry_points.txt cannot be read" in (info.reason or "")
    assert info_of(plugins, "hello").status == "active"


def test_a_distribution_without_a_name_is_passed_over_aloud(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    install("nameless", "hello")
    with caplog.at_level(logging.WARNING):
        plugins = load_plugins()
    assert "nameless" not in {info.name for info in plugins.infos()}
    assert any("no name in its METADATA" in message for message in caplog.messages)


def test_hooks_are_drained_once_at_load() -> None:
    calls = []
    plugin = ModuleType("counting")

    def service() -> Iterator[ServiceSpec]:
        calls.append("service")
        yield ServiceSpec(name="counted", base_url="https://counted.example")

    plugin.service = hookimpl(service)  # type: ignore[attr-defined]
    plugins = fresh_plugins(plugin)
    assert plugins.services() == plugins.services()
    assert calls == ["service"]


def test_what_a_plugin_prints_while_it_is_loaded_stays_out_of_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    plugin = ModuleType("noisy")

    def service() -> Iterator[ServiceSpec]:
        print("begun")
        yield ServiceSpec(name="noisy", base_url="https://noisy.example")
        print("ended")

    def load() -> ModuleType:
        print("imported")
        plugin.service = hookimpl(service)  # type: ignore[attr-defined]
        return plugin

    assert set(assemble([Installed(PluginInfo("noisy", "1", "noisy"), load)]).services()) == {"noisy"}
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "imported\nbegun\nended\n")
    print("what comes after is the command's")
    assert capsys.readouterr().out == "what comes after is the command's\n"


def test_every_hook_has_its_accessor() -> None:
    spec = ServiceSpec(name="thing", base_url="https://thing.example")
    stand_in = Replica(name="thing", services=("thing",), start=dict)
    sink = MetricsSink(name="thing", open=lambda context: pytest.fail("never opened"))
    plugins = fresh_plugins(spec, stand_in, sink)
    assert plugins.services() == {"thing": spec}
    assert plugins.replicas() == {"thing": stand_in}
    assert plugins.metrics_sinks() == {"thing": sink}
    assert (plugins.sources(), plugins.enrichers(), plugins.alert_channels(), plugins.matchers()) == ({}, {}, {}, [])
    assert not plugins.has_gaps


def test_the_hooks_are_those_of_the_contract() -> None:
    from cinegraph_core import hookspecs

    specified = {name for name, thing in vars(hookspecs).items() if hasattr(thing, f"{hookspecs.PROJECT}_spec")}
    assert set(KINDS) == specified
