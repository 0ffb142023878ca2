from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from app.stack.errors import StackError
from app.stack.processes import ChildProcess
from tests.app.stack.processes_of import eventually, is_alive

_STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
_GRANDPARENT = """
import sys, time
from app.stack.processes import ChildProcess
child = ChildProcess(["sleep", "600"], name="child")
print(child.pid, flush=True)
time.sleep(600)
"""


def test_the_kernel_ends_a_child_whose_parent_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _GRANDPARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
        parent.wait()
        assert eventually(lambda: not is_alive(child))


def test_a_child_lives_in_a_session_of_its_own() -> None:
    with ChildProcess(["sleep", "600"], name="sleep") as child:
        assert os.getsid(child.pid) == child.pid != os.getsid(0)


def test_who_does_not_hear_is_killed_and_reaped() -> None:
    read_end, write_end = os.pipe()
    child = ChildProcess([sys.executable, "-c", _STUBBORN], name="stubborn", stdout=write_end)
    os.close(write_end)
    with open(read_end) as output:
        assert output.readline() == "up\n"
    assert child.stop(timeout_seconds=0.1) is False
    assert child.returncode == -signal.SIGKILL
    assert not Path(f"/proc/{child.pid}").exists()


def test_the_process_group_goes_with_its_leader() -> None:
    read_end, write_end = os.pipe()
    child = ChildProcess(["sh", "-c", "sleep 600 & echo $!"], name="leader", stdout=write_end)
    os.close(write_end)
    with open(read_end) as output:
        left_behind = int(output.readline())
    assert child.wait(10)
    assert child.returncode == 0
    assert eventually(lambda: not is_alive(left_behind))


def test_a_program_that_is_missing_says_so(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        child = ChildProcess(["/no/such/program"], name="nothing", stderr=log)
    assert child.wait(10)
    assert child.returncode == 127
    assert "/no/such/program" in (tmp_path / "log").read_text()


def test_a_thread_that_may_end_starts_nothing() -> None:
    raised: list[BaseException] = []

    def start() -> None:
        try:
            ChildProcess(["true"], name="true")
        except StackError as error:
            raised.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(raised[0])
