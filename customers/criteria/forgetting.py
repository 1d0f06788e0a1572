"""Why some questions cannot be answered for a past day: of these only what holds at present is kept."""

from django.utils.translation import gettext_lazy as _

OF_CUSTOMERS = _("Only what is known of a customer at present is kept, not what it was before.")
OF_ADDRESSES = _("Of names and addresses only the present ones are kept.")
OF_POINTS = _("Of e-mail addresses and phone numbers only the present ones are kept.")
OF_SUBSCRIPTIONS = _("Of a subscription only the present name, price and payment method are kept.")
OF_ENDS = _("Of a subscription only the present end date is kept: who cancelled later, had not done so yet.")
