#!/bin/sh
# Makes the virtual environment, and brings it up to date only where it is not.
#
#   tools/venv.sh run    what the app needs (requirements.txt)
#   tools/venv.sh dev    plus tests and lint (requirements-dev.txt)
#
# VENV is the folder (.venv), PYTHON the interpreter that makes it (else the first of 3.11 to 3.13 on
# the PATH), PIP the installer (else uv, or the environment's own pip; tools/install.py), LOCK the versions
# (requirements.lock; empty for the newest that the requirements admit). The hash of these files stands
# in a stamp inside the environment: while it agrees, nothing is resolved.
set -eu

cd "$(dirname "$0")/.."
kind="${1:-run}"
venv="${VENV:-.venv}"
lock="$venv.lock"
versions="${LOCK-requirements.lock}"

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

case "$kind" in
run) requirements=requirements.txt ;;
dev) requirements=requirements-dev.txt ;;
*) die "usage: tools/venv.sh run|dev" ;;
esac

# What a found interpreter must be; an explicit PYTHON may be newer, at its user's own risk.
in_range() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}
new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || die "PYTHON=$PYTHON is not a Python 3.11 or newer: name one, or unset PYTHON."
        echo "$PYTHON"
        return
    fi
    for name in python3 python3.13 python3.12 python3.11 python; do
        if command -v "$name" >/dev/null 2>&1 && in_range "$name"; then
            echo "$name"
            return
        fi
    done
    die "No Python 3.11, 3.12 or 3.13 on the PATH: install one (https://www.python.org/downloads/), or name it with PYTHON=/path/to/python3."
}

wanted_stamp() {
    # The folder is part of it: an environment that was moved or copied is installed again.
    "$venv/bin/python" - "$venv" "$1" "$versions" <<'END'
import hashlib, pathlib, sys
names = ["requirements.txt"] + (["requirements-dev.txt", "requirements-cluster.txt"] if sys.argv[2] == "dev" else [])
names += [sys.argv[3]] if sys.argv[3] else []
found = hashlib.sha256(repr((sys.version_info[:2], str(pathlib.Path(sys.argv[1]).resolve()))).encode())
for name in names:
    found.update(pathlib.Path(name).read_bytes())
print(found.hexdigest())
END
}

usable() { # an interpreter that runs, of a version that suits, with pip
    [ -x "$venv/bin/python" ] && new_enough "$venv/bin/python" &&
        { [ -n "${PIP:-}" ] || "$venv/bin/python" -c 'import pip' 2>/dev/null; }
}

up_to_date() {
    usable && [ -f "$venv/.requirements-$kind" ] &&
        [ "$(cat "$venv/.requirements-$kind")" = "$(wanted_stamp "$kind")" ]
}

[ -z "$versions" ] || [ -f "$versions" ] || die "LOCK=$versions is not a file: name one, or unset LOCK."
up_to_date && exit 0

# One at a time: `make -j` or two terminals must not install into the same folder at once.
mkdir -p "$(dirname "$venv")"
waited=0
until mkdir "$lock" 2>/dev/null; do
    owner="$(cat "$lock/pid" 2>/dev/null || true)"
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
        rm -rf "$lock" # its owner is gone
        continue
    fi
    # The owner writes its number right after making the folder; without one it died in between.
    [ -z "$owner" ] && [ "$waited" -ge 10 ] && rm -rf "$lock" && continue
    [ "$waited" -eq 0 ] && say "Waiting for another make that installs into $venv …"
    waited=$((waited + 1))
    sleep 1
done
echo $$ >"$lock/pid"
trap 'rm -rf "$lock"' EXIT
trap 'exit 130' INT TERM HUP

up_to_date && exit 0

if ! usable; then
    python="$(find_python)"
    say "Making $venv with $("$python" --version 2>&1) …"
    "$python" -m venv --clear "$venv" || die \
        "$python cannot make a virtual environment in $venv: install its venv module (Debian and Ubuntu: apt-get install python3-venv), or name another with PYTHON=/path/to/python3."
fi

say "Installing $requirements into $venv (the first time takes some minutes) …"
set -- -r "$requirements"
[ -z "$versions" ] || set -- "$@" -c "$versions"
hint="see above; run make again to go on"
[ -z "$versions" ] || hint="$hint, with LOCK= where $versions has a version that is not to be had"
if [ -n "${PIP:-}" ]; then
    VIRTUAL_ENV="$(cd "$venv" && pwd)"
    PATH="$VIRTUAL_ENV/bin:$PATH"
    export VIRTUAL_ENV PATH
    # shellcheck disable=SC2086 # "uv pip" is two words
    $PIP install "$@" || die "$PIP could not install $requirements: $hint."
else
    "$venv/bin/python" tools/install.py "$@" || die "pip could not install $requirements: $hint."
fi

wanted_stamp run >"$venv/.requirements-run"
if [ "$kind" = dev ]; then wanted_stamp dev >"$venv/.requirements-dev"; fi
