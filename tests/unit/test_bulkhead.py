"""The bound on calls under way: places, a queue in order, and nobody lost between the two."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cinegraph_core.resilience.bulkhead import Bulkhead


class Caller:
    """Notes that it was woken; one that is ``gone`` says so."""

    def __init__(self, *, gone: bool = False) -> None:
        self.woken = 0
        self.gone = gone

    def __call__(self) -> bool:
        self.woken += 1
        return not self.gone


class LockComeLate:
    """A lock before which another thread has been quicker, once."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.meanwhile = [meanwhile]
        self.lock = threading.Lock()

    def __enter__(self) -> None:
        while self.meanwhile:
            self.meanwhile.pop()()
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def full(places: int = 1, waiting: int = 10) -> Bulkhead:
    bulkhead = Bulkhead(places, waiting)
    assert all(bulkhead.enter() for _ in range(places))
    return bulkhead


def test_so_many_enter_and_no_more() -> None:
    bulkhead = full(3)
    assert bulkhead.places == 3
    assert not bulkhead.enter()
    bulkhead.leave()
    assert bulkhead.enter()
    assert not bulkhead.enter()


def test_who_waits_is_served_in_order_and_before_newcomers() -> None:
    bulkhead, first, second = full(), Caller(), Caller()
    bulkhead.queue(first)
    bulkhead.queue(second)
    assert bulkhead.waiting == 2
    bulkhead.leave()
    assert (first.woken, second.woken, bulkhead.enter()) == (1, 0, False)
    assert bulkhead.waiting == 1
    bulkhead.leave()
    assert (first.woken, second.woken, bulkhead.enter()) == (1, 1, False)
    bulkhead.leave()
    assert bulkhead.enter()


def test_a_queue_that_is_too_long_is_told_at_once() -> None:
    bulkhead = full(waiting=1)
    assert bulkhead.queue(Caller()) is not None
    assert bulkhead.queue(Caller()) is None


def test_a_place_that_came_free_meanwhile_is_taken_even_where_nobody_may_wait() -> None:
    bulkhead, caller = full(waiting=0), Caller()
    assert bulkhead.queue(caller) is None
    bulkhead.leave()
    seated = bulkhead.queue(caller)
    assert seated is not None
    assert (caller.woken, bulkhead.enter()) == (1, False)
    bulkhead.give_up(seated)
    assert bulkhead.enter()


def test_who_queues_just_after_a_place_came_free_does_not_wait_for_the_next() -> None:
    bulkhead, caller = full(), Caller()
    bulkhead.leave()
    bulkhead.queue(caller)
    assert (caller.woken, bulkhead.enter()) == (1, False)


def test_who_gives_up_loses_neither_place_nor_turn_for_the_others() -> None:
    bulkhead, first, second = full(), Caller(), Caller()
    gone = bulkhead.queue(first)
    waiter = bulkhead.queue(second)
    assert gone is not None
    assert waiter is not None
    bulkhead.give_up(gone)
    bulkhead.leave()
    assert (first.woken, second.woken) == (0, 1)
    bulkhead.give_up(waiter)  # the place came in the same moment
    assert bulkhead.enter()


def test_a_place_just_given_back_is_not_snatched_from_who_waits_for_it() -> None:
    bulkhead, first, late = full(waiting=1), Caller(), Caller()
    bulkhead.queue(first)
    answers: list[object] = []
    bulkhead._lock = LockComeLate(lambda: answers.append(bulkhead.queue(late)))  # type: ignore[assignment]
    bulkhead.leave()
    assert (answers, first.woken, late.woken) == ([None], 1, 0)


def test_a_place_whose_only_taker_gave_up_just_then_stays_free() -> None:
    bulkhead, first = full(), Caller()
    waiter = bulkhead.queue(first)
    assert waiter is not None
    bulkhead._lock = LockComeLate(lambda: bulkhead.give_up(waiter))  # type: ignore[assignment]
    bulkhead.leave()
    assert (first.woken, bulkhead.enter(), bulkhead.enter()) == (0, True, False)


def test_a_place_for_somebody_who_is_gone_goes_to_the_next() -> None:
    bulkhead, lost, next_one = full(), Caller(gone=True), Caller()
    bulkhead.queue(lost)
    bulkhead.queue(next_one)
    bulkhead.leave()
    assert (lost.woken, next_one.woken) == (1, 1)
    bulkhead.leave()
    assert bulkhead.enter()


def test_threads_never_exceed_it_and_all_get_their_turn() -> None:
    bulkhead, inside, most, done = Bulkhead(3, 100), [0], [0], []
    lock = threading.Lock()

    def caller(number: int) -> None:
        for _ in range(40):
            if not bulkhead.enter():
                arrived = threading.Event()
                bulkhead.queue(lambda one=arrived: one.set() or True)  # type: ignore[misc]
                assert arrived.wait(10.0)
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0)
            with lock:
                inside[0] -= 1
            bulkhead.leave()
        done.append(number)

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20.0)
    assert len(done) == 20
    assert most[0] == 3
    assert [bulkhead.enter() for _ in range(4)] == [True, True, True, False]
