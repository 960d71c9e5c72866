"""A model file gives back exactly what was saved, and anything else is refused in one plain line."""

import copy
import json
import os
import pickle
import sys
import zipfile

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

import backpath as bp
from backpath.errors import InputError
from backpath.files.column_inputs import CategoryInput, NumberInput
from backpath.files.model_format import MODEL, encode
from backpath.files.models import Model, load, load_model, save
from backpath.files.preparation import Preparation, Target
from backpath.maths.network import Network
from commands import needs_posix
from memory import measure
from strategies import networks

NET = Network.from_weights([[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], [[0.7, 0.8, 0.9]]])
PREPARED = Preparation(
    (NumberInput("a", 2.0, 0.5), NumberInput('"😀"\n', 0.0, 1.0)), Target("y", "binary", classes=("0", "1"))
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def refusal(path) -> str:
    with pytest.raises(InputError) as caught:
        load_model(path)
    message = str(caught.value)
    assert "\n" not in message and message.startswith(str(path))
    return message


@given(networks(dtypes=("float64", "float32")), st.dictionaries(st.text(), json_values, max_size=4))
def test_a_model_is_loaded_exactly_as_it_was_saved(tmp_path_factory, problem, record):
    path = tmp_path_factory.mktemp("m") / "m.safetensors"
    model = Model(problem[0], None, record)
    save(model, path)
    loaded = load_model(path)
    assert loaded == model and loaded.network.dtype == problem[0].dtype
    assert [W.tobytes() for W in loaded.network.weights] == [W.tobytes() for W in problem[0].weights]
    assert load(path) == problem[0]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_edge_values_are_kept_to_the_bit(tmp_path, dtype):
    limits = np.finfo(dtype)
    W = np.array([[-0.0, limits.max, limits.smallest_subnormal, np.nextafter(np.array(1, dtype), 2)]], dtype=dtype)
    save(Network.from_weights([W], "identity", dtype=dtype), tmp_path / "m")
    assert load(tmp_path / "m").weights[0].tobytes() == W.tobytes()


def test_the_package_offers_them(tmp_path):
    bp.save(NET, tmp_path / "m.safetensors")
    assert bp.load(str(tmp_path / "m.safetensors")) == NET
    assert bp.load_model(tmp_path / "m.safetensors") == Model(NET)


def test_a_preparation_is_kept_and_load_says_so(tmp_path):
    model = Model(NET, PREPARED, {"solver": "gd"})
    save(model, tmp_path / "m")
    assert load_model(tmp_path / "m") == model
    with pytest.warns(UserWarning, match=r"also stores how a table's columns become.*load_model\(\) returns both"):
        assert load(tmp_path / "m") == NET


def test_a_model_must_fit_together():
    with pytest.raises(InputError, match="the preparation is for 2 inputs and 1 outputs, but the network has 3 and 1"):
        Model(Network((3, 1)), PREPARED)
    with pytest.raises(InputError, match="record must be JSON data"):
        Model(NET, None, {"cost": float("nan")})
    with pytest.raises(InputError, match="record must be JSON data"):
        Model(NET, None, {"net": NET})
    with pytest.raises(InputError, match="record must be a dict"):
        Model(NET, None, [])
    with pytest.raises(InputError, match="a model needs a Network, but got dict"):
        save({}, "m")


def test_a_model_of_a_very_wide_table(tmp_path):
    inputs = tuple(NumberInput(f"gene number {k}", k / 7, 1 + k / 3) for k in range(20_000))
    model = Model(Network((20_000, 1)), Preparation(inputs, Target("y", "regression", 0.5, 2.0)))
    save(model, tmp_path / "m")
    assert load_model(tmp_path / "m").preparation == model.preparation


def test_any_safetensors_library_reads_the_weights(tmp_path):
    net = Network([3] * 12 + [2], seed=3, dtype="float32")  # W10 sorts before W2
    save(net, tmp_path / "m.safetensors")
    tensors = safetensors.numpy.load_file(tmp_path / "m.safetensors")
    assert sorted(tensors) == sorted(f"W{k}" for k in range(1, 13))
    for layer, W in enumerate(net.weights, 1):
        np.testing.assert_array_equal(tensors[f"W{layer}"], W)
        assert tensors[f"W{layer}"].dtype == np.float32
    with safetensors.safe_open(tmp_path / "m.safetensors", "np") as file:
        assert file.metadata()["format"] == MODEL.name
        assert json.loads(file.metadata()["description"])["activations"] == ["sigmoid"] * 12


@pytest.fixture
def small(tmp_path):
    """The bytes of a small model file with all that one can hold."""
    prepared = Preparation((CategoryInput("k", ("a", "é")),), Target("y", "regression", 0.5, 2.0))
    save(Model(Network((2, 1, 1)), prepared, {"epochs": 3}), tmp_path / "small")
    return (tmp_path / "small").read_bytes()


def test_names_are_written_as_they_are(small):
    assert "é".encode() in small


def test_every_flipped_bit_is_refused(tmp_path, small):
    path = tmp_path / "m"
    for place in range(8 * len(small)):
        flipped = bytearray(small)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        refusal(path)


def test_every_truncation_is_refused(tmp_path, small):
    path = tmp_path / "m"
    for length in range(len(small)):
        path.write_bytes(small[:length])
        refusal(path)


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("m") / "m"
    path.write_bytes(content)
    refusal(path)


def file_of(header, data=b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + data


def entries(**changes):
    """The header of NET's file as safetensors has it (its digest is wrong), with changes: None takes a key out."""
    header = {
        "__metadata__": {
            "format": MODEL.name,
            "version": "1",
            "description": '{"activations":["sigmoid","sigmoid"],"biases":true,"preparation":null,"record":{}}',
            "sha256": "0" * 64,
        },
        "W1": {"dtype": "F64", "shape": [2, 3], "data_offsets": [0, 48]},
        "W2": {"dtype": "F64", "shape": [1, 3], "data_offsets": [48, 72]},
    }
    for key, value in changes.items():
        if value is None:
            del header[key]
        else:
            header[key] = value
    return header


def metadata(**changes):
    return {"__metadata__": entries()["__metadata__"] | changes}


def tensor(shape, begin, end, dtype="F64"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


DATA = b"".join(W.tobytes() for W in NET.weights)
NAN_WEIGHTS = [NET.weights[0], np.full_like(NET.weights[1], np.nan)]
BAD = {
    "empty": (b"", "it is empty"),
    "one byte": (b"x", "it is 1 byte long; a model begins with 8 bytes that give its header's length"),
    "text": (b"Dear reader, this is a letter.\n", "it is text, not a model"),
    "JSON": (b'{"weights": [1, 2, 3]}', "it is text, not a model"),
    "trailing bytes": (file_of(entries(), DATA + b"x"), "its last tensor is followed by 1 byte"),
    "header of 2^64 - 1": (
        b"\xff" * 8 + DATA,
        "its header should be 18,446,744,073,709,551,615 bytes long, but only 72 follow: it is truncated",
    ),
    "header of 2^63": (b"\0" * 7 + b"\x80" + DATA, "its header should be 9,223,372,036,854,775,808 bytes long"),
    "header of 0": (b"\0" * 100, "its header should be 0 bytes long; a model's has 2 to 16,777,216"),
    "a header longer by a byte than what follows": (
        (73).to_bytes(8, "little") + DATA,
        "its header should be 73 bytes long, but only 72 follow: it is truncated",
    ),
    "an empty header": (file_of(b"{}"), "it is a safetensors file, but not one that backpath wrote"),
    "a control character": (b"Dear\x7f reader", "its header should be"),
    "overlapping tensors": (
        file_of(entries(W2=tensor([1, 3], 24, 48)), DATA),
        "the tensor W2 begins at byte 24 of the data, but must at 48: tensors overlap",
    ),
    "a gap": (
        file_of(entries(W2=tensor([1, 3], 56, 80)), DATA + b"\0" * 8),
        "the tensor W2 begins at byte 56 of the data, but must at 48: tensors leave a gap",
    ),
    "missing tensor": (file_of(entries(W1=None), DATA), "the tensor W1 is missing among its 1 tensors"),
    "other tensor": (file_of(entries(W2=None, bias=tensor([1, 3], 48, 72)), DATA), "the tensor W2 is missing"),
    "no tensor": (file_of(entries(W1=None, W2=None)), "it holds no tensor"),
    "cut off": (
        file_of(entries(), DATA[:-1]),
        "its tensors take 72 bytes, but only 71 follow the header: it is truncated",
    ),
    "a huge tensor": (
        file_of(entries(W2=tensor([2**40, 3], 48, 48 + 24 * 2**40)), DATA),
        "its tensors take 26,388,279,066,672 bytes, but only 72 follow the header: it is truncated",
    ),
    "shape and bytes": (
        file_of(entries(W2=tensor([3, 3], 48, 72)), DATA),
        "the tensor W2 of shape (3, 3) does not fill its 24 bytes",
    ),
    "shapes that don't chain": (
        file_of(entries(W2=tensor([3, 1], 48, 72)), DATA),
        "the shapes do not chain: W1 has shape (2, 3), so W2 must have 3 columns of the same type, "
        "but has shape (3, 1)",
    ),
    "two types": (
        file_of(entries(W2=tensor([1, 3], 48, 60, "F32")), DATA[:-12]),
        "the shapes do not chain: W1 has shape (2, 3), so W2 must have 3 columns of the same type",
    ),
    "a negative shape": (file_of(entries(W2=tensor([-1, -3], 48, 72)), DATA), "expected two whole numbers each"),
    "three axes": (file_of(entries(W2=tensor([1, 3, 1], 48, 72)), DATA), "expected two whole numbers each"),
    "a shape of true": (file_of(entries(W2=tensor([True, 3], 48, 72)), DATA), "expected two whole numbers each"),
    "another type": (file_of(entries(W2=tensor([1, 3], 48, 72, "I64")), DATA), "must be F32 or F64, but is 'I64'"),
    "tensor of nothing": (file_of(entries(W2=5), DATA), "the tensor W2 must have dtype, shape and data_offsets"),
    "a key too many": (
        file_of(entries(W2=tensor([1, 3], 48, 72) | {"run": "os"}), DATA),
        "the tensor W2 must have dtype, shape and data_offsets, and nothing else",
    ),
    "non-UTF-8": (file_of(b'{"W1": "\xff"}'), "its header is not UTF-8 (byte 16)"),
    "not JSON": (file_of(b'{"W1": }'), "its header is not JSON (Expecting value"),
    "a list": (file_of(b"[1, 2]"), "its header must be a JSON object, but is of type list"),
    "deeply nested": (file_of(b"[" * 100_000), "its header is nested too deeply or holds too many lists"),
    "deeply nested with text": (
        file_of(b'{"a":["' + b"x" * 40_000 + b'",' + b"[" * 1500 + b"]" * 1501 + b"}"),
        "its header is nested too deeply to be a model's" if sys.version_info < (3, 12) else "",  # which reads it
    ),
    "many lists": (
        file_of(b"[" + b"[]," * 100_000 + b"[]]"),
        "its header is nested too deeply or holds too many lists",
    ),
    "an unclosed text": (file_of(b'"' + b'\\"' * 500_000), "its header is not JSON (Unterminated string"),
    "nested description": (
        file_of(entries(**metadata(description="[" * 50_000)), DATA),
        "its description is nested too deeply or holds too many lists",
    ),
    "duplicate keys": (file_of(b'{"W1": 1, "W2": 2, "W1": 3}'), "its header holds the key 'W1' twice"),
    "duplicate keys in the description": (
        file_of(entries(**metadata(description='{"record":{"a":1,"a":2}}')), DATA),
        "its description holds the key 'a' twice",
    ),
    "NaN in the description": (
        file_of(entries(**metadata(description='{"record":NaN}')), DATA),
        "its description holds the number 'NaN', which is not finite",
    ),
    "1e999 in the description": (
        file_of(entries(**metadata(description='{"record":1e999}')), DATA),
        "its description holds the number '1e999', which is not finite",
    ),
    "a number of a million digits": (
        file_of(entries(**metadata(description='{"record":' + "9" * 500_000 + "}")), DATA),
        "its description holds the number 99999999999999999999…, which is too long",
    ),
    "half a surrogate pair": (file_of(b'{"W1": "\\ud800"}'), "its header holds half a surrogate pair"),
    "NaN weight": (b"".join(encode(NAN_WEIGHTS, {})), "its layer 2 holds a weight that is not finite (nan)"),
    "unknown version": (
        file_of(entries(**metadata(version="2")), DATA),
        "its version is '2', but this backpath reads version '1'; use the backpath that wrote it",
    ),
    "another's safetensors": (
        file_of({"W1": tensor([2, 3], 0, 48)}, DATA[:48]),
        "it is a safetensors file, but not one that backpath wrote",
    ),
    "metadata of numbers": (file_of(entries(**metadata(sha256=5)), DATA), "its metadata must hold format, version"),
    "more metadata": (file_of(entries(**metadata(module="os")), DATA), "its metadata must hold format, version"),
    "a wrong digest": (
        file_of(entries(), DATA),
        "its content does not match its digest: it was changed or damaged after it was saved",
    ),
    "a pickle": (pickle.dumps({"weights": [1.0] * 100}), "it is a pickle, which could run anything when loaded"),
    "a NumPy array": (b"\x93NUMPY\x01\x00" + b"\0" * 100, "it is a NumPy array"),
    "Parquet": (b"PAR1" + b"\0" * 100, "it is a Parquet table"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_model_is_refused_in_one_line(tmp_path, name):
    content, expected = BAD[name]
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    message = refusal(path)
    assert message.startswith(f"{path} is not a model that can be used: {expected}") or (
        expected in message and "is not a model that can be used" in message
    )
    assert message.endswith("; give a file that backpath saved")


def test_the_helper_writes_what_would_load_with_the_right_digest(tmp_path):
    """So that each refusal above is for its own reason."""
    path = tmp_path / "m"
    save(NET, path)
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    wanted = copy.deepcopy(entries())
    wanted["__metadata__"]["sha256"] = header["__metadata__"]["sha256"]
    assert header == wanted and raw[8 + length :] == DATA


def test_a_zip_is_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", b"x" * 1000)
    assert "it is a zip archive (as NumPy and PyTorch write), which is never opened" in refusal(path)


def test_a_pickle_is_never_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/ran",)

    (tmp_path / "m").write_bytes(pickle.dumps(Bomb()))
    refusal(tmp_path / "m")
    assert not (tmp_path / "ran").exists()


@needs_posix
@pytest.mark.parametrize("size", [2**40, 2**33])
def test_a_huge_sparse_file_is_refused_before_it_is_read(tmp_path, size):
    path = tmp_path / "m"
    rows = (size - 4096) // 16
    header = json.dumps(entries(W1=tensor([rows, 2], 0, rows * 16), W2=None)).encode().ljust(4088)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + rows * 16)
    if path.stat().st_blocks * 512 > 2**20:
        pytest.skip("this file system keeps no holes")
    assert f"it is a sparse file of {size:,} bytes, with a hole at byte 4,096" in refusal(path)


def test_paths_that_are_no_file(tmp_path):
    for wrong, expected in (
        (tmp_path, f"{tmp_path} is a folder; give a model file in it"),
        (tmp_path / "none", f"there is no file {tmp_path / 'none'}; check the path"),
        (os.devnull, f"{os.devnull} is not a regular file; give a model file"),
        (5, "5 cannot be the path of a file; give a model file"),
    ):
        with pytest.raises(InputError) as caught:
            load(wrong)
        assert str(caught.value) == expected
    with pytest.raises(InputError, match="it is a folder; give a file name in it"):
        save(NET, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["data", "NaN", "lists", "strings"])
def test_a_malformed_file_is_refused_within_twice_its_size_of_memory(tmp_path, broken):
    path = tmp_path / "m"
    net = Network((1000, 8000, 4), seed=0)
    save(net, path)
    size = path.stat().st_size
    if broken in ("data", "NaN"):
        with path.open("r+b") as file:
            file.seek(-8, os.SEEK_END)
            file.write(np.array([np.nan if broken == "NaN" else 0.5]).tobytes())
    elif broken == "lists":  # a header of few bytes that JSON would make large
        path.write_bytes(file_of(b"[" + b"[]," * 345_000 + b"[]]"))
    else:
        path.write_bytes(file_of(b'{"a":[' + b'"",' * 345_000 + b'""]}'))
    size = path.stat().st_size
    taken, seconds, outcome = measure(
        "from backpath.files.models import load_model\nfrom backpath.errors import InputError",
        "try:\n    load_model(sys.argv[1])\n    outcome = 'loaded'\nexcept InputError:\n    outcome = 'refused'",
        path,
    )
    print(f"{broken}: {size / 2**20:.0f} MiB, {taken / 2**20:.0f} MiB more, {seconds:.2f} s")
    allowance = 10 * 2**20  # for the JSON of the longest header that is read at all
    assert outcome == "refused" and taken <= 2 * size + allowance


def test_load_warns_only_where_the_preparation_matters(tmp_path):
    plain = Preparation.of_arrays(2, "binary")
    save(Model(NET, plain), tmp_path / "plain.safetensors")
    assert load(tmp_path / "plain.safetensors") == NET  # warnings are errors here
    scaled = Preparation((NumberInput("a", 1.0, 2.0), NumberInput("b")), plain.target)
    save(Model(NET, scaled), tmp_path / "scaled.safetensors")
    with pytest.warns(UserWarning, match=r"load_model\(\) returns both"):
        load(tmp_path / "scaled.safetensors")


@pytest.mark.parametrize("form", ["as saved", "spaces", "another order", "escapes"])
def test_a_header_in_another_form_was_not_written_by_save(tmp_path, form):
    """Its digest is right, for that is taken of the header in its usual form."""
    save(NET, tmp_path / "saved")
    saved = (tmp_path / "saved").read_bytes()
    length = int.from_bytes(saved[:8], "little")
    header = saved[8 : 8 + length]
    other = {
        "as saved": header,
        "spaces": header.rstrip().replace(b",", b", ", 1),
        "another order": json.dumps(dict(reversed(json.loads(header).items())), separators=(",", ":")).encode(),
        "escapes": header.rstrip().replace(b'"W1"', b'"\\u00571"'),
    }[form]
    path = tmp_path / "m"
    path.write_bytes(len(other).to_bytes(8, "little") + other + saved[8 + length :])
    assert json.loads(other) == json.loads(header)
    if form == "as saved":
        assert load(path) == NET
    else:
        assert "its content does not match its digest" in refusal(path)
