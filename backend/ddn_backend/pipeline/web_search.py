"""Web search: the last and widest source. The model's provider searches; what it answers is told with the pages it rests on.

Only where the operator allows it. Nobody has fitted what a page of the web is worth, so none is ever taken for relevant by
itself: the model that concludes reads it, and the reader gets its address.
"""

from dataclasses import dataclass

from robot_ddn_listener.contract import ErrorType

from ..errors import BackendError, SettingsError
from ..ports import Document, DocumentKind, Found, LanguageModel, Passage, Problem, Query, WebAnswer, WebPage
from .allotment import Allotment
from .material import Redact, Send, fenced, query_lines

CALLS = 1
SCORE = 0.1  # below what any search of ours gives
GRADED_BY = "web search"


@dataclass(frozen=True, slots=True)
class WebSearching:
    """How the web is searched: by which model, what it is told, and what may be searched for."""

    model: LanguageModel
    instructions: str
    send: Send
    redact: Redact


class WebSearch:
    """A source for one analysis, out of its `allotment`."""

    name = "web"

    def __init__(self, by: WebSearching, allotment: Allotment) -> None:
        self._by = by
        self._allotment = allotment

    def find(self, query: Query, limit: int = 5) -> Found:
        """Return the pages that the provider's search led to."""
        by = self._by
        if self._allotment.left.calls // 2 < CALLS:
            return Found()
        sent_to = (f"{by.model.name}, web search: {by.send.of_a_query()}",)
        material = fenced(by.redact("\n".join(query_lines(query, by.send))))
        try:
            answer = by.model.search_web(self._allotment.inquiry(by.instructions, material, CALLS))
        except (BackendError, SettingsError) as error:
            return Found((), (Problem(f"{by.model.name}, web search: {error}", error),), sent_to)
        if answer.stopped:
            self._allotment.note(f"{by.model.name}, web search: {answer.stopped}")
        return Found(_passages(answer)[:limit], (), sent_to if answer.usage.calls else ())


def _passages(answer: WebAnswer) -> tuple[Passage, ...]:
    return tuple(_passage(page, answer.text if number == 0 else "") for number, page in enumerate(answer.pages))


def _passage(page: WebPage, whole: str) -> Passage:
    """What rests on no page in particular is told with the first one."""
    document = Document(
        id=f"web/{page.url}",
        title=page.title,
        error_type=ErrorType.UNKNOWN,
        cause=page.text or whole,
        remedy="",
        urls=(page.url,),
        kind=DocumentKind.WEB_PAGE,
    )
    return Passage(document, SCORE, SCORE, GRADED_BY)
