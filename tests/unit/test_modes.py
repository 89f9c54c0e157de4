"""Modes in words: a switch as a number, production, durations, and what is said of made-up data."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinegraph_core.application import Application
from cinegraph_core.cli.durations import seconds_of
from cinegraph_core.cli.match_shown import show_match
from cinegraph_core.cli.mode import titled
from cinegraph_core.contracts import Call, Replica, ServiceSpec
from cinegraph_core.errors import ConfigurationError, SettingsError
from cinegraph_core.records import Match
from cinegraph_core.services.modes import AS_CONFIGURED, Switch, Switches
from cinegraph_core.settings import Settings, load_settings, mock_notice
from cinegraph_core.storage.films import truthful
from cinegraph_core.testing import FakeClock, fresh_plugins

FILMS = ServiceSpec("films", "https://films.example")
STAND_IN = Replica("stand_in", ("films",), dict)


def load(**settings: Any) -> Settings:
    return load_settings(directory=Path("/nonexistent"), environ={}, **settings)


@given(st.sampled_from(["mock", "real", "hybrid"]), st.one_of(st.just(inf), st.integers(1, 2**42).map(lambda ms: ms / 1000)))
def test_a_switch_goes_through_its_word_unchanged(mode: Any, until: float) -> None:
    switch = Switch(mode, until)
    assert 0 < switch.word < 2**63
    assert Switch.of(switch.word) == switch


def test_no_word_and_the_word_of_a_reset_mean_no_switch() -> None:
    assert Switch.of(None) is Switch.of(AS_CONFIGURED) is None


def test_a_switch_ends_at_its_very_moment_and_an_old_one_never_begins() -> None:
    clock = FakeClock(1000.0)
    switches = Switches(clock, lambda _mode: "")
    switches.obey({("films", "mode"): Switch("mock", 1010.0).word, ("old", "mode"): Switch("mock", 1000.0).word})
    assert (switches.mode("films"), switches.mode("old")) == ("mock", None)
    clock.advance(9.999)
    assert switches.mode("films") == "mock"
    clock.advance(0.001)
    assert switches.mode("films") is None
    assert not switches.all, "calls need not look any more"


def test_one_switch_ends_and_another_goes_on() -> None:
    clock = FakeClock(1000.0)
    switches = Switches(clock, lambda _mode: "")
    switches.obey({("films", "mode"): Switch("mock", 1010.0).word, ("pages", "mode"): Switch("hybrid").word})
    clock.advance(10.0)
    assert (switches.mode("films"), switches.mode("pages")) == (None, "hybrid")


@pytest.mark.parametrize(
    ("settings", "named", "remedy"),
    [
        ({"mode": "mock"}, "CINEGRAPH_MODE=mock", "Set the mode to real"),
        ({}, "CINEGRAPH_MODE=mock", "Set the mode to real"),
        ({"mode": "real", "services": {"films": {"mode": "mock"}}}, "CINEGRAPH_SERVICES__FILMS__MODE=mock", "to real"),
        ({"mode": "hybrid"}, "CINEGRAPH_MODE=hybrid", "CINEGRAPH_MOCK_FALLBACK=false"),
        ({"mode": "real", "services": {"films": {"mode": "hybrid"}}}, "FILMS__MODE=hybrid", "CINEGRAPH_MOCK_FALLBACK=false"),
    ],
)
def test_lesson_28_production_does_not_start_where_a_replica_could_answer(
    tmp_path: Path, settings: dict[str, Any], named: str, remedy: str
) -> None:
    url = f"sqlite:///{tmp_path / 'run.db'}"
    chosen = load(environment="production", database_url=url, **settings)
    with pytest.raises(SettingsError, match=f"{named}: CINEGRAPH_ENVIRONMENT=production does not go with.*{remedy}"):
        Application.open(chosen, plugins=fresh_plugins(FILMS, STAND_IN))
    assert not (tmp_path / "run.db").exists()


@pytest.mark.parametrize("settings", [{"mode": "real"}, {"mode": "hybrid", "mock_fallback": False}])
def test_lesson_28_in_production_no_single_call_is_made_up_either(tmp_path: Path, settings: dict[str, Any]) -> None:
    url = f"sqlite:///{tmp_path / 'run.db'}"
    chosen = load(environment="production", database_url=url, **settings)
    with Application.open(chosen, plugins=fresh_plugins(FILMS, STAND_IN)) as application:
        application.services.begin(Call("films", "request", "/", mode="real"))
        with pytest.raises(ConfigurationError, match="does not go with mock mode"):
            application.services.begin(Call("films", "request", "/", mode="mock"))


@pytest.mark.parametrize("provenance", ["mock", "stale", "fallback"])
@pytest.mark.parametrize("mode", ["real", "hybrid"])
def test_lesson_28_an_answer_that_is_no_truth_leaves_its_film_pending(mode: Any, provenance: Any) -> None:
    found = Match("7", "matched", tmdb_id=11, imdb_id="tt0000011", score=1.0, api_calls=2, provenance=provenance)
    kept = truthful(found, mode)
    assert (kept.id, kept.status, kept.tmdb_id, kept.imdb_id, kept.provenance) == ("7", "error", None, None, "live")
    assert kept.api_calls == 2
    assert "may not be stored as truth, and the film stays pending" in (kept.error_message or "")
    assert truthful(found, "mock") is found


def test_what_is_true_is_stored_as_it_is() -> None:
    for provenance in ("live", "cache"):
        found = Match("7", "matched", tmdb_id=11, provenance=provenance)
        assert truthful(found, "hybrid") is found


def test_made_up_data_is_told_of_on_every_screen() -> None:
    whole, part = load(mode="mock"), load(mode="real", services={"omdb": {"mode": "mock"}, "tmdb": {"timeout": 1}})
    assert mock_notice(whole).startswith("MOCK data: ")
    assert mock_notice(part).startswith("MOCK data from omdb: ")
    assert (titled("Costs", whole), titled("Costs", part)) == ("Costs · MOCK data", "Costs · MOCK data from omdb")
    assert (mock_notice(load(mode="real")), titled("Costs", load(mode="hybrid"))) == ("", "Costs")


def test_lesson_28_an_answer_that_is_no_truth_is_shown_with_its_mark(capsys: pytest.CaptureFixture[str]) -> None:
    found = Match("7", "matched", tmdb_id=11, provenance="fallback")
    show_match(found, load(mode="hybrid"))
    assert "FALLBACK data" in capsys.readouterr().out
    show_match(replace(found, provenance="cache"), load(mode="hybrid"))
    assert "data" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("written", "seconds"), [("90s", 90.0), ("30m", 1800.0), ("2h", 7200.0), ("1d", 86_400.0), (" 1H ", 3600.0)]
)
def test_a_duration_is_written_as_people_do(written: str, seconds: float) -> None:
    context = click.Context(click.Command("set"))
    assert seconds_of(context, click.Option(["--for"]), written) == seconds
    assert seconds_of(context, click.Option(["--for"]), None) is None


@pytest.mark.parametrize("written", ["", "1", "h", "1.5h", "-1h", "0s", "1w", "9999999s"])
def test_what_is_no_duration_says_how_to_write_one(written: str) -> None:
    with pytest.raises(click.BadParameter, match="write it like 90s, 30m, 2h or 1d"):
        seconds_of(click.Context(click.Command("set")), click.Option(["--for"]), written)
