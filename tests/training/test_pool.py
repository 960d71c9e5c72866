"""Calls on several threads: their results, and that Ctrl-C ends them wherever it comes."""

import signal
import subprocess
import sys
import threading
from concurrent.futures import wait

import pytest

from backpath.training import pool
from backpath.training.pool import run_on_threads
from commands import needs_signals

# Another process sends Ctrl-C within a fraction of a millisecond after each look.
UNDER_FIRE = """
import os, subprocess, sys, time
from backpath.training import pool

SENDER = '''
import os, random, signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
while os.read(0, 1):
    until = time.perf_counter() + 2e-4 * random.random()
    while time.perf_counter() < until:
        pass
    os.kill(os.getppid(), signal.SIGINT)
'''
sender = subprocess.Popen([sys.executable, "-c", SENDER], stdin=subprocess.PIPE)
pool.LOOK_SECONDS = 0.005

for _ in range(100):
    stopped = asked = False

    def stop():
        global stopped
        stopped = True

    def look():
        global asked
        if not asked:
            asked = True
            os.write(sender.stdin.fileno(), b"x")

    def call():
        while not stopped:
            time.sleep(0.001)
        return "ended"

    results, interrupted = pool.run_on_threads([call] * 64, 2, stop=stop, look=look)
    assert results == ["ended"] * 64 and interrupted
sender.kill()
"""


@needs_signals
def test_ctrl_c_leaves_no_thread_waiting():
    subprocess.run([sys.executable, "-c", UNDER_FIRE], timeout=60, check=True)


def test_the_results_are_in_order():
    assert run_on_threads([lambda n=n: n for n in range(20)], 3) == (list(range(20)), False)


def test_ctrl_c_waits_until_no_lock_is_held(monkeypatch):
    calls, stopped = [], threading.Event()

    def wait_under_fire(futures, timeout):
        calls.append("begun")
        if len(calls) == 1:
            signal.raise_signal(signal.SIGINT)
        found = wait(futures, timeout)
        calls.append("ended")
        return found

    monkeypatch.setattr(pool, "wait", wait_under_fire)
    monkeypatch.setattr(pool, "LOOK_SECONDS", 0.01)
    results, interrupted = run_on_threads([lambda: stopped.wait(20)] * 3, 2, stop=stopped.set)
    assert results == [True] * 3 and interrupted
    assert calls[:2] == ["begun", "ended"]


def test_an_error_of_a_look_stops_the_calls():
    stopped = threading.Event()

    def look():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_on_threads([lambda: stopped.wait(20)], 1, stop=stopped.set, look=look)
    assert stopped.is_set()


def test_an_error_of_a_call_is_raised():
    with pytest.raises(ZeroDivisionError):
        run_on_threads([lambda: 1, lambda: 1 / 0], 2)
