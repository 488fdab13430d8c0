"""How commands print: numbers in a table, progress in a bar, or JSON for machines."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from heartsim.scenario import OF_ACTIVATION, Rows

PATIENCE = 2.0  # s; what is done sooner needs no bar
EVERY = 10.0  # s between two plain lines


def show(
    rows: Rows,
    *,
    as_json: bool,
    title: str = "",
    as_named: bool = False,
    columns: Sequence[str] = (),
) -> None:
    """Print numbers with their units, names in words unless they are to stay `as_named`; lists
    named in `columns` as those of one table, without other lists."""
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if columns:
        lists = {name: rows[name] for name in columns if name in rows}
        Console(soft_wrap=True).print(_columns(lists, title))
        rows, title = {k: r for k, r in rows.items() if not isinstance(r["value"], list)}, ""
    table = Table(title=title or None, title_justify="left", show_header=False, box=None)
    for name, row in rows.items():
        unit = row["unit"]
        words = name.removesuffix(f"_{unit.replace('/', '_')}").replace("_", " ")
        words = name if as_named else words
        table.add_row(words, f"{shown(row['value'])} {'' if unit == '1' else unit}".strip())
    Console(soft_wrap=True).print(table)


def _columns(lists: Rows, title: str) -> Table:
    table = Table(title=title or None, title_justify="left", box=None)
    for name, row in lists.items():
        unit = row["unit"]
        words = name.removesuffix(f"_{unit.replace('/', '_')}").replace("_", " ")
        head = words if unit in ("", "1") else f"{words}\n({unit})"
        table.add_column(head, justify="right", no_wrap=True)
    for line in zip(*(row["value"] for row in lists.values()), strict=True):
        table.add_row(*map(shown, line))
    return table


def warn(out: Path) -> None:
    """Say on stderr what a run notes of its activation: too few nodes, or some after its end."""
    notes = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["notes"]
    for sentence in notes:
        if sentence.startswith(OF_ACTIVATION):
            print(f"warning: {sentence}", file=sys.stderr)


def shown(value: Any) -> str:
    """A value as a reader wants it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(v)}" for name, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(f"({shown(v)})" if isinstance(v, list) else shown(v) for v in value)
    return str(value)


@contextmanager
def progress_bar(
    quiet: bool = False, unit: str = "ms"
) -> Iterator[Callable[[float, float], None] | None]:
    """A callback (done, whole) that draws a bar with the time left on a terminal, and plain
    lines elsewhere; both on stderr, and only for what takes longer than PATIENCE.

    The time left is reckoned from the first call on: before it lies the preparation.
    """
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar(unit) as advance:
            yield advance
    else:
        yield _lines(unit)


@contextmanager
def stages(quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """A callback that names what begins now: on stderr each stage has its line, which begins with
    it and has its seconds when it ends."""
    begun: list[float] = []

    def said(text: str, end: str) -> None:
        if not quiet:
            print(text, end=end, file=sys.stderr, flush=True)

    def ended() -> None:
        if begun:
            said(f" {time.monotonic() - begun.pop():.1f} s", end="\n")

    def begins(name: str) -> None:
        ended()
        begun.append(time.monotonic())
        said(f"{name}:", end="")

    try:
        yield begins
    except BaseException:
        if begun:
            said("", end="\n")  # what went wrong has a line of its own
        raise
    ended()


@contextmanager
def _bar(unit: str) -> Iterator[Callable[[float, float], None]]:
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=Console(stderr=True),
        transient=True,
    )
    task, left = bar.add_task("preparing", total=None, left=""), _time_left()

    def advance(done: float, whole: float) -> None:
        text = f"{done:.0f} of {whole:.0f} {unit}"
        bar.update(task, description=text, completed=done, total=whole, left=left(done, whole))

    with bar:
        yield advance


def _lines(unit: str) -> Callable[[float, float], None]:
    begun = last = time.monotonic()
    left = _time_left()

    def advance(done: float, whole: float) -> None:
        nonlocal last
        now, text = time.monotonic(), left(done, whole)
        if now - begun > PATIENCE and (now - last > EVERY or done >= whole):
            print(f"{done:.0f} of {whole:.0f} {unit} {text}".strip(), file=sys.stderr, flush=True)
            last = now

    return advance


def _time_left() -> Callable[[float, float], str]:
    """A function that reckons the time left; nothing yet at its first call."""
    first: list[tuple[float, float]] = []

    def left(done: float, whole: float) -> str:
        first.append((time.monotonic(), done))
        (begun, before), (now, _) = first[0], first[-1]
        if done <= before:
            return ""
        return f"{(now - begun) / (done - before) * (whole - done):.0f} s left"

    return left
