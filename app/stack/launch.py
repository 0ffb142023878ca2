"""Becomes the process that the caller asked for: tied to its parent, and not root where root is refused.

Run as a script (`python -I -S launch.py PARENT_PID DEATH_SIGNAL IDENTITY PROGRAM ARGUMENT…`), never imported for its
effect: what stands here must happen between fork and exec, and Python code in a forked child of a program with threads
is not safe (3.12 and later warn). Only the standard library is used; start-up costs about 15 ms.

IDENTITY is `same`, `namespace:UID:GID` (a user namespace in which the own id is called UID: no file changes its
owner), or `user:UID:GID` (that user, who keeps root's right to pass through folders such as /root, and no other).
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CLONE_NEWUSER = 0x10000000
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2

EXIT_IDENTITY_REFUSED = 125
EXIT_NOT_EXECUTABLE = 127


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def die_with_parent(parent_pid: int, death_signal: int) -> None:
    """Asks the kernel for `death_signal` when the *thread* that started this process ends (prctl(2)).

    Must come after every change of user, which clears the request. Exits at once if the parent is already gone.
    """
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(death_signal), 0, 0, 0))
    if os.getppid() != parent_pid:
        os._exit(0)


def enter_namespace(user_id: int, group_id: int) -> None:
    """Enters a user namespace where the own ids are called so (user_namespaces(7)). Raises OSError where forbidden."""
    outer_user, outer_group = os.geteuid(), os.getegid()
    _checked(_libc.unshare(_CLONE_NEWUSER))
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user_id} {outer_user} 1"),
        ("gid_map", f"{group_id} {outer_group} 1"),
    ):
        with open(f"/proc/self/{name}", "wb", buffering=0) as file:
            file.write(text.encode())


def become_user(user_id: int, group_id: int) -> None:
    """Becomes another user and keeps, of root's rights, only that of reaching files anywhere (capabilities(7))."""
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    data = (_CapabilityData * 2)()
    _checked(_libc.capget(ctypes.byref(header), data))
    kept = [number for number in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH) if data[0].permitted & (1 << number)]
    _checked(_libc.prctl(_PR_SET_KEEPCAPS, ctypes.c_ulong(1), 0, 0, 0))
    os.setgroups([])
    os.setgid(group_id)
    os.setuid(user_id)
    mask = sum(1 << number for number in kept)
    data[0] = _CapabilityData(mask, mask, mask)
    data[1] = _CapabilityData(0, 0, 0)
    _checked(_libc.capset(ctypes.byref(header), data))
    for number in kept:
        _checked(_libc.prctl(_PR_CAP_AMBIENT, ctypes.c_ulong(_PR_CAP_AMBIENT_RAISE), ctypes.c_ulong(number), 0, 0))


def _take_identity(identity: str) -> None:
    kind, *ids = identity.split(":")
    if kind == "namespace":
        enter_namespace(int(ids[0]), int(ids[1]))
    elif kind == "user":
        become_user(int(ids[0]), int(ids[1]))


def main(arguments: list[str]) -> None:
    """Takes the identity, ties itself to the parent and becomes the program. Returns never."""
    parent_pid, death_signal, identity, *program = arguments
    try:
        _take_identity(identity)
    except OSError as error:
        print(f"cannot run as {identity}: {error}", file=sys.stderr)  # noqa: T201 - a script: stderr is the log
        os._exit(EXIT_IDENTITY_REFUSED)
    die_with_parent(int(parent_pid), int(death_signal))
    try:
        os.execvp(program[0], program)  # noqa: S606 - no shell is wanted
    except OSError as error:
        print(f"cannot start {program[0]}: {error}", file=sys.stderr)  # noqa: T201
        os._exit(EXIT_NOT_EXECUTABLE)


if __name__ == "__main__":
    main(sys.argv[1:])
