"""Training: solvers, the loop, its history, and the engines that do the arithmetic."""

from backpath.training.loop import History as History
from backpath.training.loop import TrainingResult as TrainingResult
from backpath.training.loop import train as train
