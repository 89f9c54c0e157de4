"""Alembic's scripts: ``env`` runs them on the connection it is given, ``versions`` holds one file per revision."""
