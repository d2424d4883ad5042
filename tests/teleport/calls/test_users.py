"""Looking up users, on new and old servers."""

import base64

import grpc
import pytest

from teleport_email.core.errors import Denied, Unreachable
from teleport_email.core.model import User
from teleport_email.teleport._proto import auth_pb2, types_pb2, users_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport._proto.users_pb2_grpc import UsersServiceStub
from teleport_email.teleport.calls.call import Caller, TolerantChannel
from teleport_email.teleport.calls.users import Users

NEW, OLD = "/teleport.users.v1.UsersService/GetUser", "/proto.AuthService/GetUser"
MYUSER = User("myuser@example.com", ("editor-requester",), {"email": ("myuser.trait@example.com",)})


@pytest.fixture
def users(channel):
    tolerant = TolerantChannel(channel)
    return Users(Caller(lambda: None), UsersServiceStub(tolerant), AuthServiceStub(tolerant))


@pytest.fixture
def myuser(recorded) -> types_pb2.UserV2:
    """The recorded answer."""
    return types_pb2.UserV2.FromString(base64.b64decode(recorded("get user: permitted")["responses"][0]))


async def test_from_the_users_service(raw, users, myuser):
    raw.answer(NEW, users_pb2.GetUserResponse(user=myuser))
    assert await users.get("myuser@example.com") == MYUSER
    assert raw.asked(NEW, users_pb2.GetUserRequest) == [users_pb2.GetUserRequest(name="myuser@example.com")]
    assert raw.calls[OLD] == 0


async def test_from_a_server_without_it_and_it_is_not_asked_for_again(raw, users, recorded):
    raw.replay(recorded("get user: permitted"))
    assert await users.get("myuser@example.com") == MYUSER
    assert await users.get("myuser@example.com") == MYUSER
    assert (raw.calls[NEW], raw.calls[OLD]) == (1, 2)
    assert raw.asked(OLD, auth_pb2.GetUserRequest)[0] == auth_pb2.GetUserRequest(Name="myuser@example.com")


async def test_the_recorded_refusal_of_an_old_server(raw, users, recorded):
    raw.replay(recorded("get user: not permitted"))
    with pytest.raises(Denied, match='access denied to perform action "read" on "user"'):
        await users.get("myuser@example.com")


@pytest.mark.parametrize(
    ("code", "error"),
    [(grpc.StatusCode.PERMISSION_DENIED, Denied), (grpc.StatusCode.UNAVAILABLE, Unreachable)],
)
async def test_other_faults_are_raised_and_do_not_change_the_way(raw, users, myuser, code, error):
    raw.refuse(NEW, code, "no")
    with pytest.raises(error):
        await users.get("myuser@example.com")
    assert raw.calls[OLD] == 0
    raw.answer(NEW, users_pb2.GetUserResponse(user=myuser))
    assert await users.get("myuser@example.com") == MYUSER


@pytest.mark.parametrize("method", [NEW, OLD])
async def test_a_user_that_does_not_exist(raw, users, method):
    raw.refuse(method, grpc.StatusCode.NOT_FOUND, "user not found")
    assert await users.get("nobody") is None


async def test_an_empty_answer_and_an_empty_name(raw, users):
    raw.answer(NEW, users_pb2.GetUserResponse())
    assert await users.get("nobody") is None
    assert await users.get("") is None
    assert raw.calls[NEW] == 1
