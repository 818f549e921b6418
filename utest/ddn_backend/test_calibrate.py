"""What a model's confidence is worth: fitted on labelled answers, kept in a file, used from enough answers on."""

from itertools import pairwise
from pathlib import Path

import pytest

from ddn_backend import fitted
from ddn_backend.errors import SettingsError
from ddn_backend.pipeline.calibrate import MIN_ANSWERS, Calibration, calibrator, dump, fit, load
from ddn_backend.pipeline.thresholds import Thresholds


def answers(confidence: float, right: int, wrong: int) -> list[tuple[float, bool]]:
    return [(confidence, True)] * right + [(confidence, False)] * wrong


def test_a_confidence_is_worth_the_share_that_was_right() -> None:
    found = fit([*answers(0.95, 320, 80), *answers(0.6, 100, 300)], "2026-01-02", "made up")
    assert found.probability(0.95) == pytest.approx(0.80, abs=0.01)
    assert found.probability(0.6) == pytest.approx(0.25, abs=0.01)
    assert found.probability(0.6) < found.probability(0.8) < found.probability(0.95)
    assert (found.probability(0.0), found.probability(1.0)) == (0.0, found.probability(0.95))
    assert (found.n, found.fitted, found.basis) == (800, "2026-01-02", "made up")


def test_more_confidence_is_never_worth_less() -> None:
    found = fit([*answers(0.5, 90, 10), *answers(0.7, 10, 90), *answers(0.9, 50, 50)], "", "")
    worth = [found.probability(number / 100) for number in range(101)]
    assert all(before <= after for before, after in pairwise(worth))
    assert found.probability(0.6) == pytest.approx(0.5, abs=0.02)


def test_few_answers_move_a_confidence_little() -> None:
    assert fit(answers(0.6, 2, 0), "", "").probability(0.6) == pytest.approx((2 + 4 * 0.6) / 6, abs=1e-3)


def test_a_model_is_calibrated_by_its_own_answers_and_from_enough_of_them_on() -> None:
    enough, few = fit(answers(0.9, MIN_ANSWERS, 0), "", ""), fit(answers(0.9, MIN_ANSWERS - 1, 0), "", "")
    calibrate = calibrator({"m-1": enough, "m-2": few})
    assert calibrate("m-1", 0.9) == round(enough.probability(0.9), 4)
    assert calibrate("m-2", 0.9) is None
    assert calibrate("m-3", 0.9) is None


def test_a_calibration_survives_the_way_through_its_file() -> None:
    written = {"m-1": Calibration(((0.5, 0.4), (0.9, 0.95)), 60, "2026-01-02", "sixty answers")}
    assert load(dump(written)) == written


@pytest.mark.parametrize(
    "text",
    ["[]", "{", '{"m": {}}', '{"m": {"points": [[0.5, 0.4], [0.6, 0.3]], "n": 60, "fitted": "", "basis": ""}}',
     '{"m": {"points": [[0.5, 7]], "n": 60, "fitted": "", "basis": ""}}'],
    ids=["no object", "no JSON", "incomplete", "falls", "out of range"],
)  # fmt: skip
def test_a_file_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / fitted.CALIBRATION).write_text(text)
    with pytest.raises(SettingsError, match=r"Reading fitted values '.*calibration.json' failed: .* Fit them again"):
        fitted.calibration_in(tmp_path)


def test_what_was_fitted_here_wins_over_what_ships_and_is_added_to(tmp_path: Path) -> None:
    assert fitted.mark(tmp_path) == ""
    shipped = fitted.thresholds_in(tmp_path)
    own, other = Thresholds(0.9, 0.8, 70, "2026-01-02", "own"), Thresholds(0.7, 0.2, 70, "2026-01-02", "own")
    fitted.write_thresholds(tmp_path / fitted.THRESHOLDS, {"lexical": own})
    before = fitted.mark(tmp_path)
    fitted.write_thresholds(tmp_path / fitted.THRESHOLDS, {"model google:x": other})
    assert fitted.thresholds_in(tmp_path) == {**shipped, "lexical": own, "model google:x": other}
    assert before.startswith("fit-")
    assert fitted.mark(tmp_path) != before
