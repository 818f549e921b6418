"""One answer as an HTML card, for Robot's log.html and for any other viewer of log messages.

Every text is foreign until markup.py has cleaned and escaped it. The card must be readable without its style (some viewers
drop it), so that the elements carry the meaning and the style only the looks. Robot inserts a message when it is first shown,
hence each full card brings the style along; the same rules twice do no harm.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from ..contract import (
    MAX_EVIDENCE,
    MAX_QUOTE_CHARACTERS,
    Analysis,
    Evidence,
    FailureReport,
    Frame,
    Novelty,
    Reference,
    Similar,
    Step,
    Suspect,
    Verdict,
)
from ..ticket import Delivery, Member, Ticket
from .carried import calling_line, carried, raising_frame
from .legible import clean, clipped, count, one_line
from .looks import COLOURS, LINE_STYLE, LINE_STYLE_SHEET, STYLE, badge_style
from .markup import attribute, code, escaped, host_of, inline, item_list, link, prose
from .wording import (
    CAUSE_CHARACTERS,
    MEANINGS,
    NAME_CHARACTERS,
    NOTE_CHARACTERS,
    View,
    answered_by,
    certainty,
    delivery_note,
    group_of,
    headline,
    kind,
    place_name,
)

ADVICE_CHARACTERS = 700
FULL_TEXT_CHARACTERS = 12_000
LISTED_NAMES = 5
SHORT_ID_CHARACTERS = 8  # of an id in a command: enough to find one failure among all that are kept
LISTED_STEPS = 20

_NOVELTY = {
    Novelty.NEW: "first time in this project",
    Novelty.KNOWN: "known",
    Novelty.REGRESSED: "came back after it had been gone",
    Novelty.FLAKY: "comes and goes",
}


def full_card(ticket: Ticket, view: View) -> str:
    """Return the card of a group's first member: everything there is to say."""
    analysis = ticket.analysis
    if analysis.verdict is Verdict.NOT_ANALYSED:
        return _short_card(ticket, view)
    style = f'style="--ddn:{COLOURS[analysis.error_type]}"'
    body = _head(ticket) + _cause(ticket) + _rows(ticket, view) + _foot(ticket, view) + _trace(analysis.trace)
    return f'<div {_facts(ticket, _first_name(ticket), "full")} class="ddn" {style}>{STYLE}{body}</div>'


def member_card(ticket: Ticket, member: Member) -> str:
    """Return the card of another member: one line that names the first and why. No quotes: its own log may not hold them."""
    if ticket.analysis.verdict is Verdict.NOT_ANALYSED:
        return _line(ticket, place_name(member), "member", "")
    why = "Same error, message and keyword as in" if _starts_in_test(ticket) else "Caused by"
    first = f"{why} <b>{inline(_first_name(ticket), NAME_CHARACTERS)}</b>, which has the whole analysis."
    return _line(ticket, place_name(member), "member", first)


def _starts_in_test(ticket: Ticket) -> bool:
    return not ticket.members or ticket.members[0].is_test


def _short_card(ticket: Ticket, view: View) -> str:
    also = _also(ticket)
    rest = (_said(*delivery_note(ticket, view)), also and f"Also in {also}.")
    return _line(ticket, _first_name(ticket), "full", " ".join(part for part in rest if part))


def _line(ticket: Ticket, name: str, role: str, rest: str) -> str:
    """Kept small: a run that was stopped early has a thousand of them."""
    colour = COLOURS[ticket.analysis.error_type]
    badge = f'<b style="{badge_style(colour)}">{kind(group_of(ticket))}</b>'
    line = " ".join(part for part in (badge, f"<bdi>{prose(headline(ticket))}</bdi>", rest) if part)
    style = f"{LINE_STYLE};border-left:4px solid {colour}"
    return f'<div {_facts(ticket, name, role)} style="{style}">{LINE_STYLE_SHEET}{line}</div>'


def _facts(ticket: Ticket, name: str, role: str) -> str:
    """What annotation.card_facts reads again."""
    analysis = ticket.analysis
    facts = {
        "data-ddn": ticket.id,
        "data-ddn-project": analysis.project or ticket.report.project,
        "data-ddn-stage": analysis.stage.value,
        "data-ddn-role": role,
        "data-ddn-type": analysis.error_type.value,
        "data-ddn-cause": headline(ticket),
        "data-ddn-by": group_of(ticket).by,
        "data-ddn-name": name,
        "data-ddn-delivery": ticket.delivery.name.lower(),
        **({"data-ddn-report": carried(ticket.report)} if role == "full" else {}),
    }
    return " ".join(f'{fact}="{attribute(value)}"' for fact, value in facts.items())


def _first_name(ticket: Ticket) -> str:
    return place_name(ticket.members[0]) if ticket.members else one_line(ticket.report.full_name, NAME_CHARACTERS)


def _head(ticket: Ticket) -> str:
    analysis = ticket.analysis
    by = " · ".join(part for part in (certainty(analysis), answered_by(analysis)) if part)
    return (
        f'<p class="ddn-head"><b class="ddn-type">{analysis.error_type.value}</b> '
        f'<span class="ddn-dim">{MEANINGS[analysis.error_type]}</span> <span class="ddn-by">{inline(by, 200)}</span></p>'
    )


def _cause(ticket: Ticket) -> str:
    return f'<p class="ddn-cause" dir="auto">{prose(headline(ticket))}</p>{_rest(ticket.analysis.root_cause, CAUSE_CHARACTERS)}'


def _rest(text: str, shown: int) -> str:
    """The whole of a text that was cut, behind a fold."""
    if len(" ".join(text.split())) <= shown:
        return ""
    whole = clipped(clean(text[: FULL_TEXT_CHARACTERS * 2]).strip(), FULL_TEXT_CHARACTERS)
    return _folded(f"All of it ({len(text):,} characters)", f'<div class="ddn-text" dir="auto">{prose(whole)}</div>')


def _folded(summary: str, html: str) -> str:
    return f"<details><summary>{summary}</summary>{html}</details>"


def _rows(ticket: Ticket, view: View) -> str:
    analysis = ticket.analysis
    rows = (
        ("Evidence", "".join(_evidence(item) for item in analysis.evidence[:MAX_EVIDENCE])),
        ("Failed in", _failed_in(ticket.report)),
        ("What to do", _advice(analysis.recommendation)),
        ("Still needed", item_list(prose(one_line(item, NOTE_CHARACTERS)) for item in analysis.missing)),
        ("Also in" if _starts_in_test(ticket) else "Tests failed", _also(ticket)),
        ("History", _history(analysis)),
        ("Suspects", item_list(_suspect(item) for item in analysis.suspects)),
        ("Similar", item_list(_similar(item) for item in analysis.similar)),
        ("Read more", item_list(_reference(item) for item in analysis.references if item.url)),
        ("Degraded", item_list(inline(item, NOTE_CHARACTERS) for item in analysis.degraded)),
        ("Sent to", item_list(inline(item, NOTE_CHARACTERS) for item in analysis.sent_to)),
        ("Delivery", _said(*delivery_note(ticket, view))),
        ("Your verdict", _corrections(ticket, view)),
    )
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{html}</dd>' for name, html in rows if html)}</dl>"


def _evidence(item: Evidence) -> str:
    quote_ = clipped(clean(item.quote[: MAX_QUOTE_CHARACTERS * 20]).strip("\n"), MAX_QUOTE_CHARACTERS)
    where = f'<span class="ddn-dim ddn-where">{inline(item.where, NAME_CHARACTERS)}</span>' if item.where else ""
    return f'<p><code class="ddn-quote" dir="auto">{escaped(quote_)}</code> {where}</p>'


def _failed_in(report: FailureReport) -> str:
    """The line that called the failing keyword, and the line of code that raised: the project's own, if one took part."""
    call, frame = calling_line(report), raising_frame(report)
    shown = [f"{code(call.full_name)} {_line_of(call.source, call.lineno)}"] if call else []
    shown += [f"{code(frame.function)} {_line_of(frame.file, frame.line)}"] if frame else []
    return ", raised in ".join(shown) + (_code_line(frame) if frame else "")


def _code_line(frame: Frame) -> str:
    line = " ".join(next((line for line in frame.code if line.startswith(">")), "").lstrip("> ").split())
    return line and f'<p><code class="ddn-quote">{escaped(clipped(clean(line), MAX_QUOTE_CHARACTERS))}</code></p>'


def _line_of(file: str, line: int) -> str:
    return f'<span class="ddn-dim">{inline(file, NAME_CHARACTERS)}:{line}</span>'


def _advice(text: str) -> str:
    shown = clipped(clean(text[: ADVICE_CHARACTERS * 2]).strip(), ADVICE_CHARACTERS)
    return shown and f'<div class="ddn-text" dir="auto">{prose(shown)}</div>{_rest(text, ADVICE_CHARACTERS)}'


def _also(ticket: Ticket) -> str:
    names = [inline(place_name(member), NAME_CHARACTERS) for member in ticket.members[1 : LISTED_NAMES + 1]]
    more = len(ticket.members) - 1 - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")


def _history(analysis: Analysis) -> str:
    parts = [_NOVELTY.get(analysis.novelty, "")]
    if analysis.times_seen > 1:
        parts.append(f"seen {count(analysis.times_seen, 'time')}")
    if analysis.first_seen and analysis.novelty is not Novelty.NEW:
        parts.append(f"first on {inline(analysis.first_seen[:10], 10)}")
    if analysis.reused_from:
        parts.append(f"this verdict is reused from {code(analysis.reused_from)}")
    return ", ".join(part for part in parts if part)


def _suspect(item: Suspect) -> str:
    return " ".join(part for part in (code(item.commit[:12]), code(item.file), inline(item.why, NOTE_CHARACTERS)) if part)


def _similar(item: Similar) -> str:
    by = f"confirmed by {inline(item.confirmed_by, 80)}" if item.confirmed_by else "not confirmed"
    ticket = f", {link(item.ticket, _last_part(item.ticket))}" if item.ticket else ""
    when = f"{inline(item.when[:10], 10)}: " if item.when else ""
    return f"{when}<bdi>{prose(one_line(item.root_cause, NOTE_CHARACTERS))}</bdi> ({by}{ticket})"


def _last_part(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2] or url


def _reference(item: Reference) -> str:
    host = host_of(item.url)
    shown = link(item.url, item.title or host)
    return f'{shown} <span class="ddn-dim">{escaped(host)}</span>' if host and item.title else shown


def _corrections(ticket: Ticket, view: View) -> str:
    if not view.corrections or ticket.delivery not in (Delivery.PENDING, Delivery.ANSWERED):
        return ""  # the backend does not know it
    if ticket.analysis.verdict is not Verdict.DIAGNOSED:
        return f"Known? <code>ddn correct {escaped(one_line(ticket.id, 80)[:SHORT_ID_CHARACTERS])} ...</code>"
    identity = escaped(one_line(ticket.id, 80)[:SHORT_ID_CHARACTERS])
    return f"Right? <code>ddn confirm {identity}</code> Wrong? <code>ddn correct {identity} ...</code>"


def _foot(ticket: Ticket, view: View) -> str:
    parts = (_stage(ticket), *_engine(ticket.analysis), *_report(ticket), _identity(ticket, view))
    return f'<p class="ddn-foot ddn-dim">{" · ".join(part for part in parts if part)}</p>'


def _stage(ticket: Ticket) -> str:
    """A report that stays in the process gets no other verdict: there `interim` would promise one."""
    return "" if ticket.delivery is Delivery.KEPT else f"{ticket.analysis.stage.value} verdict"


def _engine(analysis: Analysis) -> Iterable[str]:
    engine = analysis.engine
    seconds = sum(engine.step_seconds.values())
    if engine.rule_id and (engine.model or analysis.confirmed_by):
        yield f"rule {inline(engine.rule_id, 80)}"
    if engine.model and analysis.confirmed_by:
        yield f"model {inline(engine.model, 80)}"
    yield engine.pipeline_version and f"pipeline {inline(engine.pipeline_version, 40)}"
    yield engine.crag_action and f"knowledge graded {inline(engine.crag_action, 40)}"
    yield f"{seconds:.1f} s" if seconds >= 0.05 else ""
    yield count(engine.calls, "call") if engine.calls else ""
    yield f"{engine.tokens_in:,} + {engine.tokens_out:,} tokens" if engine.tokens_in or engine.tokens_out else ""
    yield f"${engine.cost_usd:.4f}" if engine.cost_usd else ""


def _report(ticket: Ticket) -> Iterable[str]:
    redactions = ticket.report.redactions
    if total := sum(redactions.values()):
        kinds = ", ".join(f"{inline(name, 40)} {number:,}" for name, number in sorted(redactions.items()) if number)
        yield f"{count(total, 'secret')} taken out ({kinds})"
    for cut in ticket.report.truncated:
        yield f"{inline(cut.what, 40)} cut from {cut.from_:,} to {cut.to:,}"


def _identity(ticket: Ticket, view: View) -> str:
    shown = code(ticket.id)
    if ticket.delivery in (Delivery.PENDING, Delivery.ANSWERED):
        url = f"{view.flower_url.rstrip('/')}/task/{quote(clean(ticket.id), safe='')}"
        return f"task {link(url, ticket.id) if host_of(url) else shown}"
    return f"report {shown}"


def _trace(steps: Sequence[Step]) -> str:
    if not steps:
        return ""
    items = "".join(f"<li>{_step(step)}</li>" for step in steps[:LISTED_STEPS])
    more = f"<p>and {len(steps) - LISTED_STEPS:,} more</p>" if len(steps) > LISTED_STEPS else ""
    return _folded(f"How it was found ({count(len(steps), 'step')})", f"<ol>{items}</ol>{more}")


def _step(step: Step) -> str:
    parts = (inline(step.thought, NOTE_CHARACTERS), step.action and code(step.action), inline(step.observation, NOTE_CHARACTERS))
    return "<br>".join(part for part in parts if part)


def _said(said: str, command: str) -> str:
    return inline(said, 2 * NOTE_CHARACTERS) + (f" <code>{escaped(command)}</code>" if command else "")
