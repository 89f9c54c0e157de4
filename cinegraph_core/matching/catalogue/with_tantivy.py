"""The engine with tantivy, an optional extra: its own index of the trigrams, in a folder beside the catalogue's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import tantivy

from cinegraph_core.matching.catalogue.engines import Engine
from cinegraph_core.matching.catalogue.keys import trigrams

_COMPARED = 300
_TRIGRAMS = 16
"""More of both find hardly more: of titles with two slips of the pen 91.3 % so, and 92.1 % by 100 trigrams and 500 films, in half
as much time again."""
_HEAP = 256_000_000  # bytes; enough for one segment of a million films, and one segment is searched fastest
_FILM, _GRAMS, _TOKENIZER = "film", "grams", "trigrams"


def _write(films: sqlite3.Connection, folder: Path) -> None:
    folder.mkdir()
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field(_FILM, fast=True)
    # Only whether a title holds a trigram is kept; how often and where tells nothing.
    builder.add_text_field(_GRAMS, tokenizer_name=_TOKENIZER, index_option="basic")
    index = tantivy.Index(builder.build(), path=str(folder), reuse=False)
    index.register_tokenizer(_TOKENIZER, tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.ngram(3, 3)).build())
    # Leaving the block commits and waits for the merging threads; an exception rolls back and leaves no thread behind.
    with index.writer(_HEAP, 1) as writer:
        for film, key in films.execute("SELECT id, key FROM films ORDER BY id"):
            document = tantivy.Document()
            document.add_unsigned(_FILM, film)
            document.add_text(_GRAMS, key)
            writer.add_document(document)


class _Tantivy:
    """Searches by the library's own ranking, which skips films that cannot be among the best; no lock is held meanwhile."""

    def __init__(self, folder: Path) -> None:
        index = tantivy.Index.open(str(folder))
        index.config_reader("manual")  # the folder never changes, and is gone when a newer catalogue takes its place
        self._schema = index.schema
        self._searcher = index.searcher()

    def sharing(self, key: str, films: sqlite3.Connection) -> Sequence[int]:  # noqa: ARG002 - the films are in the folder too
        counted = sorted((self._searcher.doc_freq(_GRAMS, gram), gram) for gram in trigrams(key))
        rarest = [gram for count, gram in counted if count][:_TRIGRAMS]
        any_of = [(tantivy.Occur.Should, tantivy.Query.term_query(self._schema, _GRAMS, gram, "basic")) for gram in rarest]
        # Counting all hits, or weights of our own, would make it look at every film listed.
        hits = self._searcher.search(tantivy.Query.boolean_query(any_of), limit=_COMPARED, count=False).hits
        return [int(film) for film in self._searcher.fast_field_values(_FILM, [at for _, at in hits]) if film is not None]


ENGINE = Engine(write=_write, open=_Tantivy)
