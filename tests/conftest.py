"""Settings of every test."""

import signal
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))  # tests import oracles and strategies by name
sys.path.append(str(Path(__file__).parent.parent))  # and bench

settings.register_profile("backpath", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("backpath")

# a background job ignores Ctrl-C, and nohup a hang-up; so would the processes that tests start
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)  # this process still ignores it
