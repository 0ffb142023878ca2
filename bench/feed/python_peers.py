"""Ariadne, which Tidings does not need: installed into a folder of its own when it is first wanted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.feed.variant import Variant

_VERSION = "1.1.1"
_FOLDER = Path(sys.prefix) / "bench-peers"
"""Beside what `make setup` installs, and gone with it."""
_INSTALL_SECONDS = 300.0


def find_ariadne() -> list[Variant]:
    """The variant, or nothing and a word why."""
    problem = _prepare()
    if problem:
        print(f"Ariadne is left out: {problem}", file=sys.stderr)
        return []
    path = os.pathsep.join([str(_FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = (sys.executable, "-m", "bench.peers.ariadne_pull", "--port", "{port}")
    return [Variant("ariadne-pull", "Ariadne, PostgreSQL by LATERAL", command, environment={"PYTHONPATH": path})]


def _prepare() -> str:
    """Why there is no Ariadne; empty where there is."""
    if (_FOLDER / "ariadne").exists():
        return ""
    print("installing Ariadne", flush=True)
    # Into a folder of its own: it may want other versions of what Tidings uses, too.
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(_FOLDER)]
    try:
        subprocess.run([*command, f"ariadne=={_VERSION}"], capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=True)
    except subprocess.TimeoutExpired:
        return "pip did not end in time"
    except subprocess.CalledProcessError as error:
        return f"pip failed: {error.stderr.strip()[-500:]}"
    return ""
