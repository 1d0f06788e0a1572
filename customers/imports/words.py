"""The words of files and what they stand for."""

CUSTOMER_KINDS = {"lid": "member", "nieuwsbrief": "newsletter", "prospect": "prospect", "oud-lid": "former"}
GENDERS = {"m": "m", "v": "f", "x": "x"}
PAYMENT_METHODS = {
    "incasso": "direct_debit",
    "factuur": "invoice",
    "ideal": "ideal",
    "contant": "cash",
    "gratis": "free",
}
PURPOSES = {
    "marketing": "marketing",
    "nieuwsbrief": "newsletter",
    "profilering": "profiling",
    "service": "service",
}
CHANNELS = {"email": "email", "e-mail": "email", "post": "post", "telefoon": "phone", "sms": "sms"}
STATES = {"ja": "granted", "nee": "withdrawn", "bezwaar": "objected"}
