"""The local catalogue: every film's id and original title on disk, found by normal form or by likeness.

One SQLite file holds the films; which of them may be meant by a misspelt title is told by one of the :mod:`engines
<cinegraph_core.matching.catalogue.engines>`. :mod:`~cinegraph_core.matching.catalogue.loading` writes it whole,
:mod:`~cinegraph_core.matching.catalogue.index` only reads it.
"""

from cinegraph_core.matching.catalogue.index import TitleIndex
from cinegraph_core.matching.catalogue.loading import load_catalogue

__all__ = ["TitleIndex", "load_catalogue"]
