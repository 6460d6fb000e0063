#!/usr/bin/env bash
# Brings the English catalogue in line with the source texts: new ones come in empty, old ones go. Translate, then check.
# Usage: tools/update_translations.sh
set -euo pipefail
cd "$(dirname "$0")/.."
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
babel() { .venv/bin/python -m babel.messages.frontend --quiet "$@"; }
babel extract -F babel.cfg --no-location --omit-header -k N_ -k _ -k _l -k gettext -k ngettext:1,2 -k lazy_gettext -o "$fresh" .
babel update -i "$fresh" -d workflow/translations -l en --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
# Headers that say nothing, or when and where.
sed -i -E '/^"(Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team):/d; s/(Project-Id-Version:) +/\1 /' \
    workflow/translations/en/LC_MESSAGES/messages.po
bash tools/check_translations.sh
