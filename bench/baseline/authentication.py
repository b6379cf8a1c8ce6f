from rest_framework import authentication, exceptions
from rest_framework.request import Request

from bench.baseline.models import Source


class KeyAuthentication(authentication.BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Source, None] | None:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        source = Source.objects.filter(key=key).first()
        if source is None:
            raise exceptions.AuthenticationFailed
        return source, None
