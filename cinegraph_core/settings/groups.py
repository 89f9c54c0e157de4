"""The settings that come in groups: those of one service, and those of the matching."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cinegraph_core.records import Mode
from cinegraph_core.settings.values import Amount, Count, Seconds, Secret, Share, TimeZone, WebAddress


class ServiceSettings(BaseModel):
    """What may be set for one service; ``None`` leaves the value of its ``ServiceSpec``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: WebAddress | None = Field(
        default=None, description="Address used instead of the public one; does not count in mock mode."
    )
    timeout: Seconds | None = Field(default=None, description="Seconds one attempt may take, from connect to last byte.")
    deadline: Seconds | None = Field(default=None, description="Seconds the whole call may take, with all its waits.")
    retries: Annotated[Count, Field(ge=0)] | None = Field(default=None, description="How often a failed attempt is repeated.")
    rate_per_second: Amount | None = Field(
        default=None, description="Requests per second of each process by itself; 0 is no limit."
    )
    delay: Amount | None = Field(default=None, description="Seconds between two pages a spider fetches.")
    max_concurrent: Annotated[Count, Field(ge=0)] | None = Field(
        default=None, description="Calls that a process has under way at once; 0 is no bound."
    )
    max_waiting: Annotated[Count, Field(ge=0)] | None = Field(
        default=None, description="Calls that may wait for a place (MAX_CONCURRENT); any more are refused."
    )
    cache_ttl: Amount | None = Field(default=None, description="Seconds an answer is kept; 0 keeps none.")
    cache_negative_ttl: Amount | None = Field(
        default=None, description="Seconds a 'not found' is kept, but never longer than other answers."
    )
    cache_revalidate: Amount | None = Field(
        default=None,
        description="Seconds after CACHE_TTL in which an answer, marked stale, is served while a new one is fetched.",
    )
    cache_on_error: Amount | None = Field(
        default=None, description="Seconds after CACHE_TTL in which an answer, marked stale, is served if no new one can be had."
    )
    breaker_failures: Annotated[Count, Field(ge=1)] | None = Field(
        default=None, description="Failures in a row after which the breaker opens."
    )
    breaker_wait: Seconds | None = Field(
        default=None, description="Seconds an open breaker waits before it lets a probe through."
    )
    breaker_mode: Literal["auto", "shadow", "open"] | None = Field(
        default=None,
        description="auto; shadow: the breaker counts but refuses nobody, unless a person opens it; open: it refuses everybody.",
    )
    daily_quota: Annotated[Count, Field(ge=0)] | None = Field(
        default=None, description="Requests per calendar day, of all processes together."
    )
    hourly_quota: Annotated[Count, Field(ge=0)] | None = Field(
        default=None, description="Requests per calendar hour, of all processes together."
    )
    daily_budget_usd: Amount | None = Field(
        default=None, description="Dollars per calendar day, of all processes together; needs a price per call or per token."
    )
    price_per_call_usd: Amount | None = Field(default=None, description="Dollars that one request costs.")
    price_per_million_input_tokens_usd: Amount | None = Field(
        default=None, description="Dollars that a million tokens sent cost, as vendors print it."
    )
    price_per_million_output_tokens_usd: Amount | None = Field(
        default=None, description="Dollars that a million tokens received cost."
    )
    max_input_tokens: Annotated[Count, Field(ge=0)] | None = Field(
        default=None, description="Most tokens one request sends; the budget reserves them."
    )
    max_output_tokens: Annotated[Count, Field(ge=0)] | None = Field(
        default=None, description="Most tokens one request receives; the budget reserves them."
    )
    on_exhausted: Literal["park", "stale", "refuse"] | None = Field(
        default=None,
        description="Where a quota or budget is used up: park the work until it begins anew; stale: serve a stale answer that "
        "CACHE_ON_ERROR keeps, else park; refuse: let the work fail.",
    )
    time_zone: TimeZone | None = Field(
        default=None, description="Time zone in which the provider counts hours and days, such as America/New_York."
    )
    mode: Mode | None = Field(
        default=None,
        description="Mode of this service alone; what a replica says is never stored as truth in a database of live data.",
    )
    api_key: Secret | None = Field(default=None, description="Key of the service; shown nowhere.")


class MatchingSettings(BaseModel):
    """How sure the matching must be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_fallback_level: Annotated[Count, Field(ge=1)] = Field(default=6, description="Highest level of the cascade that is run.")
    min_confidence: Share = Field(default=0.5, description="Levels whose confidence is lower are not run.")
    accept_score: Share = Field(default=0.8, description="Score (0 to 1) from which a film is accepted.")
    margin: Share = Field(default=0.3, description="How far the best film's score must be ahead of the next one's.")
