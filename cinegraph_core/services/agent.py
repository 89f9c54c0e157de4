"""The name by which services know us."""

from __future__ import annotations

from importlib.metadata import version


def user_agent(contact: str | None) -> str:
    """Return the name we go by, in one line, with where a service's owner finds us, if that is known."""
    product = f"cinegraph/{version('cinegraph')}"
    return f"{product} (+{' '.join(contact.split())})" if contact else product
