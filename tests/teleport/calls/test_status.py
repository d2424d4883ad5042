"""Every gRPC status becomes the error whose handling fits."""

import grpc
import pytest

from teleport_email.core.errors import (
    ClusterError,
    Conflict,
    Denied,
    NotFound,
    Rejected,
    Unreachable,
    Unsupported,
)
from teleport_email.teleport.calls.status import error_from_status

CODES = {
    "NOT_FOUND": NotFound,
    "ALREADY_EXISTS": Conflict,
    "FAILED_PRECONDITION": Conflict,
    "PERMISSION_DENIED": Denied,
    "UNAUTHENTICATED": Denied,
    "INVALID_ARGUMENT": Rejected,
    "OUT_OF_RANGE": Rejected,
    "RESOURCE_EXHAUSTED": Rejected,
    "UNIMPLEMENTED": Unsupported,
    "UNAVAILABLE": Unreachable,
    "DEADLINE_EXCEEDED": Unreachable,
    "CANCELLED": Unreachable,
    "ABORTED": Unreachable,
    "INTERNAL": Unreachable,
    "UNKNOWN": Unreachable,
    "DATA_LOSS": Unreachable,
}


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_each_status(code):
    error = error_from_status(code, "words of the server", "doing something")
    assert type(error) is CODES[code.name]
    assert str(error).startswith("doing something: ")


def test_recorded_refusals_keep_the_servers_words(vector):
    refused = [call for call in vector("calls")["calls"] + vector("rules")["calls"] if call["status"] != "OK"]
    assert len(refused) == 9
    for call in refused:
        error = error_from_status(grpc.StatusCode[call["status"]], call["details"], "calling")
        assert isinstance(error, ClusterError)
        assert call["details"] in str(error)


def test_words_cannot_forge_log_lines_and_are_bounded():
    error = error_from_status(grpc.StatusCode.NOT_FOUND, "a\nlevel=info b\x1b[31m\u2028" + "x" * 10_000, "do")
    assert "\n" not in str(error)
    assert "\x1b" not in str(error)
    assert "\u2028" not in str(error)
    assert len(str(error)) < 600


def test_no_words_at_all():
    assert (
        str(error_from_status(grpc.StatusCode.PERMISSION_DENIED, "", "reading")) == "reading: access denied"
    )
    assert "no reason given (INTERNAL)" in str(error_from_status(grpc.StatusCode.INTERNAL, " \n", "reading"))
