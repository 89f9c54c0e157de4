"""What a breaker does, said in plain words and without looking at how it is made."""

from __future__ import annotations

from dataclasses import dataclass

from cinegraph_core.resilience.breaker import BreakerMode

FAILURES, WAIT, SUCCESSES, LEASE, MINIMUM, WINDOW, CALLS = 3, 60.0, 2, 15.0, 6, 100.0, 8
NEVER = float("inf")


@dataclass(frozen=True, eq=False)
class Leave:
    """Leave to begin an attempt at a moment; ``stretch`` numbers the changes of state, 0 is for what shadow mode let pass."""

    at: float
    stretch: int


class PlainBreaker:
    """Keeps what happened since the last change of state as plain words and reads everything off it.

    Its waits have no jitter. ``now`` is turned by hand, ``told`` are the changes that somebody has to be told of.
    """

    def __init__(self, mode: BreakerMode, *, by_number: bool) -> None:
        self.shadow = mode == "shadow"
        self.by_number = by_number
        self.now = 0.0
        self.wait_next = WAIT
        self.sick_at = -NEVER
        self.told: list[tuple[str, str, float | None]] = []
        self.stretch = 0
        self.state = "closed"
        self.begin("closed", told=False)
        if mode == "open":
            self.begin("open", NEVER, told=False)

    def begin(self, state: str, until: float = 0.0, *, told: bool = True) -> None:
        if told:
            self.told.append((self.state, state, until if state == "open" and until < NEVER else None))
        self.state, self.until, self.since = state, until, self.now
        self.history: list[tuple[float, str]] = []
        self.asked: list[int] = []
        self.places: list[float] = []
        self.probe: Leave | None = None
        self.elsewhere_until = self.now
        self.stretch += 1

    def trip(self) -> None:
        if self.state == "closed":
            for _ in range(int((self.now - self.since) // 3600)):
                self.wait_next = max(WAIT, self.wait_next / 2)
        self.begin("open", self.now + self.wait_next)
        self.sick_at = self.now
        self.wait_next = min(600.0, self.wait_next * 2)

    def ripen(self) -> None:
        if self.state == "open" and self.now >= self.until:
            self.begin("half_open")

    @property
    def held(self) -> bool:
        """Whether a person or the settings hold it open."""
        return self.state == "open" and self.until == NEVER

    # ---------------------------------------------------------------------------------------------------- asking

    def ask(self) -> Leave | float:
        """Return leave, or the moment from which to ask again."""
        self.ripen()
        if self.state == "ramp":
            at, again = self.place()
        else:
            again = self.closed_until()
            at = self.now if again <= self.now else None
        if at is None:
            return Leave(self.now, 0) if self.shadow and not self.held else again
        leave = Leave(self.now if self.shadow else at, self.stretch)
        if self.state == "half_open":
            self.probe = leave
        return leave

    def closed_until(self) -> float:
        if self.state == "open":
            return self.until
        return max(self.elsewhere_until, self.probe.at + LEASE if self.probe else self.now)

    def place(self) -> tuple[float | None, float]:
        """In the ramp: everybody who asks adds the share of the step, every place costs a hundred."""
        self.asked.append((5, 25, 50)[len(self.history) // 5])
        free = max((place + 0.5 for place in self.places), default=self.now)
        at = self.now if sum(self.asked) - 100 * len(self.places) >= 100 else max(self.now, free)
        if at > self.now + 2.0:
            return None, free
        self.places.append(at)
        return at, free

    def stands(self, leave: Leave) -> bool:
        return (self.shadow and not self.held) or self.state == "closed" or leave.stretch == self.stretch

    # ------------------------------------------------------------------------------------------------- reporting

    def has_a_say(self, leave: Leave) -> bool:
        return leave.stretch == self.stretch and (self.state != "half_open" or leave is self.probe)

    def report(self, leave: Leave, outcome: str) -> None:
        if not self.has_a_say(leave):
            return
        self.probe = None
        if outcome != "release":
            self.note(outcome)

    def note(self, outcome: str) -> None:
        """Take an outcome into the history and change the state if it says so."""
        self.history.append((self.now, outcome))
        outcomes = [one for _, one in self.history]
        if self.state == "closed":
            if outcomes[-FAILURES:] == ["failure"] * FAILURES or self.too_many_in_the_window():
                self.trip()
        elif self.state == "half_open":
            if outcome != "success":
                self.trip()
            elif len(outcomes) == SUCCESSES:
                self.begin("ramp")
        elif sum(one != "success" for one in outcomes[(len(outcomes) - 1) // 5 * 5 :]) == 2:
            self.trip()
        elif len(outcomes) == 15:
            self.begin("closed")

    def too_many_in_the_window(self) -> bool:
        tenth = WINDOW / 10
        recent = [one for when, one in self.history if when // tenth > self.now // tenth - 10]
        if self.by_number:
            recent = [one for _, one in self.history][-CALLS:]
        worst = max(recent.count("failure"), recent.count("slow"))
        return len(recent) >= MINIMUM and 2 * worst >= len(recent)

    # ------------------------------------------------------------------------------- by hand, and what others say

    def reset(self) -> None:
        self.wait_next = WAIT
        self.begin("closed", told=self.state != "closed")

    def force_open(self) -> None:
        self.begin("open", NEVER)

    def follow(self, until: float, found_at: float) -> bool:
        known = self.state in ("half_open", "ramp") and found_at < self.since - 0.001
        if self.state == "open" or until <= self.now or known:
            return False
        self.begin("open", until, told=False)
        self.sick_at = found_at
        self.wait_next = min(600.0, 2 * max(WAIT, until - found_at))
        return True

    def recover(self, found_at: float) -> bool:
        by_itself = self.state in ("half_open", "open") and not self.held
        if not by_itself or found_at <= self.sick_at:
            return False
        self.begin("ramp", told=False)
        return True

    def postpone(self, leave: Leave, until: float) -> None:
        if leave is self.probe:
            self.probe, self.elsewhere_until = None, until
