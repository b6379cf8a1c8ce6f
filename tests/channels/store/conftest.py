"""Requests enter through the WSGI application, as those of a server do."""

import pytest

from tests.wsgi_client import WsgiClient


@pytest.fixture
def client() -> WsgiClient:
    return WsgiClient()
