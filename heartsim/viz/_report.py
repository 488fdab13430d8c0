"""One page for the reader of a run: numbers, map, ECG, and how they came about."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from heartsim._files import whole_or_refused

MAPS = {
    "activation.png": "Activation",
    "repolarisation.png": "Repolarisation",
    "apd90.png": "Action potential duration, APD90",
}
"""Maps that a run directory may hold, and their headings; the first is expected."""


class Picture(NamedTuple):
    """A picture of a further part of the report."""

    file: str
    heading: str
    alt: str


SETTINGS = "fit.toml"


class Part(NamedTuple):
    """A further part of the report, there where the run directory holds its pictures."""

    name: str
    heading: str
    about: str | None  # folder of a summary.json, a manifest.json with notes, and SETTINGS
    pictures: tuple[Picture, ...]


_VIEWS = "in anterior, posterior and basal views with isochrones, on one colour scale in ms"
_LEADS = "Twelve leads in mV against time in ms, drawn over each other"
PARTS = (
    Part(
        "fit",
        "Fit of a 12-lead ECG",
        "fit",
        (
            Picture(
                "fit/fit.png",
                "Measured and fitted leads",
                f"{_LEADS}: the measured thick and grey, the fitted thin and red.",
            ),
            Picture(
                "fit/activation.png",
                "Fitted activation",
                "Activation that the fit found, on the heart's surface "
                "in anterior, posterior and basal views with isochrones and a colour bar in ms.",
            ),
        ),
    ),
    Part(
        "pacing",
        "Pacing options",
        None,
        (
            Picture(
                "pacing/plan.png",
                "Pacing options compared",
                f"Activation of each pacing option {_VIEWS}, its QRS duration, activation times "
                "and changes against the baseline written beside it.",
            ),
            Picture(
                "pacing/ecg.png",
                "Leads of the pacing options",
                f"{_LEADS}, one colour for each pacing option and black for the baseline.",
            ),
        ),
    ),
    Part(
        "compared",
        "Eikonal and monodomain compared",
        None,
        (
            Picture(
                "compared.png",
                "Activation of both models",
                f"Activation of the eikonal and of the monodomain model {_VIEWS}, the "
                "monodomain's less the delay that stands beside it.",
            ),
            Picture(
                "compared_ecg.png",
                "Leads of both models",
                f"{_LEADS}: the eikonal model's black, the monodomain model's blue.",
            ),
        ),
    ),
)
"""What other jobs may have put into a run directory."""

_ABBREVIATIONS = {"ecg", "qrs", "qt", "apd90", "lv", "rv", "rmse"}


def report_html(
    run_dir: str | Path, out: str | Path, *, title: str = "Simulated heartbeat"
) -> None:
    """Write `report.html` of a run directory: one file that loads nothing else.

    Reads summary.json, activation.png (and the other MAPS and PARTS where they lie there),
    ecg.png, scenario.toml and manifest.json of `run_dir` and no other file; for one that is
    missing the page says so. ValueError where none of them is there, or one cannot be read.
    """
    run_dir = Path(run_dir)
    summary, manifest = _json(run_dir / "summary.json"), _json(run_dir / "manifest.json")
    scenario = _text(run_dir / "scenario.toml")
    maps = [
        {"heading": heading, "uri": _data_uri(run_dir / name)}
        for name, heading in MAPS.items()
        if name == "activation.png" or (run_dir / name).is_file()
    ]
    ecg = {"uri": _data_uri(run_dir / "ecg.png"), "width_mm": _width_mm(run_dir / "ecg.png")}
    found = [summary, manifest, scenario, ecg["uri"], *(shown["uri"] for shown in maps)]
    if all(content is None for content in found):
        raise ValueError(f"{run_dir}: holds no summary, picture, scenario or manifest of a run.")
    page = _template().render(
        title=title,
        numbers=None if summary is None else _numbers(summary, run_dir / "summary.json"),
        maps=maps,
        ecg=ecg,
        parts=[shown for part in PARTS if (shown := _part(run_dir, part)) is not None],
        scenario=scenario,
        manifest=None if manifest is None else list(_flat(manifest)),
        notes=_notes(manifest, run_dir / "manifest.json"),
    )
    with whole_or_refused(Path(out)) as new:
        new.write_text(page, encoding="utf-8")


def _template() -> Any:
    """The page's template; every text put into it is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("report.html.jinja")


def _part(run_dir: Path, part: Part) -> dict[str, Any] | None:
    """Numbers and pictures of a further part; None where none of its pictures is there."""
    uris = {picture: _data_uri(run_dir / picture.file) for picture in part.pictures}
    if not any(uris.values()):
        return None
    numbers = manifest = settings = None
    if part.about is not None:
        summary, provenance = (
            run_dir / part.about / name for name in ("summary.json", "manifest.json")
        )
        numbers, manifest = _json(summary), _json(provenance)
        settings = _text(run_dir / part.about / SETTINGS)
    return {
        "name": part.name,
        "heading": part.heading,
        "numbers": [] if numbers is None else _numbers(numbers, summary),
        "notes": [] if manifest is None else _notes(manifest, provenance),
        "settings": settings,
        "pictures": [
            {"heading": picture.heading, "alt": picture.alt, "uri": uri}
            for picture, uri in uris.items()
            if uri is not None
        ],
    }


def _text(path: Path) -> str | None:
    """The file's text; None if it is not there."""
    if not path.is_file():
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as text ({error}).") from error


def _json(path: Path) -> dict[str, Any] | None:
    """The file's dictionary; None if it is not there."""
    text = _text(path)
    if text is None:
        return None
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: is not JSON ({error}).") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: must hold one JSON object, found {type(content).__name__}.")
    return content


def _data_uri(path: Path) -> str | None:
    """The picture as a data URI; None if it is not there."""
    if not path.is_file():
        return None
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def _width_mm(path: Path) -> float | None:
    """Width of the paper a picture shows, from its pixels and resolution, so that it prints
    at true size; None if it is not there or does not say."""
    from PIL import Image

    if not path.is_file():
        return None
    try:
        with Image.open(path) as image:
            dpi = image.info.get("dpi")
            return None if dpi is None else image.width / dpi[0] * 25.4
    except OSError as error:
        raise ValueError(f"{path}: is not a picture ({error}).") from error


def _numbers(summary: dict[str, Any], path: Path) -> list[dict[str, str]]:
    """Rows of the table of results."""
    rows = []
    for name, entry in summary.items():
        if not isinstance(entry, dict) or "value" not in entry:
            raise ValueError(f"{path}: {name!r} must have value, unit and definition.")
        unit = str(entry.get("unit", ""))
        rows.append(
            {
                "name": in_words(name, unit),
                "value": _shown(entry["value"]),
                "unit": "" if unit == "1" else unit,
                "definition": str(entry.get("definition", "")),
            }
        )
    return rows


def _notes(manifest: dict[str, Any] | None, path: Path) -> list[str]:
    """What the run flags for its reader: assumptions, defaults, placeholders."""
    notes = [] if manifest is None else manifest.get("notes", [])
    if not isinstance(notes, list):
        raise ValueError(f"{path}: notes must be a list of sentences.")
    return [str(note) for note in notes]


def in_words(key: str, unit: str) -> str:
    """`total_activation_ms` as words, without the unit that stands beside it."""
    words = key.removesuffix(f"_{unit.replace('/', '_')}").split("_")
    words = [word.upper() if word in _ABBREVIATIONS else word for word in words]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def _shown(value: Any) -> str:
    """A value as a reader wants it: five digits, yes or no, lists in a row."""
    if value is None or value != value:  # null, or NaN
        return "not available"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, list):
        return ", ".join(
            f"({_shown(item)})" if isinstance(item, list) else _shown(item) for item in value
        )
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(item)}" for name, item in value.items())
    return str(value)


def _flat(manifest: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Pairs (name, value) of a nested dictionary, without its notes."""
    for name, value in manifest.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}: ")
        elif above or name != "notes":
            yield f"{above}{name}", _shown(value)
