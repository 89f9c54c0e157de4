"""Where everything is kept: tables, the database, its migrations, and every query."""

from cinegraph_core.storage.database import Database

__all__ = ["Database"]
