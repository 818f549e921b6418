"""`ddn eval`: how right the analysis is, on a file of labelled failures."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from robot_ddn_listener.errors import OutputError

from ..evaluation.answers import Analyze, Answer, answers_to
from ..evaluation.labelled import LabelledFile, read_labelled
from ..evaluation.measures import measure
from ..evaluation.tables import answers_as_json, as_json, as_lines, wrong_lines
from ..ports import KnowledgeBase

INFERABLE = "yes"


def evaluate_command(analyzer: Callable[[str], Analyze], knowledge: Callable[[], KnowledgeBase]) -> click.Command:
    """Return the command. `analyzer` gives what answers reports with a model (``none``: without); `--fit` searches `knowledge`."""

    @click.command("eval")
    @click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
    @click.option("--json", "as_machine", is_flag=True, help="Print JSON: numbers, their intervals, and each record's answer.")
    @click.option("--model", default="none", show_default=True, help="The model that concludes; 'none' asks no service at all.")
    @click.option("--fit", is_flag=True, help="Fit the thresholds of retrieval on FILE and write them.")
    @click.option("--to", default="thresholds.json", show_default=True, type=click.Path(path_type=Path), help="Where --fit writes.")
    def evaluate(file: Path, as_machine: bool, model: str, fit: bool, to: Path) -> None:
        """Measure how right the analysis is on FILE: JSON lines, each a failure with its cause (error_type, error_message or
        output_xml, evidence...)."""
        labelled = read_labelled(file)
        if fit:
            _fit(labelled, knowledge(), to)
        answers = list(answers_to(labelled.records, analyzer(model)))
        skipped = [*labelled.skipped, *(answer.note for answer in answers if answer.note)]
        if as_machine:
            click.echo(json.dumps(_machine(file, model, answers, skipped), indent=2))
        else:
            click.echo("\n".join(_people(file, model, answers, skipped)))

    return evaluate


def _fit(labelled: LabelledFile, knowledge: KnowledgeBase, to: Path) -> None:
    from ..evaluation.fit import fitted_thresholds  # what is only measured needs no thresholds
    from ..pipeline.thresholds import dump

    thresholds = fitted_thresholds(labelled, knowledge, datetime.now(UTC).date())
    try:
        to.write_text(dump(thresholds), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"Writing thresholds '{to}' failed: {error}. Nothing was evaluated.") from error
    click.echo(f"Thresholds fitted on {len(labelled.records)} failures: '{to}'.", err=True)


def _inferable(answers: Sequence[Answer]) -> list[Answer]:
    return [answer for answer in answers if answer.record.inferable == INFERABLE]


def _machine(file: Path, model: str, answers: Sequence[Answer], skipped: Sequence[str]) -> dict[str, Any]:
    return {
        "file": file.name,
        "model": model,
        **as_json(measure(answers)),
        "inferable": as_json(measure(_inferable(answers))),
        "skipped": list(skipped),
        "answers": answers_as_json(answers),
    }


def _people(file: Path, model: str, answers: Sequence[Answer], skipped: Sequence[str]) -> list[str]:
    inferable = _inferable(answers)
    return [
        f"{file.name}, model: {model}. Shares with their Wilson 95 % intervals.",
        "",
        *as_lines("All", measure(answers)),
        *(["", *as_lines("Cause can be seen in the text", measure(inferable))] if inferable else []),
        "",
        *wrong_lines(answers),
        *(f"Not used: {note}" for note in skipped),
    ]
