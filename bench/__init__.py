"""Benchmarks: each measures ours and its named baseline in one run, so that a slow machine slows both."""
