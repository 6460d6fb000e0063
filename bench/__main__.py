"""The command line of the benchmarks: ``python -m bench [ONLY]``."""

from __future__ import annotations

import sys

from bench.harness import main

if len(sys.argv) > 2:
    sys.exit("usage: python -m bench [ONLY]")
sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else None))
