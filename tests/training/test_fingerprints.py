"""Fingerprints of arrays, and differences of settings."""

import math

import numpy as np

from backpath.training.fingerprints import as_json, differences, fingerprint


def test_fingerprints_of_arrays():
    a = np.arange(6.0).reshape(2, 3)
    assert fingerprint(a).startswith("2 × 3 float64 with digest ")
    assert fingerprint(a) == fingerprint(np.asfortranarray(a))
    assert fingerprint(a) != fingerprint(a + 1)
    assert fingerprint(np.zeros((0, 2))).startswith("0 × 2 float64 with digest e3b0c44298fc1c14")
    assert as_json((1, 2.5, None, "a", True, np.float64(0.5))) == [1, 2.5, None, "a", True, 0.5]
    assert as_json({1: math.inf}) == {"1": "inf"}
    assert as_json(object()) == "<object object>"


def test_differences_of_settings():
    before = {"l2": 0.5, "free": "x", "epochs": 10, "X": fingerprint(np.zeros(3)), "given": ["l2"]}
    now = before | {"l2": 0.25, "epochs": 20, "X": fingerprint(np.ones(3)), "extra": 1}
    reported = []
    found = differences(before, now, ("epochs",), reported.append)
    assert found == ["other values of X", "extra was not set, now 1", "l2 was 0.5, now 0.25"]
    assert reported == ["epochs was 10, now 20"]
    assert differences(before, before | {"free": "y"}) == ["other values of frozen"]
    assert differences(before, before | {"given": ["tol"]}) == ["given only before: l2; given only now: tol"]
    assert differences(before, before | {"given": ["l2", "tol"]}) == ["given only now: tol"]
    assert len(differences(before, before | {"given": ["tol"], "l2": 0.0})) == 1  # the option is named already
