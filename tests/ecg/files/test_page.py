"""The page on clinical files, "ecg-files.md", does what it says."""

import re
from pathlib import Path

import pytest
from made_ecgs import LEADS, made

from heartsim.cli import run_command
from heartsim.ecg import Recording, read_ecg, write_ecg

PAGE = (Path(__file__).parents[3] / "docs" / "ecg-files.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    """With the page's recording and run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("heartsim.cli._main.make_ready", lambda: None)
    write_ecg(made(seconds=6.0), "recording.hea")
    Path("paced").mkdir()
    write_ecg(made(), "paced/ecg.csv")


def test_the_commands_and_the_code_run(capsys):
    commands = re.findall(r"^heartsim (.*)$", PAGE, flags=re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        assert run_command(command.split()) == 0
    assert Path("recording.png").stat().st_size > 20_000
    assert read_ecg("paced.dcm").leads == LEADS
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(block, {})
    assert "500.0 Hz (3000, 12)" in capsys.readouterr().out


def test_the_refusal_reads_as_on_the_page(capsys):
    turned = made().signal.copy()
    turned[:, 2] *= -1
    write_ecg(Recording(turned, 500.0, LEADS), "bad.csv")
    assert run_command(["ecg", "bad.csv"]) == 2
    said = capsys.readouterr().err.strip()
    shown = " ".join(re.search(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)[1].split())
    value = r"[\d.]+ mV \(rms\)"
    assert re.sub(value, "", said) == re.sub(value, "", shown)
