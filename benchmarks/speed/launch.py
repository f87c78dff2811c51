"""Run a command from a small process and print what it took, as JSON: seconds, peak memory, exit status, its output.

    python launch.py COMMAND ...

The peak is the largest resident size seen every 10 ms, or the kernel's own figure where that is larger. The kernel's
alone would not do: a process may set its own mark back, as `matinee run` does before each step, and one started from
a large process inherits the mark of its parent. Standard library alone, so that any interpreter can run it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time


def main() -> int:
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen(sys.argv[1:], stdout=out)
        peak = 0
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            peak = max(peak, _resident_kb(process.pid))
            time.sleep(0.01)
        seconds = time.perf_counter() - start
        out.seek(0)
        output = out.read().decode("utf-8", "replace")
    print(json.dumps({"seconds": seconds, "peak_mb": max(peak, usage.ru_maxrss) / 1024,
                      "code": os.waitstatus_to_exitcode(status), "output": output}))
    return 0


def _resident_kb(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            fields = file.read().split()
    except OSError:  # it has ended meanwhile
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") // 1024 if len(fields) > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
