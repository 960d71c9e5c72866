"""Another backward pass, which carries out what the message of a mistake says."""

from explain.carried_out import deltas, errors, forward, gradients, misread, paths
from explain.carried_out.program import Program, programs

__all__ = ["Program", "deltas", "errors", "forward", "gradients", "misread", "paths", "programs"]
