"""Static files in production."""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class GzipManifestStorage(CompressedManifestStaticFilesStorage):
    """Fingerprint and gzip. Brotli, which WeasyPrint brings along, makes collecting ten times slower."""

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """Return a compressor without brotli."""
        return Compressor(**kwargs | {"use_brotli": False})
