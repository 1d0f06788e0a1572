"""The nouns of the API, one file each: serializers, filters and viewset."""
