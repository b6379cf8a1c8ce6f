"""The streams with a life so short that a test can watch all of it."""

import os

import msgspec

from channels.live.asgi import Live
from channels.live.limits import Limits

application = Live(msgspec.json.decode(os.environ["LIMITS"], type=Limits))
