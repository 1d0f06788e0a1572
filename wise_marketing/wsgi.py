"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wise_marketing.settings")

django_application = get_wsgi_application()

from mailings.click_door import ClickDoor  # noqa: E402 - only now are the models there

application = ClickDoor(django_application)
