#!/usr/bin/env bash
# Makes both locks anew from the .in files, with hashes, keeping what is pinned already where it still fits.
# Usage: tools/lock.sh [uv options], for example --upgrade or --upgrade-package flask.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/setup.sh dev

lock() {
    # The first line holds what the lock was made from; tools/check_lock.sh compares it without a network.
    .venv/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
        --python-version 3.11 --python-platform x86_64-manylinux_2_28 "${@:3}" "$1" -o "$2"
    sed -i "1i # inputs-sha256: $(bash tools/check_lock.sh --digest "$1")" "$2"
}

lock requirements.in requirements.txt "$@"
lock requirements-dev.in requirements-dev.txt "$@"
bash tools/check_lock.sh
