"""Text and JSON that are either whole or not there, and checksums."""

import hashlib
import json
from pathlib import Path
from typing import Any

from heartsim._files import whole


def write_text(path: Path, text: str) -> None:
    """Write a text file whole."""
    with whole(path) as new:
        new.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
