"""A checkpoint file gives back the tree that was written, to the bit."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpath.errors import InputError
from backpath.files.checkpoint_format import decode, encode, read_about
from backpath.files.tensors import Format
from backpath.files.tensors import encode as tensors

leaves = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | st.text()
keys = st.text().filter(lambda key: key not in ("tensor", "number"))
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))


@given(trees, st.dictionaries(st.text(), st.integers(0, 9), max_size=3))
def test_plain_values(tmp_path_factory, tree, about):
    path = tmp_path_factory.mktemp("c") / "c"
    path.write_bytes(b"".join(encode(tree, about)))
    found = decode(path)
    assert json.dumps(found, sort_keys=True) == json.dumps((tree, about), sort_keys=True)  # True is not 1, nor 1.0
    assert read_about(path) == about


@pytest.mark.parametrize("number", [10**15 - 1, 10**15, -(10**15), 2**63, 7**100, math.inf, -math.inf])
def test_numbers_at_the_limits(tmp_path, number):
    (tmp_path / "c").write_bytes(b"".join(encode({"n": [number]}, {})))
    (found,) = decode(tmp_path / "c")[0]["n"]
    assert found == number and type(found) is type(number)


def test_arrays_keep_their_type_shape_and_bits(tmp_path):
    arrays = [
        np.array([[0.1, -0.0, math.nan]]),
        np.array([[1.5], [2.5]], np.float32),
        np.array([-(2**63), 2**63 - 1]),
        np.array([[[2**32 - 1]]], np.uint32),
        np.array([True, False]),
        np.empty((0, 3)),
    ]
    (tmp_path / "c").write_bytes(b"".join(encode({"arrays": tuple(arrays), "nan": math.nan}, {})))
    tree, _ = decode(tmp_path / "c")
    assert math.isnan(tree["nan"])
    for found, wanted in zip(tree["arrays"], arrays, strict=True):
        assert (found.dtype, found.shape, found.tobytes()) == (wanted.dtype, wanted.shape, wanted.tobytes())


def test_arrays_of_up_to_eight_dimensions(tmp_path):
    (tmp_path / "c").write_bytes(b"".join(encode(np.ones((1, 2) * 4), {})))
    assert decode(tmp_path / "c")[0].shape == (1, 2) * 4
    (tmp_path / "c").write_bytes(b"".join(encode(np.ones((2,) * 9), {})))
    with pytest.raises(InputError, match="expected whole numbers"):
        decode(tmp_path / "c")


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ({"about": {}}, "must hold about and tree, and nothing else"),
        ({"about": [], "tree": 1}, "must hold about and tree, and nothing else"),
        ({"about": {}, "tree": 1, "more": 2}, "must hold about and tree, and nothing else"),
        ({"about": {}, "tree": {"tensor": "1"}}, "its tree names numbers that it does not hold"),
        ({"about": {}, "tree": [{"tensor": {}}]}, "its tree names numbers that it does not hold"),
        ({"about": {}, "tree": {"number": "one"}}, "its tree names numbers that it does not hold"),
        ({"about": {}, "tree": {"number": 5}}, "its tree names numbers that it does not hold"),
    ],
)
def test_a_description_that_no_checkpoint_has(tmp_path, description, said):
    kind = Format("checkpoint", ("F64",))
    (tmp_path / "c").write_bytes(b"".join(tensors(kind, {"0": np.zeros(2)}, description)))
    with pytest.raises(InputError, match=said):
        decode(tmp_path / "c")


@pytest.mark.parametrize("text", ["1" * 400, "1" * 401])
def test_a_number_of_many_digits_takes_no_long_time(tmp_path, text):
    kind = Format("checkpoint", ("F64",))
    (tmp_path / "c").write_bytes(b"".join(tensors(kind, {}, {"about": {}, "tree": {"number": text}})))
    assert decode(tmp_path / "c")[0] == int("1" * 400)
