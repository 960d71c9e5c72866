"""``backpath train``"""

from backpath.cli.train.command import command

__all__ = ["command"]
