"""docs/settings.md and backend/.env.example are what the code says; secrets are not shown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ddn_backend.cli.main import main
from ddn_backend.ops.settings_table import HIDDEN, dotenv, markdown, settings
from ddn_backend.settings import Settings, load, read_dotenv

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("made", "path"), [(markdown, "docs/settings.md"), (dotenv, "backend/.env.example")])
def test_the_tables_in_the_documents_are_those_of_the_code(made: object, path: str) -> None:
    assert callable(made)
    assert (ROOT / path).read_text(encoding="utf-8") == made(), f"make {path} anew with `ddn settings`"


def test_every_setting_says_what_it_is_for() -> None:
    assert [setting.variable for setting in settings() if not setting.meaning] == []
    assert len({setting.variable for setting in settings()}) == len(Settings.model_fields)


def test_the_example_with_all_its_lines_taken_is_what_is_there_without_it(tmp_path: Path) -> None:
    lines = dotenv().splitlines()
    (tmp_path / ".env").write_text("\n".join(line.removeprefix("#") if "=" in line else line for line in lines))
    told = "import pathlib, ddn_backend.settings as s; print(s.load()); s.read_dotenv(pathlib.Path()); print(s.load())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", told],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    without, with_all = done.stdout.splitlines()
    assert with_all == without


def test_what_is_set_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("DDN_WORKERS=7\nREDIS_URL=redis://cache:6379/2\n")
    monkeypatch.setenv("DDN_WORKERS", "3")
    monkeypatch.setenv("REDIS_URL", "")
    monkeypatch.delenv("REDIS_URL")
    read_dotenv(tmp_path)
    try:
        assert (load().workers, load().redis_url) == (3, "redis://cache:6379/2")
    finally:
        monkeypatch.setenv("REDIS_URL", "")  # what the file brought goes with the test


def test_the_list_hides_secrets(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"PINECONE_API_KEY": "pine-apple-pie", "DDN_MONGO_URL": "mongodb://u:pear-tart@h/", "FLOWER_PASSWORD": "plum-cake"}
    for name, value in {**secrets, "DDN_REDIS_URL": "redis://:fig-roll@host:6379/0"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match="0"):
        main(["settings"])
    told = capsys.readouterr().out
    assert told.count(HIDDEN) == len(secrets)
    assert not [word for word in ("pine-apple", "pear-tart", "plum-cake", "fig-roll") if word in told]
    assert "redis://host:6379/0" in told or "host:6379" in told
