"""`ddn eval`: how right the analysis is, on a file of labelled failures; and what is fitted on them."""

import json
import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from .. import fitted
from ..evaluation.answers import Answer, answers_to
from ..evaluation.labelled import LabelledFile, read_labelled
from ..evaluation.measures import measure
from ..evaluation.tables import answers_as_json, as_json, as_lines, taken_as_json, taken_lines, wrong_lines
from ..pipeline import Parts, Pipeline
from ..pipeline.calibrate import MIN_ANSWERS
from ..ports import Source

INFERABLE = "yes"
NONE = "none"

Pipelines = Callable[[str, bool, bool, Path], Pipeline]


def evaluate_command(pipelines: Pipelines, reranked: Callable[[], Source | None]) -> click.Command:
    """Return the command. `pipelines` gives what answers reports, by the model (``none``: without), whether it grades passages,
    whether its confidence is calibrated, and DDN_HOME; `reranked` a source with a reranker, where there is one."""

    @click.command("eval")
    @click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
    @click.option("--json", "as_machine", is_flag=True, help="Print JSON: numbers, their intervals, and each record's answer.")
    @click.option(
        "--model", default=NONE, show_default=True, help="Ask this model, <provider>:<id>; 'none' asks no service at all."
    )
    @click.option("--grades", is_flag=True, help="The model grades passages, too.")
    @click.option("--fit", is_flag=True, help="Fit the thresholds of retrieval on FILE; Pinecone's, too, where it is named.")
    @click.option("--fit-calibration", is_flag=True, help="Fit what the model's confidence is worth on FILE.")
    @click.option("--to", type=click.Path(path_type=Path), help="Where --fit writes; default: thresholds.json in DDN_HOME.")
    def evaluate(file: Path, as_machine: bool, model: str, grades: bool, fit: bool, fit_calibration: bool, to: Path | None) -> None:
        """Measure how right the analysis is on FILE: JSON lines, each a failure with its cause (error_type, error_message or
        output_xml, evidence...). Naming a model is the consent to send it these failures."""
        if model == NONE and (grades or fit_calibration):
            option = "--grades" if grades else "--fit-calibration"
            raise click.UsageError(f"Reading option '{option}' failed: expected --model with it. Nothing was evaluated.")
        labelled, home, today = read_labelled(file), _home(), datetime.now(UTC).date()
        pipeline = pipelines(model, grades, not fit_calibration, home)
        try:
            if fit:
                _fit(labelled, pipeline.parts, reranked(), to or home / fitted.THRESHOLDS, today)
                pipeline = _renewed(pipeline, pipelines(model, grades, not fit_calibration, home))
            answers = list(answers_to(labelled.records, pipeline.analyze))
        finally:
            pipeline.close()
        if fit_calibration:
            _fit_calibration(answers, file.name, home / fitted.CALIBRATION, today)
        skipped = [*labelled.skipped, *(answer.note for answer in answers if answer.note)]
        if as_machine:
            click.echo(json.dumps(_machine(file, model, answers, skipped), indent=2))
        else:
            click.echo("\n".join(_people(file, model, answers, skipped)))

    return evaluate


def _home() -> Path:
    return Path(os.environ.get("DDN_HOME") or Path.home() / ".ddn").absolute()


def _renewed(before: Pipeline, now: Pipeline) -> Pipeline:
    """The one that knows what was just fitted."""
    before.close()
    return now


def _fit(labelled: LabelledFile, parts: Parts, reranked: Source | None, to: Path, today: date) -> None:
    from ..evaluation.fit import fitted_thresholds  # what is only measured needs no thresholds

    found = fitted_thresholds(labelled, parts, reranked, today)
    fitted.write_thresholds(to, found)
    click.echo(f"Thresholds of {', '.join(found)} fitted on {len(labelled.records)} failures: '{to}'.", err=True)


def _fit_calibration(answers: Sequence[Answer], file: str, to: Path, today: date) -> None:
    from ..evaluation.fit import fitted_calibration

    fits = fitted_calibration(answers, file, today)
    fitted.write_calibration(to, fits)
    for model, fit in fits.items():
        use = "" if fit.n >= MIN_ANSWERS else f"; it is used from {MIN_ANSWERS} on"
        click.echo(f"Confidence of {model} fitted on {fit.n} answers{use}: '{to}'.", err=True)


def _inferable(answers: Sequence[Answer]) -> list[Answer]:
    return [answer for answer in answers if answer.record.inferable == INFERABLE]


def _machine(file: Path, model: str, answers: Sequence[Answer], skipped: Sequence[str]) -> dict[str, Any]:
    return {
        "file": file.name,
        "model": model,
        **as_json(measure(answers)),
        "inferable": as_json(measure(_inferable(answers))),
        "taken": taken_as_json(answers),
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
        *taken_lines(answers),
        *wrong_lines(answers),
        *(f"Not used: {note}" for note in skipped),
    ]
