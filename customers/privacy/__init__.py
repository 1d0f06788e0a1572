"""What the law asks of us: copies, erasure, restriction, objection, retention, and the register of what we do."""
