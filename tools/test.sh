#!/usr/bin/env bash
# Runs the whole suite (unit, SQLite, PostgreSQL, real Chromium) and says at the end, loudly, what could not run and why.
# Usage: tools/test.sh [pytest arguments]. Exit code is not 0 when a test failed or a required part could not run.
set -euo pipefail
cd "$(dirname "$0")/.."
python="$PWD/.venv/bin/python"
# shellcheck source=tools/system_packages.sh
. tools/system_packages.sh

bash tools/setup.sh dev

# What each probe stands for: probe | package | what does not run without it | marker to leave out (or none).
needs=(
    "has_postgresql|postgresql-15|every test on PostgreSQL|postgres"
    "has_chromium|chromium|every test in a real browser|browser"
    "has_library libatomic.so.1|libatomic1|every test in a real browser (Playwright needs it)|browser"
    "has_chinese_font|fonts-noto-cjk|the look of Chinese in the browser's pictures|"
    "has_command pdftoppm|poppler-utils|the tests that look at printed PDF pages|"
    "has_command zbarimg|zbar-tools|the tests that read printed QR codes back|"
)

# Sets `missing` to the rows of `needs` whose probe fails.
probe() {
    missing=()
    local row
    for row in "${needs[@]}"; do
        ${row%%|*} || missing+=("$row")
    done
}

packages_of() {
    local row
    for row in "$@"; do
        row=${row#*|}
        echo "${row%%|*}"
    done
}

# Debian's package would make and start a server of its own; the tests start private ones, so it is told not to.
without_a_server() {
    local settings=/etc/postgresql-common/createcluster.conf
    if ! is_root || has_postgresql || [ -e "$settings" ]; then
        "$@"
        return
    fi
    mkdir -p "${settings%/*}"
    echo 'create_main_cluster = false' >"$settings"
    local code=0
    "$@" || code=$?
    # Back to Debian's own settings, for whoever wants a server of the machine later.
    cp "/usr/share/postgresql-common/${settings##*/}" "$settings" 2>/dev/null || rm -f "$settings"
    return "$code"
}

# All at once, and one by one when that fails, so that a package that can't be had does not take the others with it.
# shellcheck disable=SC2317 # called through without_a_server
install_missing() {
    local packages package
    mapfile -t packages < <(packages_of "${missing[@]}")
    if install_packages "${packages[@]}" || ! is_root; then
        return 0
    fi
    for package in "${packages[@]}"; do
        install_packages "$package" || true
    done
}

probe
if [ ${#missing[@]} -gt 0 ]; then
    without_a_server install_missing
    probe
fi

left_out=''
for row in ${missing[@]+"${missing[@]}"}; do
    marker=${row##*|}
    [ -z "$marker" ] || left_out="${left_out:+$left_out and }not $marker"
done

code=0
"$python" -m pytest -q --durations=15 -n 2 --dist loadgroup ${left_out:+-m "$left_out"} "$@" </dev/null || code=$?

if [ ${#missing[@]} -gt 0 ]; then
    {
        echo
        echo "################ NOT EVERYTHING WAS TESTED ################"
        for row in "${missing[@]}"; do
            IFS='|' read -r _ package what marker <<<"$row"
            echo "# Missing package $package: $what ${marker:+(marker $marker) }did not run or failed."
        done
        mapfile -t packages < <(packages_of "${missing[@]}")
        echo "# To mend: sudo apt-get install --no-install-recommends ${packages[*]}"
        echo "###########################################################"
    } >&2
    [ "$code" -ne 0 ] || code=1
fi
exit "$code"
