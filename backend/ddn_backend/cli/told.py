"""What the backend keeps of a failure, for people: on a terminal, no line wider than 78 columns unless a word is.

Texts are foreign: nothing in them acts on the terminal.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from robot_ddn_listener.cards.legible import clean, count
from robot_ddn_listener.contract import Analysis, ExceptionInfo, FailureReport, KeywordCall, Step, decode
from robot_ddn_listener.render import confidence_word

WIDTH = 78
LABEL = 13  # columns

_Rows = Iterable[tuple[str, Iterable[str]]]


def explained(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield why a failure got its verdict; `answer` is what the backend's desk gives."""
    report = decode(FailureReport, answer["report"])
    yield from _heading(report, answer)
    if not answer["analysis"]:
        why = answer["problem_of_task"] or "The report waits for a worker, or is being analysed."
        yield from _rows([*_said(answer), ("No answer", [why])])
        return
    analysis = decode(Analysis, answer["analysis"])
    yield from _rows([*_verdict(analysis), *_said(answer), *_history(analysis), *_reasons(analysis, answer)])
    yield from _steps("Retrieval", filter(_is_search, analysis.trace))
    yield from _steps("How the model went on", (step for step in analysis.trace if not _is_search(step)))
    if analysis.shadow:
        yield from ("", "A model on trial (recorded, not shown)", "--------------------------------------")
        yield from _rows(_on_trial(analysis.shadow))
        yield from _steps("What it went by", analysis.shadow.trace)


def shown(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield all that is kept of a failure: the report, then the analysis."""
    report = decode(FailureReport, answer["report"])
    yield from explained(answer)
    yield from ("", "Report", "------")
    yield from _rows(_report(report))
    yield from _part("Log", (f"{line.time[11:23]:<12} {line.level:<7} {line.text}".lstrip() for line in report.log))


def _heading(report: FailureReport, answer: Mapping[str, Any]) -> Iterator[str]:
    name = _flat(report.full_name or report.test_name)
    yield from textwrap.wrap(name, WIDTH) or [report.id]
    yield "=" * min(max(len(name), 1), WIDTH)
    state = f"{answer['state']}, seen {answer['seen'][:16].replace('T', ' ')} UTC"
    yield from _rows([("Failure", [report.id]), ("State", [state]), ("Project", [report.project])])


def _verdict(analysis: Analysis) -> _Rows:
    sure = f", {confidence_word(analysis) or 'sure'} ({analysis.confidence:.2f})" if analysis.confidence else ""
    yield "Verdict", [f"{analysis.error_type.value}, {analysis.verdict.value}{sure}, {analysis.stage.value}"]
    yield "Cause", [analysis.root_cause]
    yield "What to do", [analysis.recommendation]
    yield "Evidence", [f'"{item.quote}" ({item.where or "report"})' for item in analysis.evidence]
    yield "Still needed", analysis.missing


def _said(answer: Mapping[str, Any]) -> _Rows:
    if said := answer.get("said"):
        ticket = f", {said['ticket']}" if said["ticket"] else ""
        yield "A person", [f"{said['who']}, {said['when'][:10]}{ticket}: {said['error_type']}. {said['root_cause']}"]


def _history(analysis: Analysis) -> _Rows:
    novelty = [analysis.novelty.value, f"seen {count(analysis.times_seen, 'time')}" if analysis.times_seen else ""]
    since = f"first on {analysis.first_seen[:10]}" if analysis.first_seen else ""
    yield "History", [", ".join(part for part in (*novelty, since) if part)]
    yield "Reused from", [analysis.reused_from]
    yield "Suspects", (" ".join(filter(None, (item.commit[:12], item.file, item.why))) for item in analysis.suspects)
    yield (
        "Similar",
        (
            f"{item.when[:10]} {item.report_id[:8]}: {item.root_cause} "
            f"({f'confirmed by {item.confirmed_by}' if item.confirmed_by else 'not confirmed'}{item.ticket and f', {item.ticket}'})"
            for item in analysis.similar
        ),
    )
    yield "Read more", (f"{item.title} {item.url}" for item in analysis.references)


def _reasons(analysis: Analysis, answer: Mapping[str, Any]) -> _Rows:
    engine = analysis.engine
    yield "Rule", ["" if analysis.confirmed_by else engine.rule_id or "none matched"]
    yield "Model", [engine.model or (f"none answered; asked: {answer['model']}" if answer["model"] else "none is configured")]
    if engine.calls:
        used = f"{engine.tokens_in:,} tokens in, {engine.tokens_out:,} out, ${engine.cost_usd:.4f}"
        yield "", [f"{count(engine.calls, 'call')}, {used}"]
    yield "CRAG action", [engine.crag_action]
    yield "Degraded", analysis.degraded
    yield "Task ended", [answer["problem_of_task"]]
    yield "Sent to", analysis.sent_to or ["nobody"]
    yield "Pipeline", [engine.pipeline_version]
    yield "Seconds", [", ".join(f"{name} {taken:.4f}" for name, taken in engine.step_seconds.items())]


def _on_trial(said: Analysis) -> _Rows:
    yield "Model", [said.engine.model or "none answered"]
    yield from _verdict(said)
    yield "CRAG action", [said.engine.crag_action]
    yield "Degraded", said.degraded


def _report(report: FailureReport) -> _Rows:
    run = report.run
    yield "Test", [report.test_name]
    yield "Suite", [report.suite_name]
    yield "Source", [f"{report.source}:{report.lineno}" if report.source else ""]
    yield "Phase", [report.phase.value]
    yield "Tags", [", ".join(report.tags)]
    yield "Run", [" ".join(filter(None, (run.id, run.name)))]
    robot, python = run.robot and f"Robot Framework {run.robot}", run.python and f"Python {run.python}"
    yield "Made by", [", ".join(filter(None, (robot, python, run.platform)))]
    yield "CI", [" ".join(filter(None, (run.ci.provider, run.ci.build_url)))]
    yield "Code", [" ".join(filter(None, (run.git.repo, run.git.branch, run.git.commit[:12], "changed" if run.git.dirty else "")))]
    yield "Keywords", map(_call, report.keywords)
    yield "Message", report.error_message.splitlines()
    yield "Exception", (line for one in _chain(report.exception) for line in _raised(one))
    yield "Robot said", (f"{item.level}: {item.text}" for item in report.execution_errors)
    yield "Attachments", report.attachments
    yield "Taken out", [", ".join(f"{number} {kind}" for kind, number in sorted(report.redactions.items()))]
    yield "Cut", (f"{cut.what} from {cut.from_:,} to {cut.to:,}" for cut in report.truncated)


def _call(call: KeywordCall) -> str:
    place = f" ({call.source}:{call.lineno})" if call.source else ""
    return f"{'    '.join((call.full_name or call.type, *call.args))}{place}"


def _chain(exception: ExceptionInfo | None) -> Iterator[ExceptionInfo]:
    if exception:
        yield exception
        for cause in exception.causes:
            yield from _chain(cause)


def _raised(one: ExceptionInfo) -> Iterator[str]:
    yield f"{one.type}: {one.message}"
    yield from (f"  {frame.file}:{frame.line} {frame.function}" for frame in one.frames)


def _is_search(step: Step) -> bool:
    return not step.thought and step.action.startswith("search ")


def _steps(title: str, steps: Iterable[Step]) -> Iterator[str]:
    yield from _part(title, (line for step in steps for line in _step(step)))


def _step(step: Step) -> Iterator[str]:
    yield from (part for part in (step.thought, step.action) if part)
    yield from (f"  {line}" for line in step.observation.splitlines())


def _part(title: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if not number:
            yield from ("", title, "-" * len(title))
        for piece in clean(line).splitlines():
            indent = " " * (len(piece) - len(piece.lstrip()))
            yield from _wrapped(piece.strip(), indent, f"{indent}  ")


def _rows(rows: _Rows) -> Iterator[str]:
    for label, texts in rows:
        for text in texts:
            if shown_text := clean(text).replace("\n", " ").rstrip():
                yield from _wrapped(shown_text, f"{label:<{LABEL}}", " " * LABEL)
                label = ""


def _wrapped(text: str, first: str, later: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False)


def _flat(text: str) -> str:
    return " ".join(clean(text).split())
