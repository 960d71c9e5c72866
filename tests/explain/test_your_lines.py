"""``diagnose_function`` says which line of a function goes wrong first."""

import sys

import numpy as np

import backpath as bp
from explain.test_kinds import ones, program, sigmoid, slope

HALF = {"sizes": (2, 3, 2), "cost": "half_squared_error"}


def slope_of_hidden_missing(weights, X, y):
    W, V = weights
    H = sigmoid(ones(X) @ W.T)
    A = sigmoid(ones(H) @ V.T)
    dA = (A - y) * slope(A) / len(X)
    dH = dA @ V[:, :-1]
    return [dH.T @ ones(X), dA.T @ ones(H)]


def columns_and_a_sum(p, X, Y):
    n = X.shape[1]
    H = sigmoid(p["W1"] @ X + p["b1"])
    A = sigmoid(p["W2"] @ H + p["b2"])
    dA = (A - Y) * slope(A)
    back = p["W2"].T @ (A - Y)  # the error, not its δ
    dH = back * slope(H)
    return {"dW1": dH @ X.T / n, "db1": dH.sum(1) / n, "dW2": dA @ H.T / n, "db2": dA.sum(1) / n}


def test_the_line_that_computes_the_first_wrong_quantity():
    report = bp.diagnose_function(slope_of_hidden_missing, **HALF)
    assert report.place == "δ of layer 1, in your line `dH = dA @ V[:, :-1]`"
    assert f"The first wrong quantity is {report.place}." in str(report).replace("\n", " ")
    assert report.as_dict()["place"] == report.place


def test_other_layouts_and_comments():
    report = bp.diagnose_function(columns_and_a_sum, **HALF)
    assert report.place == 'the error backpropagated to layer 1, in your line `back = p["W2"].T @ (A - Y)`'


def test_methods_are_read_too():
    report = bp.diagnose_function(program(error=lambda s: np.abs(s.A - s.y)), **HALF)
    assert report.place.startswith("the error at the outputs")


def test_where_no_variable_holds_it_the_quantity_is_said():
    def unnamed(weights, X, y):
        W, V = weights
        H = sigmoid(ones(X) @ W.T)
        A = sigmoid(ones(H) @ V.T)
        return [((A - y) * slope(A) @ V[:, :-1]).T @ ones(X) / len(X), ((A - y) * slope(A)).T @ ones(H) / len(X)]

    assert bp.diagnose_function(unnamed, **HALF).place == "δ of layer 1"


def test_right_or_uncertain_lines_are_not_reported_and_tracing_is_restored():
    before = sys.gettrace()
    assert bp.diagnose_function(lambda weights, X, y: [np.ones_like(W) for W in weights], **HALF).place == ""
    assert bp.diagnose_function(program(), **HALF).place == ""
    assert sys.gettrace() is before
