"""Training: solvers, the loop, its history, and the engines."""

from backpath.training.loop import train as train
from backpath.training.result import History as History
from backpath.training.result import TrainingResult as TrainingResult
