"""The page on pictures does what it says."""

import re
from pathlib import Path


def test_the_blocks_of_the_page_run_and_leave_the_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "pictures.md").read_text(encoding="utf-8")
    scope: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(block, scope)
    for name in ("activation.png", "activation_uniform.png", "apd90.png", "ecg.png"):
        assert Path(name).stat().st_size > 20_000
    report = Path("report.html").read_text(encoding="utf-8")
    assert report.count("data:image/png;base64,") == 3  # activation, APD90, ECG
    assert "holds no summary.json" in report
