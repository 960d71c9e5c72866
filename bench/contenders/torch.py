"""PyTorch: eager with autograd, eager with a hand-written gradient, and, with a compiler, a compiled step."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from typing import Any

import torch

from bench.rows import Array, Row, Train

logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # it warns about a missing GPU

NAME = "PyTorch"
COST = "squared_error"
Step = Callable[[list[Any], list[Any], Any, Any], None]  # updates W (…, inputs, neurons) and b (…, 1, neurons) in place


def versions() -> str:
    return f"PyTorch {torch.__version__}"


def forms(row: Row) -> dict[str, Train]:
    if hasattr(os, "sched_getaffinity"):
        torch.set_num_threads(len(os.sched_getaffinity(0)))
    rate = row.learning_rate
    made = {"eager, by hand": loop(row, by_hand(rate))}
    if row.growth:
        return made
    made["eager, autograd"] = loop(row, autograd(rate))
    if row.per != "process" and (shutil.which("g++") or shutil.which("clang++")):
        made["torch.compile"] = loop(row, torch.compile(by_hand(rate), dynamic=False))
    return made


def autograd(rate: float) -> Step:
    def step(W: list[Any], b: list[Any], X: Any, y: Any) -> None:
        parameters, a = [p.requires_grad_() for p in (*W, *b)], X
        for w, c in zip(W, b, strict=True):
            a = torch.sigmoid(c + a @ w)
        gradient = torch.autograd.grad((a - y).square().sum(), parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, gradient, alpha=-rate / X.shape[-2])

    return step


def by_hand(rate: float) -> Step:
    @torch.no_grad()
    def step(W: list[Any], b: list[Any], X: Any, y: Any) -> None:
        a = [X]
        for w, c in zip(W, b, strict=True):
            a.append((c + a[-1] @ w).sigmoid_())
        d = (a[-1] - y).mul_(a[-1] * (1 - a[-1]))
        for q in range(len(W) - 1, -1, -1):
            before = (d @ W[q].mT).mul_(a[q] * (1 - a[q])) if q else d
            W[q].sub_(a[q].mT @ d, alpha=2 * rate / X.shape[-2])
            b[q].sub_(d.sum(-2, keepdim=True), alpha=2 * rate / X.shape[-2])
            d = before

    return step


def loop(row: Row, step: Step) -> Train:
    X, y = map(torch.from_numpy, row.data())
    if row.networks:
        X, y = X.expand(row.networks, *X.shape), y.expand(row.networks, *y.shape)
    batch = row.batch or row.samples
    batches = list(zip(X.split(batch, -2), y.split(batch, -2), strict=True))

    start = [torch.from_numpy(w).mT for w in row.start()]

    def run(epochs: int) -> list[Array]:
        W, b = [w[..., :-1, :].clone() for w in start], [w[..., -1:, :].clone() for w in start]
        for _ in range(epochs):
            for Xb, yb in batches:
                step(W, b, Xb, yb)
        return [torch.cat([w, c], -2).mT.detach().numpy() for w, c in zip(W, b, strict=True)]

    return run
