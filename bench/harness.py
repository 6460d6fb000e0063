"""The bench registry, the timing of ours against a baseline, and the JSON lines that come out."""

from __future__ import annotations

import importlib
import json
import pkgutil
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

import bench as bench_package


@dataclass(frozen=True)
class Measurement:
    """What a bench found: ours and the baseline, both in the bench's unit."""

    value: float
    baseline_value: float

    @property
    def ratio(self) -> float:
        """Ours divided by the baseline: above 1 is better for a rate ("moves/s"), below 1 for a time ("ms")."""
        return self.value / self.baseline_value


class Skipped(Exception):
    """Raised by a bench that can't be run on this machine; its words say what is missing. Nothing failed."""


@dataclass(frozen=True)
class Bench:
    """A registered bench: ``name`` for ONLY=, ``unit`` of both numbers, ``baseline`` as the baseline's name."""

    name: str
    unit: str
    baseline: str
    run: Callable[[], Measurement]


_registry: dict[str, Bench] = {}


def bench(name: str, unit: str, baseline: str) -> Callable[[Callable[[], Measurement]], Callable[[], Measurement]]:
    """Register the decorated function as the bench ``name``; a name given twice is a ``ValueError``."""

    def register(run: Callable[[], Measurement]) -> Callable[[], Measurement]:
        if name in _registry:
            raise ValueError(f"two benches are named {name!r}")
        _registry[name] = Bench(name, unit, baseline, run)
        return run

    return register


@dataclass(frozen=True)
class Timing:
    """Seconds a call: the best and the median of the rounds, and how many rounds there were."""

    best: float
    median: float
    rounds: int

    @property
    def per_second(self) -> float:
        """Calls a second, from the median."""
        return 1 / self.median

    @property
    def milliseconds(self) -> float:
        """Milliseconds a call, from the median."""
        return self.median * 1000


def measure(call: Callable[[], object], *, calls: int = 1, rounds: int = 7, warmup: int = 1) -> Timing:
    """Time ``call``: ``rounds`` rounds of ``calls`` calls each, after ``warmup`` rounds that don't count."""
    return _timings([call], calls=calls, rounds=rounds, warmup=warmup)[0]


def compare(
    ours: Callable[[], object], baseline: Callable[[], object], *, calls: int = 1, rounds: int = 7, warmup: int = 1
) -> tuple[Timing, Timing]:
    """Time both in turn, round by round, so that a machine that slows down in the middle slows both."""
    first, second = _timings([ours, baseline], calls=calls, rounds=rounds, warmup=warmup)
    return first, second


def _timings(functions: list[Callable[[], object]], *, calls: int, rounds: int, warmup: int) -> list[Timing]:
    samples: list[list[float]] = [[] for _ in functions]
    for number in range(warmup + rounds):
        for function, taken in zip(functions, samples, strict=True):
            seconds = _seconds_a_call(function, calls)
            if number >= warmup:
                taken.append(seconds)
    return [Timing(min(taken), statistics.median(taken), rounds) for taken in samples]


def _seconds_a_call(function: Callable[[], object], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - started) / calls


def discover() -> tuple[Bench, ...]:
    """Import every module ``bench/bench_*.py`` and return the benches in the order of their names."""
    for module in pkgutil.iter_modules(bench_package.__path__):
        if module.name.startswith("bench_"):
            importlib.import_module(f"bench.{module.name}")
    return tuple(_registry[name] for name in sorted(_registry))


def select(benches: Iterable[Bench], only: str | None) -> Iterator[Bench]:
    """The benches whose name is ``only`` or matches it as a pattern (``pass-*``); all when ``only`` is None."""
    return (each for each in benches if only is None or fnmatchcase(each.name, only))


def row(each: Bench, found: Measurement) -> str:
    """One JSON line; ``baseline`` is the baseline's name, its number is ``value / ratio``."""
    fields = {
        "bench": each.name,
        "value": _rounded(found.value),
        "unit": each.unit,
        "baseline": each.baseline,
        "ratio": _rounded(found.ratio),
    }
    return json.dumps(fields, ensure_ascii=False)


def _rounded(number: float) -> float:
    """Four significant digits: more would be noise."""
    return float(f"{number:.4g}")


def main(only: str | None = None) -> int:
    """Run the chosen benches, a JSON line each; exit code 1 when one failed, 2 when ``only`` names none."""
    benches = discover()
    chosen = tuple(select(benches, only))
    if only is not None and not chosen:
        print(f"no bench is named {only!r}; there are: {', '.join(b.name for b in benches)}", file=sys.stderr)
        return 2
    failed = 0
    for each in chosen:
        try:
            print(row(each, each.run()), flush=True)
        except Skipped as why:
            print(f"bench {each.name} skipped: {why}", file=sys.stderr)
        except Exception:  # one broken bench must not hide the numbers of the others
            failed += 1
            print(f"bench {each.name} failed:", file=sys.stderr)
            traceback.print_exc()
    return 1 if failed else 0
