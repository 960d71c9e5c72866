"""scikit-learn's own tests of its MLPs, from its installed file, with backpath's classes in their place."""

import subprocess
import sys
from pathlib import Path

import sklearn.neural_network.tests.test_mlp as theirs

PLUGIN = """
import pytest, sklearn.neural_network as nn
import backpath as bp
nn.MLPClassifier, nn.MLPRegressor = bp.MLPClassifier, bp.MLPRegressor
"""
