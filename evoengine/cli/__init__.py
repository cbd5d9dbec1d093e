"""The command line: `evoengine`."""

from evoengine.cli.app import main

__all__ = ["main"]
