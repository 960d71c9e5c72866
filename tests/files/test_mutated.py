"""Models, checkpoints and worked examples with changed bytes: refused in one line, at once, in bounded memory."""

import json
import os
import random
import time

import pytest

import backpath as bp
import oracles
from backpath.errors import InputError
from backpath.files import checkpoint_format
from backpath.files.models import load_model
from backpath.files.worked_examples import read_worked_example
from backpath.training.run_folder import states_of

MUTATIONS = int(os.environ.get("BACKPATH_MUTATIONS", "100000"))  # of the three kinds together
LONGEST = 1.0  # seconds of the processor
MEMORY = 200 << 20  # bytes more than at the start

INTERESTING = [b"", b"\0", b"\xff", b'"', b"{", b"[", b"9" * 30, b"-1", b"1e999", b"NaN", b"\\u0000", b"null", b"\x80"]


def model(folder):
    bp.save(bp.Network((3, 4, 2), seed=0), folder / "a.safetensors")
    return (folder / "a.safetensors").read_bytes()


def checkpoint(folder):
    bp.train(
        bp.Network((2, 3, 1), seed=0), [[0, 1], [1, 0]], [0, 1], epochs=9, solver="adam", checkpoint=folder / "run"
    )
    return states_of(folder / "run")[0].read_bytes()


def example(_):
    return (oracles.CASES / "mazur.json").read_bytes()


KINDS = {
    "model": (model, load_model, 0.4),
    "checkpoint": (checkpoint, checkpoint_format.decode, 0.4),
    "worked example": (example, read_worked_example, 0.2),
}


def mutated(raw, rng):
    """A few bytes changed, cut out, put in or repeated."""
    changed = bytearray(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at = rng.randrange(len(changed) + 1)
        to = min(len(changed), at + rng.choice((0, 1, 1, 2, 8, 60)))
        kind = rng.randrange(4)
        if kind == 0:
            changed[at:to] = rng.choice(INTERESTING)
        elif kind == 1:
            changed[at:to] = rng.randbytes(to - at)
        elif kind == 2:
            changed[at:at] = changed[rng.randrange(len(changed) + 1) :][:40]
        else:
            del changed[rng.randrange(len(changed) + 1) :]
            changed = changed or bytearray(b"\0")
    return bytes(changed)


def resident():
    with open("/proc/self/statm") as file:  # noqa: PTH123 - a file of the system
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the system does not tell")  # noqa: PTH110
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_changed_is_refused(tmp_path, kind):
    made, read, share = KINDS[kind]
    raw, rng, file = made(tmp_path), random.Random(kind), tmp_path / "changed"
    file.write_bytes(raw)
    read(file)  # as it was it is taken
    before, refused = resident(), 0
    for _ in range(round(MUTATIONS * share)):
        changed = mutated(raw, rng)
        file.write_bytes(changed)
        began = time.process_time()
        try:
            read(file)
        except InputError as error:
            refused += 1
            assert "\n" not in str(error) and len(str(error)) < 2000
        else:
            assert kind == "worked example" or changed == raw
        assert time.process_time() - began < LONGEST, changed
    assert resident() - before < MEMORY
    assert refused > 0.3 * MUTATIONS * share


def test_a_run_s_own_file_is_refused_where_it_was_changed(tmp_path):
    checkpoint(tmp_path)
    file, rng = tmp_path / "run" / "run.json", random.Random(0)
    raw = file.read_bytes()
    for _ in range(300):
        file.write_bytes(mutated(raw, rng))
        try:
            same = json.loads(file.read_bytes()) == json.loads(raw)
        except ValueError:
            same = False
        if not same:
            with pytest.raises(InputError):
                bp.train(bp.Network((2, 3, 1), seed=0), [[0, 1], [1, 0]], [0, 1], epochs=9, checkpoint=tmp_path / "run")
