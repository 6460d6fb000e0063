#!/usr/bin/env bash
# Says whether the English catalogue is whole: every source text in it, none fuzzy, none missing, none left over.
# Usage: tools/check_translations.sh
set -euo pipefail
cd "$(dirname "$0")/.."
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
.venv/bin/python -m babel.messages.frontend --quiet extract -F babel.cfg --no-location --omit-header \
    -k N_ -k _ -k _l -k gettext -k ngettext:1,2 -k lazy_gettext -o "$fresh" .
.venv/bin/python - "$fresh" workflow/translations/en/LC_MESSAGES/messages.po <<'PY'
import sys

from babel.messages.pofile import read_po

MANY = 20


def read(path):
    try:
        with open(path, "rb") as stream:
            return read_po(stream, locale="en", abort_invalid=True)
    except OSError as error:
        sys.exit(f"cannot read the catalogue: {error}")


def keyed(catalogue):
    return {(m.context, m.id if isinstance(m.id, str) else m.id[0]): m for m in catalogue if m.id}


source, english = keyed(read(sys.argv[1])), keyed(catalogue := read(sys.argv[2]))
found = [f"not in the catalogue: {key[1]!r}" for key in source if key not in english]
found += [f"no longer in the source: {key[1]!r}" for key in english if key not in source]
for key, message in english.items():
    if message.fuzzy:
        found.append(f"fuzzy: {key[1]!r}")
    if not message.string or not all(message.string if isinstance(message.string, tuple) else (message.string,)):
        found.append(f"not translated: {key[1]!r}")
    else:
        found += [f"{error}: {key[1]!r}" for error in message.check(catalogue)]
print("\n".join(found[:MANY]) or f"The English catalogue is whole: {len(english)} texts.")
if len(found) > MANY:
    print(f"(and {len(found) - MANY} more)")
sys.exit(bool(found))
PY
