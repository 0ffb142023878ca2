"""What can go wrong when the servers of one machine are started."""

from __future__ import annotations


class StackError(Exception):
    """Something about the processes of this machine that its operator can read and act on."""


class ServerStartError(StackError):
    """A server did not come up; the message ends with the last lines of its log."""


class DataDirectoryInUseError(StackError):
    """Another process keeps the data directory; the message says which one."""
