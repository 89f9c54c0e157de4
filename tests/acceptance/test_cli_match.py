"""``cinegraph match`` as people and programs use it: real processes, mock mode, a real database."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from cinegraph_replica.server import ReplicaServer
from tests.support.runs import BIN, begin, environment, feed, query, run, stats
from tests.support.waiting import within

QUERIES = (
    {"id": "a", "title": "The Room Next Door", "year": 2024, "directors": ["Pedro Almodóvar"]},
    {"id": "b", "title": "Nobody Ever Made This Film", "year": 2024},
    {"id": "c", "title": "Maria", "year": 2024, "directors": ["Pablo Larraín"]},
)


def _match(env: dict[str, str], folder: Path, lines: Sequence[str], *options: str) -> subprocess.CompletedProcess[str]:
    path = folder / "queries.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    with path.open() as stdin:
        return subprocess.run(
            [str(BIN / "cinegraph"), "match", *options],
            stdin=stdin, capture_output=True, text=True, env=env, cwd=folder, timeout=60, check=False,
        )  # fmt: skip


def test_json_lines_come_out_in_order_and_a_broken_line_harms_nobody(env: dict[str, str], tmp_path: Path) -> None:
    good = [json.dumps(one) for one in QUERIES]
    done = _match(env, tmp_path, [good[0], "{torn", "", good[1], '{"id": "x"}', '["no object"]', good[2]], "--json")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["id"] for one in results] == ["a", None, "b", "x", None, "c"]
    assert [one["status"] for one in results] == ["matched", "error", "not_found", "error", "error", "matched"]
    assert [one.get("line") for one in results] == [None, 2, None, 5, 6, None]
    assert "line 2: it is no JSON" in results[1]["error_message"]
    assert done.returncode == 1
    assert "MOCK data" in done.stderr
    assert "3 of the results have the status error" in done.stderr


def test_a_line_that_no_encoding_carries_loses_none_of_the_others(env: dict[str, str], tmp_path: Path) -> None:
    lines = [r'{"id": "\ud800", "title": "x"}', r'{"id": "t", "title": "\udcff"}', r'{"id": 7, "title": "Maria", "year": 2024}']
    done = _match(env | {"PYTHONIOENCODING": "ascii"}, tmp_path, lines, "--json")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["id"], one["status"], one.get("line")) for one in results[:2]] == [(None, "error", 1), ("t", "error", 2)]
    assert results[2]["id"] == 7, "a number stays a number"
    assert results[2]["status"] != "error"
    assert (done.returncode, len(results)) == (1, 3)
    assert "→ client_error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_resume_tells_the_number_1_from_the_text_1(env: dict[str, str], tmp_path: Path) -> None:
    lines = [json.dumps({**QUERIES[1], "id": given}) for given in (1, "1")]
    path = tmp_path / "out.jsonl"
    path.write_text('{"id": 1}\n')
    assert _match(env, tmp_path, lines, "--resume", str(path)).returncode == 0
    assert [line["id"] for line in feed(path)] == [1, "1"]


@pytest.mark.parametrize("command", [("match", "--title"), ("crawl",), ("review", "show"), ("db", "downgrade"), ()])
def test_an_argument_that_no_encoding_carries_is_wrong_usage(env: dict[str, str], tmp_path: Path, command: tuple[str]) -> None:
    done = run("cinegraph", *command, os.fsdecode(b"Caf\xe9"), env=env | {"LC_ALL": "C.UTF-8"}, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_without_an_error_the_exit_code_is_0_even_if_nothing_is_matched(env: dict[str, str], tmp_path: Path) -> None:
    done = _match(env, tmp_path, [json.dumps(QUERIES[1])], "--json")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "not_found")


def test_resume_goes_on_where_a_torn_run_stopped(env: dict[str, str], tmp_path: Path) -> None:
    lines = [json.dumps(one) for one in QUERIES]
    whole, torn = tmp_path / "whole.jsonl", tmp_path / "torn.jsonl"
    first = _match(env, tmp_path, lines, "--resume", str(whole))
    assert (first.returncode, first.stdout) == (0, "")
    torn.write_bytes(whole.read_bytes()[: len(whole.read_bytes().splitlines()[0]) + 20])
    second = _match(env, tmp_path, lines, "--resume", str(torn))
    assert second.returncode == 0
    identity = [(one["id"], one["status"], one["tmdb_id"]) for one in feed(whole)]
    assert [(one["id"], one["status"], one["tmdb_id"]) for one in feed(torn)] == identity
    before = query(tmp_path, "select count(*) from api_lookup_metrics")
    assert _match(env, tmp_path, lines, "--resume", str(torn)).returncode == 0
    assert query(tmp_path, "select count(*) from api_lookup_metrics") == before


def test_one_film_is_one_document_or_a_table_that_says_mock(env: dict[str, str], tmp_path: Path) -> None:
    film = ("match", "--title", "The Room Next Door", "--year", "2024", "--director", "Pedro Almodóvar")
    document = json.loads(run("cinegraph", *film, "--json", env=env, folder=tmp_path).stdout)
    assert document["status"] == "matched"
    table = run("cinegraph", *film, env=env | {"COLUMNS": "80"}, folder=tmp_path)
    assert table.returncode == 0
    assert "MOCK data" in table.stdout
    assert str(document["tmdb_id"]) in table.stdout
    assert max(map(len, table.stdout.splitlines())) <= 80


@pytest.mark.parametrize("options", [[], ["--json"], ["--year", "2024"], ["--limit", "3"], ["--pending", "--title", "x"]])
def test_a_terminal_without_a_question_is_wrong_usage(env: dict[str, str], tmp_path: Path, options: list[str]) -> None:
    main, terminal = pty.openpty()
    done = subprocess.run(
        [str(BIN / "cinegraph"), "match", *options],
        stdin=terminal, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=30, check=False,
    )  # fmt: skip
    os.close(main)
    os.close(terminal)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_lesson_30_a_run_that_is_stopped_at_work_has_every_request_on_record(tmp_path: Path, number: int, code: int) -> None:
    lines = [json.dumps({"id": count, "title": f"Nothing of the kind {count}", "year": 2020}) for count in range(400)]
    with ReplicaServer() as replica:
        process = begin("match", "--json", env=environment(tmp_path, replica.urls), folder=tmp_path)
        assert process.stdin is not None
        process.stdin.write("\n".join(lines).encode())
        process.stdin.flush()
        assert within(60, lambda: stats(replica.origin).get("tmdb", 0) > 50)
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
        assert process.returncode == code, told
        assert b"Traceback" not in told
        ((recorded,),) = query(tmp_path, "select sum(attempts) from api_lookup_metrics where kind = 'call'")
        assert within(5, lambda: stats(replica.origin)["tmdb"] == recorded), (stats(replica.origin), recorded)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_lesson_30_an_interrupted_run_loses_no_record(env: dict[str, str], tmp_path: Path, number: int, code: int) -> None:
    process = begin("match", "--json", env=env, folder=tmp_path)
    assert process.stdin is not None
    assert process.stdout is not None
    for count in range(4):
        process.stdin.write(json.dumps({**QUERIES[0], "id": str(count), "runtime_minutes": 100 + count}).encode() + b"\n")
    process.stdin.flush()
    sent = sum(json.loads(process.stdout.readline())["api_calls"] for _ in range(4))
    process.send_signal(number)  # the process waits for its fifth line
    _, told = process.communicate(timeout=30)
    assert process.returncode == code, told
    assert b"Traceback" not in told
    assert query(tmp_path, "select count(*) from api_lookup_metrics where kind = 'lookup'") == [(4,)]
    assert query(tmp_path, "select sum(attempts) from api_lookup_metrics where kind = 'call'") == [(sent,)]
