"""The C library FANN 2.2 through ctypes; its loop over the epochs is in C."""

from __future__ import annotations

import ctypes
import ctypes.util
from ctypes import POINTER, c_double, c_float, c_uint, c_void_p

import numpy as np

from bench.contenders import LeftOut
from bench.rows import Array, Row, Train

NAME = "FANN"
COST = "squared_error"
LIBRARIES = {"float64": ("doublefann", c_double), "float32": ("floatfann", c_float)}
TRAIN_BATCH, SIGMOID, ERROR_LINEAR = 1, 3, 0  # from fann_data.h


def library(dtype: str) -> ctypes.CDLL:
    path = ctypes.util.find_library(LIBRARIES[dtype][0])
    if path is None:
        raise LeftOut("no libfann here (Debian: apt-get install libfann2)")
    fann = ctypes.CDLL(path)
    for create in (fann.fann_create_standard_array, fann.fann_create_train):
        create.restype = c_void_p
    return fann


def versions() -> str:
    return f"FANN ({library('float64')._name})"


def forms(row: Row) -> dict[str, Train]:
    if row.networks is not None:
        raise LeftOut("FANN trains one network at a time")
    if row.batch not in {None, row.samples}:
        raise LeftOut("FANN has full batch and online training only")
    return {"fann_train_on_data": train_on_data(row)}


def train_on_data(row: Row) -> Train:
    fann, number = library(row.dtype), LIBRARIES[row.dtype][1]

    class Connection(ctypes.Structure):
        _fields_ = (("source", c_uint), ("target", c_uint), ("weight", number))

    net = c_void_p(fann.fann_create_standard_array(len(row.sizes), (c_uint * len(row.sizes))(*row.sizes)))
    for setting in ("activation_function_hidden", "activation_function_output"):
        getattr(fann, f"fann_set_{setting}")(net, SIGMOID)  # 1 / (1 + exp(-2 s u)), s = 1/2 by default
    fann.fann_set_training_algorithm(net, TRAIN_BATCH)
    fann.fann_set_train_error_function(net, ERROR_LINEAR)
    fann.fann_set_learning_rate(net, c_float(2 * row.learning_rate))  # its cost has a factor ½, unlike the notes'
    connections = (Connection * fann.fann_get_total_connections(net))()
    data, start = samples(fann, number, row), row.start()
    flat_start = np.concatenate([w.ravel() for w in start]).tolist()

    def run(epochs: int) -> list[Array]:
        fann.fann_get_connection_array(net, connections)  # in backpath's order: by neuron, its bias last
        for connection, weight in zip(connections, flat_start, strict=True):
            connection.weight = weight
        fann.fann_set_weight_array(net, connections, len(connections))
        fann.fann_train_on_data(net, data, c_uint(epochs), c_uint(0), c_float(0))
        fann.fann_get_connection_array(net, connections)
        flat, ends = np.array([c.weight for c in connections], row.dtype), np.cumsum([w.size for w in start])
        return [part.reshape(w.shape) for part, w in zip(np.split(flat, ends[:-1]), start, strict=True)]

    return run


def samples(fann: ctypes.CDLL, number: type, row: Row) -> c_void_p:
    class Data(ctypes.Structure):  # the beginning of struct fann_train_data
        _fields_ = (("errno", c_uint), ("log", c_void_p), ("text", c_void_p), ("samples", c_uint), ("inputs", c_uint),
                    ("outputs", c_uint), ("X", POINTER(POINTER(number))), ("y", POINTER(POINTER(number))))  # fmt: skip

    X, y = row.data()
    data = c_void_p(fann.fann_create_train(len(X), X.shape[1], y.shape[1]))
    rows = ctypes.cast(data, POINTER(Data)).contents
    for sample, (x, target) in enumerate(zip(X, y, strict=True)):
        for i, value in enumerate(x):
            rows.X[sample][i] = value
        for i, value in enumerate(target):
            rows.y[sample][i] = value
    return data
