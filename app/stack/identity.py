"""As whom PostgreSQL runs: it refuses root, and initdb refuses a user without a name.

As an ordinary user: as that user. As root, a user namespace in which root is called by an ordinary user's id: files
stay root's, no permission changes. Where namespaces are forbidden (Docker's default): the user `nobody`, whom the
cluster's folder is given to, and who keeps root's right to pass through folders; so it works below /root, too, and
nothing outside the folder is changed.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

from app.stack.processes import ChildProcess

_PROBE_SECONDS = 5.0


def server_identity() -> str:
    """The IDENTITY for `launch.py` (see there)."""
    if os.geteuid() != 0 and _has_name(os.geteuid()):
        return "same"
    user = _ordinary_user()
    in_namespace = f"namespace:{user.pw_uid}:{user.pw_gid}"
    if _works(in_namespace):
        return in_namespace
    return f"user:{user.pw_uid}:{user.pw_gid}" if os.geteuid() == 0 else "same"


def own_tree(folder: Path, identity: str) -> None:
    """Gives a folder with everything in it to the identity; nothing happens when it has it already."""
    if os.geteuid() != 0:
        return
    kind, *ids = identity.split(":")
    user_id, group_id = (int(ids[0]), int(ids[1])) if kind == "user" else (0, 0)
    if folder.stat().st_uid == user_id:
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(os.path.join(parent, name), user_id, group_id, follow_symlinks=False)
    # Last, since it is what the next start looks at: an interrupted walk is repeated.
    os.chown(folder, user_id, group_id)


def _works(identity: str) -> bool:
    probe = ChildProcess(["true"], name="probe", identity=identity, stderr=subprocess.DEVNULL)
    return probe.wait(_PROBE_SECONDS) and probe.returncode == 0


def _has_name(user_id: int) -> bool:
    try:
        pwd.getpwuid(user_id)
    except KeyError:
        return False
    return True


def _ordinary_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        return next(user for user in pwd.getpwall() if user.pw_uid != 0)
