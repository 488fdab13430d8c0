import re
from pathlib import Path


def test_the_page_on_meshes_runs(tmp_path, monkeypatch):
    project = Path(__file__).parents[2]
    text = (project / "docs" / "meshes.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) == 6
    (tmp_path / "meshes").symlink_to(project / "meshes")
    monkeypatch.chdir(tmp_path)
    exec("\n".join(blocks), {})
