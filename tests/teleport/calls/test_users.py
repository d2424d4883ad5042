"""Looking up users, on new and old servers."""

import base64

import grpc
import pytest

from teleport_email.core.errors import Denied, Unreachable
from teleport_email.core.model import User
from teleport_email.teleport._proto import auth_pb2, types_pb2, userloginstate_pb2, users_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport._proto.userloginstate_pb2_grpc import UserLoginStateServiceStub
from teleport_email.teleport._proto.users_pb2_grpc import UsersServiceStub
from teleport_email.teleport.calls.call import Caller, TolerantChannel
from teleport_email.teleport.calls.convert import login_state_to_proto, user_to_proto
from teleport_email.teleport.calls.users import Users

NEW, OLD = "/teleport.users.v1.UsersService/GetUser", "/proto.AuthService/GetUser"
MYUSER = User("myuser@example.com", ("editor-requester",), {"email": ("myuser.trait@example.com",)})


@pytest.fixture
def users(channel):
    tolerant = TolerantChannel(channel)
    return Users(
        Caller(lambda: None),
        UsersServiceStub(tolerant),
        AuthServiceStub(tolerant),
        UserLoginStateServiceStub(tolerant),
    )


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


# Login states ------------------------------------------------------------------------------------------

STATE = "/teleport.userloginstate.v1.UserLoginStateService/GetUserLoginState"
LOGGED_IN = User("ann", ("dev", "from-a-list"), {"email": ("ann@example.com",), "team": ("red", "blue")})
PLAIN = User("ann", ("dev",), {"team": ("red",)})


async def test_the_login_state_comes_first(raw, users):
    raw.answer(STATE, login_state_to_proto(LOGGED_IN))
    assert await users.get("ann") == LOGGED_IN
    assert raw.asked(STATE, userloginstate_pb2.GetUserLoginStateRequest)[0].name == "ann"
    assert raw.calls[NEW] == raw.calls[OLD] == 0


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        (grpc.StatusCode.NOT_FOUND, 2),
        (grpc.StatusCode.UNIMPLEMENTED, 1),
        (grpc.StatusCode.PERMISSION_DENIED, 1),
    ],
)
async def test_else_the_user_counts(raw, users, code, asked):
    raw.refuse(STATE, code, "no")
    raw.answer(NEW, users_pb2.GetUserResponse(user=user_to_proto(PLAIN)))
    assert await users.get("ann") == PLAIN
    assert await users.get("ann") == PLAIN
    assert raw.calls[STATE] == asked


async def test_without_the_permission_on_users_those_who_have_logged_in_are_found(raw, users):
    raw.refuse(STATE, grpc.StatusCode.NOT_FOUND, "no login state")
    raw.refuse(NEW, grpc.StatusCode.PERMISSION_DENIED, "access denied")
    assert await users.get("bob") is None
    raw.answer(STATE, login_state_to_proto(LOGGED_IN))
    assert await users.get("ann") == LOGGED_IN


async def test_a_cluster_that_does_not_answer_is_not_a_user_who_has_not_logged_in(raw, users):
    raw.refuse(STATE, grpc.StatusCode.UNAVAILABLE, "draining")
    with pytest.raises(Unreachable):
        await users.get("ann")
    assert raw.calls[NEW] == 0
