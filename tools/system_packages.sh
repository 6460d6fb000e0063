# shellcheck shell=bash
# What the machine itself must have, probed before anything is installed; sourced by the other tools, never run.
# Callers may set `python` to the Python that is to ask for libraries.

: "${python:=python3}"

is_root() { [ "$(id -u)" = 0 ]; }

has_command() { command -v "$1" >/dev/null 2>&1; }

# has_library SONAME: the loader finds it, which is exactly what WeasyPrint and python-magic will ask.
has_library() { "$python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null; }

has_chromium() { has_command chromium || has_command chromium-browser || has_command google-chrome; }

has_postgresql() { [ -x /usr/lib/postgresql/15/bin/initdb ]; }

has_chinese_font() { has_command fc-list && [ -n "$(fc-list :lang=zh-cn family 2>/dev/null | head -n 1)" ]; }

# install_packages PACKAGE...: through apt as root; otherwise the plain words with the exact command, and false.
install_packages() {
    local command="apt-get install --no-install-recommends $*"
    if ! is_root || ! has_command apt-get; then
        echo "Missing on this machine: $*. An administrator can install it with: sudo $command" >&2
        return 1
    fi
    echo "Installing through apt: $*"
    if [ -z "${apt_lists_fresh:-}" ]; then
        apt-get update -qq </dev/null || echo "apt-get update failed; trying with the lists at hand." >&2
        apt_lists_fresh=yes
    fi
    local log
    log=$(mktemp)
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        echo "apt could not install: $*. Try by hand: $command" >&2
        return 1
    fi
    rm -f "$log"
}
