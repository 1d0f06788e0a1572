"""How readers are divided over versions of a message, and what is read from what they do."""
