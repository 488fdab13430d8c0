"""The door: what goes wrong inside becomes one line and an exit code."""

import errno
import os
import sys
import traceback

import typer

from ._app import app
from ._ready import make_ready

DONE, OURS, BAD_INPUT = 0, 1, 2
STOPPED = 130  # by Ctrl-C, as shells have it


def main() -> None:
    """Entry point of the `heartsim` command."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command line; return its exit code."""
    command = typer.main.get_command(app)
    try:
        _require_command(command, arguments)
        make_ready()
        result = command.main(arguments, prog_name="heartsim", standalone_mode=False)
    except typer.Exit as stop:
        return stop.exit_code
    except (typer.Abort, KeyboardInterrupt):
        result = STOPPED
    except typer.TyperException as error:  # unknown option, missing argument
        return _say(error.format_message(), BAD_INPUT)
    except OSError as error:
        return _say(_about_file(error), BAD_INPUT)
    except ValueError as error:
        return _say(str(error), BAD_INPUT)
    except Exception as error:
        if os.environ.get("HEARTSIM_TRACEBACK"):
            traceback.print_exc()
        return _say(
            f"this is a fault of ours: {type(error).__name__}: {error} "
            "(HEARTSIM_TRACEBACK=1 shows where; please report it).",
            OURS,
        )
    if result == STOPPED:  # typer itself may have caught Ctrl-C
        return _say("stopped; a run goes on from its last checkpoint with --resume.", STOPPED)
    return result if isinstance(result, int) else DONE


def _require_command(command, arguments: list[str]) -> None:
    """Asking for a command that does not exist names those that do."""
    name = next((a for a in arguments if not a.startswith("-")), None)
    if name is not None and name not in command.commands:
        raise ValueError(
            f"{name} is not a command of this version; there are {', '.join(command.commands)}."
        )


def _about_file(error: OSError) -> str:
    """One sentence about a file that cannot be read or written."""
    if error.filename is None:
        return str(error)
    mend = {
        errno.ENOSPC: "make room there; a run goes on from its last checkpoint with --resume",
        errno.ENOENT: "check the path",
        errno.EACCES: "choose a place where you may write",
        errno.ENOTDIR: "a part of this path is a file; choose another place",
        errno.EROFS: "choose a place where you may write",
    }.get(error.errno or 0, "choose another place")
    return f"{error.filename}: {error.strerror}; {mend}."


def _say(sentence: str, code: int) -> int:
    print("heartsim: " + " ".join(sentence.split()), file=sys.stderr)
    return code
