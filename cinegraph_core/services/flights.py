"""One request under way for everybody who asks the same at once."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

from cinegraph_core.contracts import Answer
from cinegraph_core.errors import PageError, ServiceError


class Flight:
    """One request under way for everybody who asks the same.

    Most are flown alone, so what others wait for is made only when the first of them comes. Its ``key`` says what is asked, and
    by which calls.
    """

    __slots__ = ("__weakref__", "_end", "_lock", "_others", "key")

    def __init__(self, key: str) -> None:
        self.key = key
        self._lock = threading.Lock()
        self._end: tuple[Answer | None, ServiceError | PageError | None] | None = None
        self._others: Future[Answer | None] | None = None

    @property
    def landed(self) -> bool:
        """Whether it is over."""
        return self._end is not None

    async def settled(self) -> None:
        """Wait until it is over, whatever came of it."""
        await asyncio.wait({self._arrived()})

    async def wait(self) -> Answer | None:
        """Return the answer the leader got, ``None`` if the leader was cancelled; raises the error the leader met."""
        try:
            return await asyncio.shield(self._arrived())
        except (ServiceError, PageError) as error:
            raise _own(error) from None

    def land(self, answer: Answer) -> None:
        """Hand the answer to everybody."""
        self._arrive((answer, None))

    def end(self, error: BaseException | None) -> None:
        """Hand the leader's error to everybody, unless it is only the leader who gave up."""
        self._arrive((None, error if isinstance(error, ServiceError | PageError) else None))

    def _arrived(self) -> asyncio.Future[Answer | None]:
        arrived = asyncio.wrap_future(self._arrival())
        arrived.add_done_callback(_heard)
        return arrived

    def _arrive(self, end: tuple[Answer | None, ServiceError | PageError | None]) -> None:
        with self._lock:
            if self._end is not None:
                return
            self._end, others = end, self._others
        if others is not None:
            _tell(others, end)

    def _arrival(self) -> Future[Answer | None]:
        with self._lock:
            others = self._others
            if others is None:
                others = self._others = Future()
                if self._end is not None:
                    _tell(others, self._end)
            return others


def _tell(others: Future[Answer | None], end: tuple[Answer | None, ServiceError | PageError | None]) -> None:
    answer, error = end
    if error is None:
        others.set_result(answer)
    else:
        others.set_exception(error)


def _heard(arrived: asyncio.Future[Answer | None]) -> None:
    """Let nobody complain of an error that comes when all who waited have given up."""
    if not arrived.cancelled():
        arrived.exception()


def _own(error: ServiceError | PageError) -> ServiceError | PageError:
    """Return the same error as an object of its own: each caller's has a traceback and a fate of its own."""
    own = error.__class__.__new__(error.__class__)
    own.args = error.args
    own.__dict__.update(error.__dict__)
    return own
