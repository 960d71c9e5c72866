"""Runs a command repeatedly, and kills it at random moments.

    killing.py KILLS SEED LONGEST RESULT WHOLE ARGUMENTS…

The modules are imported once; each run is a fork, so that most moments are in the work and not in the imports. Whenever
a run comes to its end, its RESULT is compared with the file WHOLE, and the folder ``run`` of its checkpoints removed.
Prints the number of runs that were killed, and of those that finished.
"""

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path


def main(kills, seed, longest, result, whole, arguments):
    import numpy  # noqa: F401 - what runs would import

    import backpath.cli.study.run
    import backpath.cli.train.run
    import backpath.training.checkpoints
    import backpath.training.engines.lm

    rng, killed, ended = random.Random(seed), 0, 0
    while killed < kills or not ended:
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.argv = ["backpath", *arguments]
            backpath.cli.main()
        if waited(child, rng.uniform(0, longest) if killed < kills else 1000):
            ended += 1
            assert result.read_bytes() == whole.read_bytes(), f"after {killed} kills"
            shutil.rmtree("run", ignore_errors=True)
        else:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            killed += 1
            assert not result.exists() or result.read_bytes() == whole.read_bytes(), f"after {killed} kills"
    print(killed, ended)


def waited(child, seconds):
    """Whether the child ended within the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return True
        time.sleep(0.001)
    return False


if __name__ == "__main__":
    kills, seed, longest, result, whole, *arguments = sys.argv[1:]
    main(int(kills), int(seed), float(longest), Path(result), Path(whole), arguments)
