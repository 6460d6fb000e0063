#!/usr/bin/env bash
# Says whether the locks belong to their .in files, without a network: same inputs, every name pinned and within its range.
# Usage: tools/check_lock.sh, or tools/check_lock.sh --digest FILE.in (prints the digest of a lock's inputs).
set -euo pipefail
cd "$(dirname "$0")/.."
exec .venv/bin/python - "$@" <<'PY'
import hashlib
import pathlib
import re
import sys

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def meaningful(path):
    lines = (line.split(" #")[0].strip() for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def digest(source):
    # A constraint file (-c) is an input too: the development lock follows the product's.
    lines = meaningful(source)
    for line in [line for line in lines if line.startswith("-c ")]:
        lines += meaningful(line[3:].strip())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def problems(source, lock):
    text = pathlib.Path(lock).read_text(encoding="utf-8")
    recorded = re.search(r"^# inputs-sha256: (\w+)$", text, re.MULTILINE)
    if recorded is None or recorded[1] != digest(source):
        yield f"{lock} was not made from the present {source}; run: make lock"
    pins = {canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE)}
    for line in meaningful(source):
        if line.startswith("-"):
            continue
        wanted = Requirement(line)
        pinned = pins.get(canonicalize_name(wanted.name))
        if pinned is None:
            yield f"{lock} does not pin {wanted.name}; run: make lock"
        elif not wanted.specifier.contains(pinned, prereleases=True):
            yield f"{lock} pins {wanted.name} {pinned}, but {source} wants {wanted.specifier}; run: make lock"
    for name, hashed in re.findall(r"^([\w.-]+)==[^\\\n]*(\\\n +--hash=)?", text, re.MULTILINE):
        if not hashed:
            yield f"{lock} has no hash for {name}; run: make lock"


if sys.argv[1:2] == ["--digest"]:
    print(digest(sys.argv[2]))
else:
    found = [*problems("requirements.in", "requirements.txt"), *problems("requirements-dev.in", "requirements-dev.txt")]
    print("\n".join(found) or "The locks belong to their inputs.")
    sys.exit(bool(found))
PY
