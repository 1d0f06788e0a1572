"""The files of Bibliotheek Waterland: what a library system and a theatre would export.

Nobody in them exists: names are drawn from lists, every mail address ends in a domain reserved for examples.
"""

from .export import write_files

__all__ = ["write_files"]
