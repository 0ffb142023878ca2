"""Why a request has no viewer although it brought credentials."""

from __future__ import annotations


class AuthenticationError(Exception):
    """The credentials are not accepted. The message names the rule and never quotes the token, so it may be logged."""


class KeySetUnavailableError(AuthenticationError):
    """No usable signing keys: the key server has not answered, or not for too long. The token itself may be good."""
