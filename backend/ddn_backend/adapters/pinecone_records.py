"""A document as a record of Pinecone and back, and the namespaces that keep projects apart."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

from robot_ddn_listener.contract import decode, encode
from robot_ddn_listener.errors import ContractError

from ..ports import Document, Passage

ALL_PROJECTS = "__default__"  # the namespace of what is for all projects
RERANKER = "reranker"  # the evaluator whose grades these passages bring

TEXT_CHARACTERS = 2_000  # the reranker reads 1024 tokens of query and document together
RECORD_BYTES = 30_000  # Pinecone takes 40 kB beside the text


def namespace(project: str) -> str:
    """Return the namespace of a project: printable ASCII, as Pinecone wants it."""
    quoted = quote(project, safe=" ")
    return f"%5F{quoted[1:]}" if quoted.startswith("_") else quoted or ALL_PROJECTS


def passage(fields: dict[str, Any], score: float, name: str) -> Passage | None:
    """Return the passage in the `fields` of a hit in the namespace `name`; None for what is no document of ours."""
    try:
        document = decode(Document, json.loads(fields["document"]))
    except (ContractError, ValueError, KeyError, TypeError):  # somebody else's record, or a newer version's
        return None
    project = "" if name == ALL_PROJECTS else unquote(name)
    grade = min(max(score, 0.0), 1.0)
    return Passage(replace(document, project=project), grade, grade=grade, graded_by=RERANKER)


def record(document: Document) -> dict[str, Any]:
    """Return the record to upsert: `text` is embedded and reranked, `document` comes back whole."""
    told = "\n".join([document.title, *document.symptoms, document.cause, document.remedy, document.text])
    return {"_id": document.id, "text": told[:TEXT_CHARACTERS], "document": _packed(document), "kind": document.kind.value}


def _packed(document: Document) -> str:
    packed = json.dumps(encode(document), ensure_ascii=False)
    if len(packed.encode()) <= RECORD_BYTES:
        return packed
    return json.dumps(encode(_cut(document)), ensure_ascii=False)


def _cut(document: Document) -> Document:
    """Cause and remedy are what is shown; the rest helps a model, and can be shorter."""
    short = RECORD_BYTES // 16  # UTF-8 takes up to four bytes a character, and JSON doubles quotes
    symptoms = tuple(symptom[:200] for symptom in document.symptoms[:8])
    cause, remedy, text = document.cause[:short], document.remedy[:short], document.text[:short]
    return replace(document, cause=cause, remedy=remedy, text=text, symptoms=symptoms)
