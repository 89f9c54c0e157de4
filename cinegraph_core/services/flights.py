"""One request under way for everybody who asks the same at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from cinegraph_core.contracts import Answer
from cinegraph_core.errors import PageError, ServiceError


class Flight:
    """One request under way for everybody who asks the same."""

    def __init__(self) -> None:
        self._landed: Future[Answer | None] = Future()

    @property
    def landed(self) -> bool:
        """Whether it is over."""
        return self._landed.done()

    async def settled(self) -> None:
        """Wait until it is over, whatever came of it."""
        over = asyncio.wrap_future(self._landed)
        await asyncio.wait({over})
        over.exception()

    async def wait(self) -> Answer | None:
        """Return the answer the leader got, ``None`` if the leader was cancelled; raises the error the leader met."""
        try:
            return await asyncio.shield(asyncio.wrap_future(self._landed))
        except (ServiceError, PageError) as error:
            raise _own(error) from None

    def land(self, answer: Answer) -> None:
        """Hand the answer to everybody."""
        if not self._landed.done():
            self._landed.set_result(answer)

    def end(self, error: BaseException | None) -> None:
        """Hand the leader's error to everybody, unless it is only the leader who gave up."""
        if self._landed.done():
            return
        if isinstance(error, ServiceError | PageError):
            self._landed.set_exception(error)
        else:
            self._landed.set_result(None)


def _own(error: ServiceError | PageError) -> ServiceError | PageError:
    """Return the same error as an object of its own: each caller's has a traceback and a fate of its own."""
    own = error.__class__.__new__(error.__class__)
    own.args = error.args
    own.__dict__.update(error.__dict__)
    return own
