"""Who may be the same person (``blocking`` finds pairs, ``scoring`` judges them) and how rows of one go to another."""
