"""The code of docs/cell-models.md runs as it stands there."""

import re
from pathlib import Path


def test_the_ten_lines_run(capsys):
    """Half of i_Kr makes the beat longer than the 273 ms that a whole one takes at this level."""
    page = (Path(__file__).parents[2] / "docs" / "cell-models.md").read_text(encoding="utf-8")
    code, *_ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(code, {})
    peak, above = re.findall(r"[\d.]+", capsys.readouterr().out)[:2]
    assert 55.0 < float(peak) < 65.0
    assert 280.0 < float(above) < 310.0
