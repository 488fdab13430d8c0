"""What a cache names its files by, beside their input: the code that made them."""

import functools
import hashlib
from pathlib import Path


@functools.cache
def code_of(*packages: str) -> str:
    """A hash of the code of these packages of heartsim: what other equations made is not found."""
    here = Path(__file__).parent
    files = sorted(file for package in packages for file in (here / package).rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
