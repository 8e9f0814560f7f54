"""Memory goes back to the system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
# Every second one stays for a while, so that nothing at the top of the heap can simply be cut off.
LET_GO = """
import threading
from app import heap

def resident_kb():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))

kept = []

def work():
    made = [1 << 40_000 + number for number in range(12_000)]
    kept.extend(made[::200])

thread = threading.Thread(target=work)
thread.start()
thread.join()
before = resident_kb()
heap.give_back()
print(before, resident_kb(), heap._trim is not None)
"""


def test_what_was_let_go_of_goes_back_to_the_system() -> None:
    command = [sys.executable, "-c", LET_GO]
    said = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.split()
    before, after = map(int, said[:2])
    assert said[2] == "False" or after < before - 20_000
