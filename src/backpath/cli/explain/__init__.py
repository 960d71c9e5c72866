"""``backpath explain``"""

from backpath.cli.explain.command import command

__all__ = ["command"]
