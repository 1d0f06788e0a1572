"""What the figures and the lists of people tell a message by."""

#: The mail domain of an outcome; empty for letters, and for messages of which the address is no longer kept.
DOMAIN = "CASE outcome.channel WHEN 'email' THEN lower(split_part(outcome.address, '@', 2)) ELSE '' END"
