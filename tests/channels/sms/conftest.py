import pytest

from tests.butler.arrange import vocabulary
from tests.channels.provider import SID, TOKEN

COMPANY_NUMBER = "+31201234567"


@pytest.fixture
def account(settings):
    """Configure an account of the provider, without an address that answers."""
    settings.SMS_ACCOUNT = {
        "url": "http://nowhere",
        "sid": SID,
        "token": TOKEN,
        "from": COMPANY_NUMBER,
    }
    settings.BUTLER_COMPANY = "Larkmoor"
    vocabulary()
