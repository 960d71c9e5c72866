"""``backpath study``"""

from backpath.cli.study.command import command

__all__ = ["command"]
