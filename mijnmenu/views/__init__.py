"""Pages of MijnMenu."""
