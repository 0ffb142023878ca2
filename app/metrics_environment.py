"""What must stand before prometheus_client is imported: it decides at its import how metrics are kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from settings import Settings

_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def prepare_metrics(settings: Settings) -> None:
    """Called first by a role's command: from here on metrics go to files in `settings.metrics_dir`, if that is set.

    Forgets what ended processes said about the present (their counters still count). Raises RuntimeError where
    prometheus_client has been imported already, and OSError where the folder cannot be made.
    """
    if not settings.metrics_dir:
        return
    folder = Path(settings.metrics_dir)
    folder.mkdir(parents=True, exist_ok=True)
    if os.environ.get(_FOLDER_VARIABLE) != str(folder):
        if "prometheus_client" in sys.modules:
            raise RuntimeError("metrics must be prepared before prometheus_client is imported")
        os.environ[_FOLDER_VARIABLE] = str(folder)
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdecimal() and not _is_alive(int(pid)):
            file.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
