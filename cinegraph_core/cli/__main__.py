"""``python -m cinegraph_core.cli`` does what ``cinegraph`` does."""

from __future__ import annotations

from cinegraph_core.cli import main

if __name__ == "__main__":
    main()
