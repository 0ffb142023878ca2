"""How long `make run` takes to `ready:` and to its end: `python -m bench.start_stop [--starts 3]`.

In a clean clone of this checkout's last commit: the first start makes the virtual environment (from the package cache), the
database and the demo world. Then later starts, each ended by Ctrl-C; at last SIGKILL to the whole tree, and one more start.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from app.stack.ports import free_port
from bench.table import print_table

_CHECKOUT = Path(__file__).resolve().parents[1]
_STOP_SECONDS = 30.0
_ORPHANS_SECONDS = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=3, help="later starts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tidings-clone-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(_CHECKOUT), str(clone)], check=True)
        rows = []
        for number in range(options.starts + 1):
            process, started = _start(clone)
            stopped = _stop(process)
            rows.append(["first start" if number == 0 else f"start {number + 1}", f"{started:.2f}", f"{stopped:.2f}"])
        process, started = _start(clone)
        _kill_tree(process)
        rows.append(["start, then kill -9 of the tree", f"{started:.2f}", ""])
        process, started = _start(clone)
        rows.append(["start at once after kill -9", f"{started:.2f}", f"{_stop(process):.2f}"])
        left = _processes_in(clone)
        print_table(["seconds", "to ready", "to stop"], rows)
        print(f"processes left behind: {len(left)}")


def _start(clone: Path) -> tuple[subprocess.Popen[str], float]:
    began = time.monotonic()
    process = subprocess.Popen(
        ["make", "run", f"ARGS=--port {free_port()}"],
        cwd=clone,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("ready: "):
                return process, time.monotonic() - began
    except BaseException:
        _kill_tree(process)
        raise
    raise RuntimeError(f"make run ended with {process.wait()} before it was ready")


def _stop(process: subprocess.Popen[str]) -> float:
    """Ctrl-C in a terminal: SIGINT to the foreground group."""
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    process.wait(_STOP_SECONDS)
    return time.monotonic() - began


def _kill_tree(process: subprocess.Popen[str]) -> None:
    tree = [process.pid]
    for parent in tree:
        tree += _children_of(parent)
    for pid in tree:
        # Those further down may have gone with their parents.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(_STOP_SECONDS)


def _children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _processes_in(clone: Path) -> list[int]:
    """Who still works in the clone's folder, a moment later."""
    time.sleep(_ORPHANS_SECONDS)
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and Path(os.readlink(entry / "cwd")).is_relative_to(clone):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


if __name__ == "__main__":
    main()
