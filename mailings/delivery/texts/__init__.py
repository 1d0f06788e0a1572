"""Hand text messages to whoever carries them: a provider over HTTP, or, where none is set, a folder of files.

At most once, as for mail: whoever calls has marked the messages ``sending`` and committed that, and gets an outcome
for each, never an exception.
"""

from mailings.delivery.texts.base import Text, TextOutcome, TextProvider
from mailings.delivery.texts.folder import FolderProvider
from mailings.delivery.texts.rest import RestProvider
from mailings.delivery.texts.setting import api_of, provider_words, text_provider

__all__ = [
    "FolderProvider",
    "RestProvider",
    "Text",
    "TextOutcome",
    "TextProvider",
    "api_of",
    "provider_words",
    "text_provider",
]
