"""The report: one file, complete, safe, readable by everyone, and shown by a browser."""

import base64
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from heartsim.viz import FIELDS, ecg_png, map_figure, report_html

SCENARIO = '[heart]\nmesh = "a&b.vtu"  # </pre><script>alert(1)</script>\ndt_ms = 0.05\n'
SUMMARY = {
    "total_activation_ms": {"value": 93.24567, "unit": "ms", "definition": "last < first"},
    "activated": {"value": 1.0, "unit": "1", "definition": "share of nodes"},
    "qrs_ms": {"value": None, "unit": "ms", "definition": "not measured"},
}
MANIFEST = {
    "versions": {"jax": "0.7.1", "python": "3.11"},
    "device": "cpu",
    "wall_s": 41.25,
    "converged": True,
    "notes": ["electrodes: default placement", "fibres: rule-based <i>"],
}


@pytest.fixture(scope="session")
def activation_map(tmp_path_factory, heart):
    """The map of the made-up heart, drawn once."""
    path = tmp_path_factory.mktemp("map") / "activation.png"
    field = FIELDS["activation_ms"]
    map_figure(heart.points, heart.triangles, heart.values, heart.views, field).savefig(path)
    return path


@pytest.fixture
def run_dir(tmp_path, activation_map, ecg_file):
    """A run directory as a run leaves it."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "scenario.toml").write_text(SCENARIO)
    (run / "summary.json").write_text(json.dumps(SUMMARY))
    (run / "manifest.json").write_text(json.dumps(MANIFEST))
    ecg_png(ecg_file(), run / "ecg.png")
    shutil.copy(activation_map, run / "activation.png")
    return run


class Page(HTMLParser):
    """Every tag with its attributes, and the text outside of styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.open = [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if "style" not in self.open:
            self.words += data

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def report(run_dir):
    out = run_dir / "report.html"
    report_html(run_dir, out)
    return Page(out.read_text(encoding="utf-8"))


def test_the_report_holds_numbers_pictures_scenario_manifest_and_notes(run_dir):
    page = report(run_dir)
    for words in (
        "Research use only; not for clinical decisions.",
        *("Total activation", "93.246", "last < first", "QRS", "not available"),
        *("electrodes: default placement", "fibres: rule-based <i>"),
        *("versions: jax", "0.7.1", "wall_s", "41.25", "yes"),
        SCENARIO.strip(),
    ):
        assert words in page.words, words
    images = [image["src"] for image in page.all("img")]
    for name, source in zip(("activation.png", "ecg.png"), images, strict=True):
        kind, content = source.split(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(content) == (run_dir / name).read_bytes()


def test_the_report_loads_nothing_and_runs_nothing(run_dir):
    page = report(run_dir)
    text = (run_dir / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|url\(|@import", re.sub(r"base64,[^\"]*", "", text))
    for _, attrs in page.tags:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            assert attrs.get(name, "data:").startswith("data:")
    assert not page.all("script")
    assert not page.all("link")
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    policies = [meta.get("content", "") for meta in page.all("meta")]
    assert any(policy.startswith("default-src 'none'") for policy in policies)


def test_text_from_files_cannot_become_markup(run_dir):
    (run_dir / "summary.json").write_text(
        json.dumps({"<b>x": {"value": "<img src=x>", "unit": "<u>", "definition": "<script>"}})
    )
    report_html(run_dir, run_dir / "r.html", title="<h1>&")
    page = Page((run_dir / "r.html").read_text(encoding="utf-8"))
    assert {"b", "u", "i", "script"}.isdisjoint(tag for tag, _ in page.tags)
    assert len(page.all("img")) == 2
    assert len(page.all("h1")) == 1
    assert "<img src=x>" in page.words


def test_the_report_can_be_read_without_seeing_it(run_dir):
    page = report(run_dir)
    assert page.all("html") == [{"lang": "en"}]
    assert all(len(image["alt"]) > 80 for image in page.all("img"))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert max(np.diff(levels)) <= 1  # no level is left out
    assert all("scope" in cell for cell in page.all("th"))
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    labelled = [attrs["aria-labelledby"] for attrs in page.all("section")]
    assert len(set(labelled)) == 5 + 1  # results, notes, maps, ECG, scenario, manifest
    assert set(labelled) <= ids


def test_words_have_the_contrast_that_weak_eyes_need(run_dir):
    report(run_dir)
    text = (run_dir / "report.html").read_text(encoding="utf-8")

    def luminance(colour):
        if len(colour) == 4:
            colour = "#" + "".join(2 * c for c in colour[1:])
        rgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    inks = re.findall(r"[ ;]color: (#[0-9a-f]+)", text)
    grounds = ["#fff", *re.findall(r"background: (#[0-9a-f]+)", text)]
    assert len(inks) >= 3
    for ink in inks:  # 4.5 to 1 is what WCAG 2.1 asks for at level AA
        assert all((luminance(g) + 0.05) / (luminance(ink) + 0.05) > 4.5 for g in grounds)


def test_the_ecg_prints_at_true_size(run_dir):
    report(run_dir)
    with Image.open(run_dir / "ecg.png") as picture:
        width = picture.width / 10  # 254 dpi
    assert f"img.paper {{ width: {width:.2f}mm" in (run_dir / "report.html").read_text(
        encoding="utf-8"
    )


def test_what_is_missing_is_said_in_a_sentence(run_dir):
    for name in ("summary.json", "activation.png", "ecg.png", "scenario.toml"):
        (run_dir / name).unlink()
    words = report(run_dir).words
    for name in ("summary.json", "activation.png", "ecg.png", "scenario.toml"):
        assert re.search(rf"The run directory holds no {name}[,.]", words)
    (run_dir / "scenario.toml").write_text(SCENARIO)
    (run_dir / "manifest.json").unlink()
    assert "no manifest.json, so versions, device and times are not known." in report(run_dir).words


def test_further_maps_are_shown_where_the_run_drew_them(run_dir):
    shutil.copy(run_dir / "activation.png", run_dir / "apd90.png")
    page = report(run_dir)
    assert [image["alt"].split(" map")[0] for image in page.all("img")[:2]] == [
        "Activation",
        "Action potential duration, APD90",
    ]


def test_other_jobs_have_parts_of_their_own(run_dir):
    """The fit with its numbers, pacing, and the hand-over, each with its own pictures."""
    for name in ("fit", "pacing"):
        (run_dir / name).mkdir()
    found = {"fitted": {"value": True, "unit": "", "definition": "within the gate"}}
    found |= {"velocity_fibre_m_s": {"value": 0.6, "unit": "m/s", "definition": "along"}}
    found |= {"site_mm": {"value": [[1.0, 2.0], [3.0, 4.0]], "unit": "mm", "definition": "where"}}
    notes = {"notes": ["leads: made up, not measured"]}
    (run_dir / "fit" / "manifest.json").write_text(json.dumps(notes))
    (run_dir / "fit" / "summary.json").write_text(json.dumps(found))
    (run_dir / "fit" / "fit.toml").write_text("[search]\nstarts = 6\n")
    for name in ("fit/fit.png", "pacing/plan.png", "pacing/ecg.png", "compared.png"):
        shutil.copy(run_dir / "activation.png", run_dir / name)
    page = report(run_dir)
    for words in (
        "Fit of a 12-lead ECG",
        "made up, not measured",
        "starts = 6",
        "within the gate",
        "Pacing options compared",
    ):
        assert words in page.words
    assert "Velocity fibre0.6m/s" in re.sub(r"\s*\n\s*", "", page.words)
    assert "(1, 2), (3, 4)" in page.words
    sections = [attrs["aria-labelledby"] for attrs in page.all("section")]
    assert sections[-5:] == ["fit", "pacing", "compared", "scenario", "manifest"]
    assert len(page.all("img")) == 2 + 4
    assert all(len(image["alt"]) > 80 for image in page.all("img"))


def test_bad_files_are_refused_in_one_sentence(run_dir, tmp_path):
    def refused(name, content, sentence):
        kept = (run_dir / name).read_bytes()
        (run_dir / name).write_bytes(content)
        with pytest.raises(ValueError, match=sentence):
            report_html(run_dir, tmp_path / "r.html")
        (run_dir / name).write_bytes(kept)

    refused("summary.json", b"{", "summary.json: is not JSON")
    refused("summary.json", b"[]", "summary.json: must hold one JSON object, found list")
    refused("summary.json", b'{"a": 3}', "summary.json: 'a' must have value, unit and definition")
    refused("manifest.json", b'{"notes": "one"}', "manifest.json: notes must be a list")
    refused("scenario.toml", b"\xff\xfe\xff", "scenario.toml: cannot be read as text")
    refused("ecg.png", b"no picture", "ecg.png: is not a picture")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: holds no summary, picture, scenario or manifest"):
        report_html(tmp_path / "empty", tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


def test_a_browser_without_a_screen_shows_the_report(run_dir, tmp_path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("no chromium here: the report was not looked at in a browser")
    report(run_dir)
    shot = tmp_path / "report.png"
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars"
    flags += " --disable-background-networking --disable-component-update --disable-sync"
    flags += f" --user-data-dir={tmp_path / 'profile'} --window-size=1000,2600 --screenshot={shot}"
    command = [browser, *flags.split(), (run_dir / "report.html").as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    with Image.open(shot) as picture:
        rgb = np.asarray(picture.convert("RGB"), int)
    assert rgb.shape == (2600, 1000, 3)
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    share = lambda mask: mask.mean()  # noqa: E731
    assert share(abs(rgb - [0xE5, 0x8E, 0x98]).sum(axis=2) < 40) > 0.002  # lines of ECG paper
    assert share((b > 150) & (r < 80)) > 0.003  # late tissue of the map
    assert share((r > 180) & (g < 80) & (b < 60)) > 0.0002  # early tissue
    assert share((rgb > 250).all(axis=2)) > 0.5  # on a white page
