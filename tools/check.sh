#!/usr/bin/env bash
# Every check that needs no running product: style, types, layers, templates, translations, locks, security.
# Usage: tools/check.sh. Runs all of them, then names the ones that failed. AUDIT=1 also asks for known vulnerabilities.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tools/setup.sh dev
bin="$PWD/.venv/bin"
failed=()

check() {
    local name=$1 started=$SECONDS
    shift
    echo "== $name"
    "$@" </dev/null || failed+=("$name")
    echo "   ($((SECONDS - started)) s)"
}

check "ruff: lint" "$bin/ruff" check .
check "ruff: format" "$bin/ruff" format --check .
check "mypy --strict" "$bin/mypy" workflow config.py wsgi.py bench
check "import-linter: layers" env PYTHONPATH=. "$bin/lint-imports"
check "djlint: templates" "$bin/djlint" templates --lint --quiet
check "translations" bash tools/check_translations.sh
check "locks" bash tools/check_lock.sh
check "bandit" "$bin/bandit" -q -r workflow -ll

# Asks the package index about every pinned package, so only when told to; never blocks.
if [ "${AUDIT:-}" = 1 ]; then
    echo "== pip-audit (for information)"
    timeout 90 "$bin/pip-audit" --progress-spinner off --disable-pip --no-deps --require-hashes -r requirements.txt </dev/null ||
        echo "pip-audit found something, or the network does not allow it; see above."
fi

if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "All checks passed."
