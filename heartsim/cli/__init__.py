"""One file per command; parses, calls, prints."""

from ._app import app as app
from ._main import main as main
from ._main import run_command as run_command
