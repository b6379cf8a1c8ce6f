"""A live application whose limits come from the environment, for short streams in tests."""

import os

import msgspec

from channels.live.asgi import LiveApplication
from channels.live.limits import StreamLimits

application = LiveApplication(msgspec.json.decode(os.environ["LIMITS"], type=StreamLimits))
