"""Runs the parsers of foreign files in a process of their own, under limits of CPU, memory, output and time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

PARSERS = Path(__file__).with_name("parsers.py")


class ParserRefused(Exception):
    """The parser looked at the file and said no; ``code`` is one of the words listed in ``parsers.py``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ParserFailed(Exception):
    """The parser crashed, ran out of time, memory or output, or answered nonsense."""


def run(
    task: str,
    path: Path,
    *,
    cpu_seconds: int = 20,
    memory_mb: int = 1536,
    wall_seconds: float = 30.0,
    output_mb: int = 32,
    arguments: Mapping[str, str | int] | None = None,
) -> bytes:
    """Run ``task`` of ``parsers.py`` on the file at ``path`` and return its output.

    Raise :class:`ParserRefused` when the parser has an answer for the person, :class:`ParserFailed` otherwise.
    """
    order = {
        "task": task,
        "path": str(path.absolute()),
        "arguments": dict(arguments or {}),
        "cpu_seconds": cpu_seconds,
        "memory_bytes": memory_mb << 20,
        "output_bytes": output_mb << 20,
    }
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(  # no input, no environment; the child limits itself before it imports a parser
            [sys.executable, "-I", "-B", str(PARSERS), json.dumps(order)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            cwd=tempfile.gettempdir(),
            env={"LANG": "C.UTF-8", "PATH": os.defpath},
            start_new_session=True,
        )
        code = _wait(child, wall_seconds)
        output.seek(0)
        answer = output.read((output_mb << 20) + 1)
    if code == 3:
        raise ParserRefused(answer.decode("ascii", "replace"))
    if code != 0:
        raise ParserFailed(f"{task} ended with {code}")
    return answer


def _wait(child: subprocess.Popen[bytes], wall_seconds: float) -> int:
    try:
        return child.wait(wall_seconds)
    except subprocess.TimeoutExpired:
        raise ParserFailed("out of time") from None
    finally:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
