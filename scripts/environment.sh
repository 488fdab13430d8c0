# Sourced by scripts/demo and scripts/test: finds a Python, keeps the project's own .venv.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="$ROOT/.venv"
NEW_ENOUGH='import sys; sys.exit(sys.version_info < (3, 11))'

say() { printf '%s: %s\n' "$(basename "$0")" "$1" >&2; }

# Print the first Python of 3.11 or later that can make virtual environments; else one line.
find_python() {
    local name old=""
    for name in python3.11 python3.12 python3.13 python3; do
        "$name" -c "$NEW_ENOUGH" 2>/dev/null || continue
        if "$name" -c 'import venv, ensurepip' 2>/dev/null; then
            echo "$name"
            return
        fi
        old="${old:-$name}"
    done
    if [ -n "$old" ]; then
        say "$old has no venv module; on Debian: apt-get install python3-venv"
    else
        say "Python 3.11 or later is not here; on Debian: apt-get install python3 python3-venv"
    fi
    return 2
}

# Install the project with an extra ("" or "[test]") into .venv, unless that is done already.
# Nothing is fetched where pyproject.toml has not changed since, so that later runs work offline.
install_project() {
    local extra="$1" python done_as
    done_as="$VENV/installed${extra//[^a-z]/-}.toml"
    if [ -x "$VENV/bin/python" ] && cmp -s "$ROOT/pyproject.toml" "$done_as"; then return; fi
    if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        python="$(find_python)" || exit $?
        "$python" -m venv --clear "$VENV"
    fi
    say "installing heartsim$extra into .venv (once; some minutes)"
    if ! "$VENV/bin/python" -m pip install -qq --disable-pip-version-check -e "$ROOT$extra"; then
        say "the installation failed; what pip says stands above"
        exit 1
    fi
    cp "$ROOT/pyproject.toml" "$done_as"
}
