#!/usr/bin/env bash
# Makes the project ready to run: virtual environment, locked packages, system libraries, compiled translations.
# Usage: tools/setup.sh [dev]   (dev adds what `make test` and `make check` need). Quick and harmless when repeated.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(pwd -P)
venv="$root/.venv"
# shellcheck source=tools/system_packages.sh
. tools/system_packages.sh

is_311() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1; }

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3.11 python3; do
        if is_311 "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    echo "Python 3.11 is needed. On Debian 12: sudo apt-get install python3.11 python3-venv (or name yours: make PYTHON=/path/to/python3.11)" >&2
    return 1
}

# Scripts in a virtual environment carry its absolute path, so a moved or copied folder needs a new one.
venv_is_good() {
    is_311 "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1 &&
        grep -qF "$venv/bin/python" "$venv/bin/pip"
}

make_venv() {
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        install_packages python3-venv
    fi
    echo "Making the virtual environment .venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
}

stamp_of() { { cat "$@"; "$venv/bin/python" -VV; } | sha256sum | cut -d' ' -f1; }

# install_lock NAME FILE: installs a lock unless the stamp says that these very contents are installed already.
install_lock() {
    local stamp="$venv/.installed-$1" wanted
    wanted=$(stamp_of "$2")
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
        return
    fi
    echo "Installing the locked packages of $2"
    "$venv/bin/python" -m pip install --quiet --quiet --no-input --disable-pip-version-check --require-hashes --no-deps -r "$2"
    printf '%s\n' "$wanted" >"$stamp"
}

install_libraries() {
    local missing=()
    has_library libpango-1.0.so.0 || missing+=(libpango-1.0-0)
    has_library libpangoft2-1.0.so.0 || missing+=(libpangoft2-1.0-0)
    has_library libmagic.so.1 || missing+=(libmagic1)
    # Makes PDF fonts quicker to subset; the uharfbuzz package stands in where this library is not to be had.
    if is_root && ! has_library libharfbuzz-subset.so.0 && has_command apt-cache &&
        apt-cache show libharfbuzz-subset0 >/dev/null 2>&1; then
        missing+=(libharfbuzz-subset0)
    fi
    [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

compile_translations() {
    local catalogues stamp="$venv/.compiled-translations" wanted
    mapfile -t catalogues < <(find workflow/translations -name '*.po' 2>/dev/null | LC_ALL=C sort)
    [ ${#catalogues[@]} -gt 0 ] || return 0
    wanted=$(stamp_of "${catalogues[@]}")
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && all_compiled "${catalogues[@]}"; then
        return
    fi
    "$venv/bin/python" -m babel.messages.frontend --quiet compile -d workflow/translations
    printf '%s\n' "$wanted" >"$stamp"
}

all_compiled() {
    local catalogue
    for catalogue in "$@"; do
        [ -f "${catalogue%.po}.mo" ] || return 1
    done
}

venv_is_good || make_venv
python="$venv/bin/python"
install_lock runtime requirements.txt
if [ "${1:-}" = dev ]; then
    install_lock dev requirements-dev.txt
fi
install_libraries
compile_translations
