"""What every fault of the replica does, how often it strikes, and how it is written."""

from __future__ import annotations

import time
from contextlib import suppress

import httpx
import pytest

from cinegraph_core.errors import UsageError
from cinegraph_replica.faults import KINDS, Fault, parse_fault
from tests.support.replica import KEY, counts, fault
from tests.support.waiting import within


@pytest.mark.parametrize("kind", ["401", "403", "404", "429", "500", "502", "503", "504"])
def test_a_status_fault_answers_with_the_status_in_the_words_of_the_service(client: httpx.Client, kind: str) -> None:
    fault(client, "tmdb", kind, retry_after=2)
    answer = client.get("/tmdb/3/movie/1151244", params=KEY)
    assert (answer.status_code, answer.headers["retry-after"]) == (int(kind), "2")
    assert answer.json()["success"] is False
    fault(client, "venice", kind)
    assert client.get("/venice/en/cinema/2024/orizzonti").headers["content-type"].startswith("text/html")


def test_only_429_has_a_retry_after_of_its_own(client: httpx.Client) -> None:
    fault(client, "tmdb", "429")
    assert client.get("/tmdb/3/movie/1").headers["retry-after"] == "1"
    fault(client, "tmdb", "503")
    assert "retry-after" not in client.get("/tmdb/3/movie/1").headers


def test_omdb_quota_fault_looks_like_the_real_one(client: httpx.Client) -> None:
    fault(client, "omdb", "401")
    answer = client.get("/omdb/", params={"apikey": "k", "i": "tt28618488"})
    assert (answer.status_code, answer.json()["Error"]) == (401, "Request limit reached!")


def test_challenge_garbage_and_html_come_instead_of_the_answer(client: httpx.Client) -> None:
    fault(client, "imdb", "waf")
    challenge = client.get("/imdb/event/ev0000681/2024/1/")
    assert (challenge.status_code, challenge.headers["x-amzn-waf-action"]) == (202, "challenge")
    assert "gokuProps" in challenge.text
    fault(client, "tmdb", "garbage")
    garbage = client.get("/tmdb/3/movie/1151244", params=KEY)
    assert (garbage.headers["content-type"], garbage.text) == ("application/json", "<html>oops")
    fault(client, "tmdb", "html")
    page = client.get("/tmdb/3/movie/1151244", params=KEY)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_truncated_json_is_a_whole_answer_that_ends_too_early(client: httpx.Client) -> None:
    whole = client.get("/tmdb/3/movie/1151244", params=KEY).content
    fault(client, "tmdb", "truncated")
    answer = client.get("/tmdb/3/movie/1151244", params=KEY)
    assert answer.content == whole[: len(whole) // 2]
    assert answer.headers["content-length"] == str(len(answer.content))


def test_reset_breaks_off_before_the_headers_and_cut_in_mid_body(client: httpx.Client) -> None:
    fault(client, "tmdb", "reset")
    with pytest.raises(httpx.ReadError):
        client.get("/tmdb/3/movie/1151244", params=KEY)
    fault(client, "tmdb", "cut")
    with client.stream("GET", "/tmdb/3/movie/1151244", params=KEY) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.ReadError):
            answer.read()


def test_hang_says_nothing_and_slow_answers_late(client: httpx.Client) -> None:
    fault(client, "tmdb", "hang")
    with pytest.raises(httpx.ReadTimeout):
        client.get("/tmdb/3/movie/1151244", params=KEY, timeout=httpx.Timeout(5, read=0.2))
    fault(client, "tmdb", "slow", seconds=0.2)
    answer = client.get("/tmdb/3/movie/1151244", params=KEY)
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.2


def test_drip_sends_a_byte_per_interval_and_never_times_out_between_two(client: httpx.Client) -> None:
    fault(client, "venice", "drip", seconds=0.01)
    started = time.monotonic()
    answer = client.get("/venice/robots.txt", timeout=0.5)
    assert "Disallow" in answer.text
    assert time.monotonic() - started >= 0.01 * (len(answer.content) - 1)


def test_every_kind_of_fault_counts_the_request_once(client: httpx.Client) -> None:
    for number, kind in enumerate(KINDS, start=1):
        fault(client, "tmdb", kind, seconds=0.01)
        with httpx.Client(base_url=client.base_url, timeout=httpx.Timeout(5, read=0.3)) as impatient:
            with suppress(httpx.TransportError):
                impatient.get("/tmdb/3/find/tt0", params=KEY)
            assert within(1.0, lambda number=number: counts(client).get("tmdb") == number)  # type: ignore[misc]
    found = counts(client)
    assert found["tmdb"] == found["/tmdb/3/find/{tt}"] == len(KINDS)
    assert [found[f"tmdb:{kind}"] for kind in KINDS] == [1] * len(KINDS)


def test_a_fault_strikes_at_its_rate_from_its_request_on_so_often_and_on_its_path(client: httpx.Client) -> None:
    def statuses(path: str, times: int) -> list[int]:
        return [client.get(f"/tmdb/3/{path}", params=KEY).status_code for _ in range(times)]

    fault(client, "tmdb", "500", after=3, times=2)
    assert statuses("find/tt1", 6) == [200, 200, 500, 500, 200, 200]
    fault(client, "tmdb", "500", path="/movie/")
    assert statuses("find/tt1", 1) + statuses("movie/1151244", 1) == [200, 500]
    fault(client, "tmdb", "500", rate=0.3)
    assert 0.15 < statuses("find/tt1", 200).count(500) / 200 < 0.45
    fault(client, "tmdb", None)
    assert statuses("find/tt1", 20) == [200] * 20
    fault(client, "omdb", "500")
    assert statuses("find/tt1", 1) == [200]


def test_a_fault_that_makes_no_sense_is_refused_and_told_apart(client: httpx.Client) -> None:
    def refusal(content: str) -> str:
        answer = client.post("/__faults", content=content)
        assert answer.status_code == 400
        return answer.text

    assert "429" in refusal('{"service": "tmdb", "kind": "418"}')
    assert "unknown field 'ratio'" in refusal('{"service": "tmdb", "kind": "500", "ratio": 1}')
    assert "'service'" in refusal('{"kind": "500"}')
    assert "between 0 and 1" in refusal('{"service": "tmdb", "kind": "500", "rate": 7}')
    assert "no service 'tmbd'; it has tmdb" in refusal('{"service": "tmbd", "kind": "500"}')
    refusal("not json")
    refusal("[]")
    assert client.get("/__faults").json() == {}


def test_faults_are_shown_and_forgotten(client: httpx.Client) -> None:
    fault(client, "tmdb", "429", rate=0.3, retry_after=2)
    shown = client.get("/__faults").json()["tmdb"]
    assert (shown["kind"], shown["rate"], shown["retry_after"]) == ("429", 0.3, 2)
    client.get("/tmdb/3/find/tt1", params=KEY)
    client.post("/__reset")
    assert client.get("/__faults").json() == {}
    assert counts(client) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tmdb=429:0.2", Fault("tmdb", "429", rate=0.2)),
        ("imdb=waf", Fault("imdb", "waf")),
        ("omdb=503:1,retry_after=2,times=3", Fault("omdb", "503", retry_after=2.0, times=3)),
    ],
)
def test_a_fault_can_be_written_on_a_command_line(text: str, expected: Fault) -> None:
    assert parse_fault(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tmdb", r"SERVICE=KIND\[:RATE\]"),
        ("=429", r"SERVICE=KIND\[:RATE\]"),
        ("tmdb=boom", "unknown kind 'boom'.*truncated"),
        ("tmdb=429:often", "rate is a number, not 'often'"),
        ("tmdb=429,wait=3", "unknown field 'wait'"),
    ],
)
def test_a_fault_written_wrongly_is_an_error_that_says_how(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_fault(text)
