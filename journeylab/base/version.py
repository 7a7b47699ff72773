"""Version: which journeylab is this?"""

from importlib.metadata import version

VERSION = version("journeylab")
