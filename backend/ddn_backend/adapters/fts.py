"""The knowledge base on SQLite FTS5: in memory, stemmed (porter), searched by the words of `knowledge.terms`.

FTS5 is asked for one word at a time, which gives the documents that hold it with their BM25 (additive over words), and the
symptoms that hold it. From these the score is put together here, because BM25 alone cannot be compared between queries.

A few learned documents say little about which words are common, and a thousand past failures of one kind make its words look
common: so their index takes what the shipped one knows of a word (its `background`) before what it finds itself.
"""

import math
import sqlite3
import threading
import weakref
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..knowledge import KnowledgeError
from ..knowledge.terms import terms
from ..ports import Document, Passage

COLUMN_WEIGHTS = (3.0, 4.0, 1.0, 1.0)  # title, symptoms, cause and remedy, the rest of the text
MAX_QUERY_CHARACTERS = 20_000  # of a longer query the beginning (the error message) and the end (the last log lines) are taken
MAX_QUERY_WORDS = 64  # the most telling ones; more add noise and time
MAX_REMEMBERED_WORDS = 20_000

CHUNK_WORDS = 60  # a symptom's words must stand this close together
FIRST_WORDS = 80  # the error message comes first and counts in full,
LATER_WEIGHT = 0.8  # the log below it a little less

# Chosen by hand and checked on the failing examples in atest/testdata/knowledge: neighbouring values change at most two of 185.
MISSING_WORDS = 2  # power of the share of a symptom that is found: half of its words are worth far less than half
NEXT_SYMPTOM = 0.5  # a document's second best symptom adds half of its strength, the third a quarter
ENOUGH_EVIDENCE = 6.0  # idf (in nats) of found words that counts half: one common word proves little
SYMPTOM_SHARE = 0.75  # of the score; the rest is BM25
BM25_BOUND = 2.2  # FTS5's k1 + 1: what a word's BM25 tends to, in units of its idf

_Chunk = tuple[float, Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Word:
    """What the index knows of one word: how telling it is, BM25 by document, and the symptoms that hold it."""

    idf: float
    bm25: dict[int, float]
    symptoms: tuple[int, ...]


class FtsKnowledgeBase:
    """Searches `documents` with SQLite FTS5. One instance may be used by many threads."""

    def __init__(self, documents: Iterable[Document], background: "FtsKnowledgeBase | None" = None):
        self._documents = tuple(documents)
        self._background = background
        self._symptoms = tuple(symptom for document in self._documents for symptom in document.symptoms)
        self._owners = tuple(index for index, document in enumerate(self._documents) for _ in document.symptoms)
        self._words: dict[str, _Word] = {}
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._close = weakref.finalize(self, self._connection.close)
        create_tables(self._connection)
        self._fill_tables()
        self._sizes = tuple(sum(self._word(word).idf for word in set(terms(symptom))) for symptom in self._symptoms)

    def search(self, query: str, limit: int = 5) -> tuple[Passage, ...]:
        """Return the best `limit` documents for `query`, the error message first and log lines below it, best first.

        The score is made of shares, so it can be compared between queries: three quarters are for the document's symptoms (the
        weight, in idf, of their words that stand close together in the query, less for words that are missing, as a share of
        itself plus a constant), one quarter is BM25 over the query's most telling words as a share of the highest possible.
        """
        chunks = tuple(_chunks(_shortened(query)))
        matches, shares = self._symptom_matches(chunks), self._bm25_shares(chunks)
        scores = {
            document: SYMPTOM_SHARE * matches.get(document, 0.0) + (1 - SYMPTOM_SHARE) * shares.get(document, 0.0)
            for document in matches.keys() | shares.keys()
        }
        best = sorted(scores, key=lambda document: (-scores[document], document))[:limit]
        return tuple(Passage(self._documents[document], scores[document]) for document in best)

    def close(self) -> None:
        """Give the memory back now; nothing can be searched after."""
        with self._lock:
            self._close()

    def _symptom_matches(self, chunks: Sequence[_Chunk]) -> dict[int, float]:
        """Return, by document, how well its symptoms are found, each within one chunk of the query, 0..1."""
        strengths: dict[int, list[float]] = defaultdict(list)
        for symptom, strength in self._symptom_strengths(chunks).items():
            strengths[self._owners[symptom]].append(strength)
        totals = {document: _together(values) for document, values in strengths.items()}
        return {document: total / (total + ENOUGH_EVIDENCE) for document, total in totals.items()}

    def _symptom_strengths(self, chunks: Sequence[_Chunk]) -> dict[int, float]:
        """Return, by symptom, the weight (in idf) of its words in the chunk that has most of them, less for what is missing."""
        best: dict[int, float] = defaultdict(float)
        for weight, words in chunks:
            for symptom, evidence in self._evidence(words).items():
                share = min(evidence / self._sizes[symptom], 1.0)  # two words of one stem count twice
                best[symptom] = max(best[symptom], weight * self._sizes[symptom] * share ** (1 + MISSING_WORDS))
        return best

    def _evidence(self, words: Sequence[str]) -> dict[int, float]:
        evidence: dict[int, float] = defaultdict(float)
        for word in map(self._word, set(words)):
            for symptom in word.symptoms:
                evidence[symptom] += word.idf
        return evidence

    def _bm25_shares(self, chunks: Sequence[_Chunk]) -> dict[int, float]:
        """Return, by document, the BM25 of the query's most telling words as a share of the highest possible."""
        weights: dict[str, float] = {}
        for weight, texts in chunks:
            for text in texts:
                weights.setdefault(text, weight)
        known = [(weight, word) for text, weight in weights.items() if (word := self._word(text)).bm25]
        telling = sorted(known, key=lambda item: -item[0] * item[1].idf)[:MAX_QUERY_WORDS]
        highest = sum(word.idf for _, word in telling) * BM25_BOUND
        shares: dict[int, float] = defaultdict(float)
        for weight, word in telling:
            for document, bm25 in word.bm25.items():
                shares[document] += weight * bm25 / highest
        return shares

    def _word(self, text: str) -> _Word:
        word = self._words.get(text)
        if word is None:
            if len(self._words) >= MAX_REMEMBERED_WORDS:
                self._words.clear()
            word = self._words[text] = self._look_up(text)
        return word

    def _look_up(self, text: str) -> _Word:
        phrase = f'"{text}"'  # words have no quotes, so this is never FTS5 syntax
        with self._lock:
            documents = self._connection.execute("SELECT rowid, -rank FROM documents WHERE documents MATCH ?", (phrase,)).fetchall()
            symptoms = self._connection.execute("SELECT rowid FROM symptoms WHERE symptoms MATCH ?", (phrase,)).fetchall()
        idf = self._idf(text, len(documents))
        to_idf = idf / _fts5_idf(len(self._documents), len(documents)) if self._background else 1.0
        return _Word(idf, {row: rank * to_idf for row, rank in documents}, tuple(row for (row,) in symptoms))

    def _idf(self, text: str, holders: int) -> float:
        if not holders:
            return 0.0
        known = self._background._word(text).idf if self._background else 0.0
        return known or math.log1p((self._total - holders + 0.5) / (holders + 0.5))

    @property
    def _total(self) -> int:
        return len(self._documents) + (self._background._total if self._background else 0)

    def _fill_tables(self) -> None:
        weights = ", ".join(map(str, COLUMN_WEIGHTS))
        symptoms = enumerate(map(_normal, self._symptoms))
        with self._lock, self._connection as connection:
            connection.executemany(
                "INSERT INTO documents (rowid, title, symptoms, core, rest) VALUES (?, ?, ?, ?, ?)", self._rows()
            )
            connection.executemany("INSERT INTO symptoms (rowid, body) VALUES (?, ?)", symptoms)
            connection.execute("INSERT INTO documents (documents, rank) VALUES ('rank', ?)", (f"bm25({weights})",))

    def _rows(self) -> Iterator[tuple[int, str, str, str, str]]:
        for row, document in enumerate(self._documents):
            core = f"{document.cause}\n{document.remedy}"
            yield row, _normal(document.title), _normal("\n".join(document.symptoms)), _normal(core), _normal(document.text)


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the two full-text tables; where SQLite was built without FTS5, raise KnowledgeError."""
    try:
        connection.execute("CREATE VIRTUAL TABLE documents USING fts5 (title, symptoms, core, rest, tokenize = 'porter unicode61')")
        connection.execute("CREATE VIRTUAL TABLE symptoms USING fts5 (body, tokenize = 'porter unicode61')")
    except sqlite3.DatabaseError as error:
        raise KnowledgeError(
            f"Opening the index of the knowledge base failed: {error}. "
            f"Expected a Python whose SQLite has FTS5, got SQLite {sqlite3.sqlite_version}."
        ) from error


def _fts5_idf(total: int, holders: int) -> float:
    """FTS5's own: it never lets a word count nothing."""
    ratio = (total - holders + 0.5) / (holders + 0.5)
    return math.log(ratio) if ratio > 1 else 1e-6


def _normal(text: str) -> str:
    return " ".join(terms(text))


def _shortened(query: str) -> str:
    if len(query) <= MAX_QUERY_CHARACTERS:
        return query
    half = MAX_QUERY_CHARACTERS // 2
    return f"{query[:half]}\n{query[-half:]}"


def _together(strengths: Iterable[float]) -> float:
    ordered = sorted(strengths, reverse=True)
    return sum(strength * NEXT_SYMPTOM**place for place, strength in enumerate(ordered))


def _chunks(query: str) -> Iterator[_Chunk]:
    """Yield the query's lines as words, with their weight; a long line as overlapping pieces."""
    step = CHUNK_WORDS // 2
    seen = 0
    for line in query.splitlines():
        words = terms(line)
        for start in range(0, max(len(words) - step, 1), step):
            if words:
                yield 1.0 if seen < FIRST_WORDS else LATER_WEIGHT, words[start : start + CHUNK_WORDS]
                seen += min(len(words) - start, step)
