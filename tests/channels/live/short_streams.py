"""The streams with a life so short that a test can watch all of it."""

import os

import msgspec

from channels.live.asgi import LiveApplication
from channels.live.limits import StreamLimits

application = LiveApplication(msgspec.json.decode(os.environ["LIMITS"], type=StreamLimits))
