"""Cluster users: their roles and traits, from which an address may come.

What a user got when they logged in last comes first: only there are the traits that Access Lists grant, and
SSO users whose own resource has expired. Where there is none, or it may not be read, the user counts.
"""

from __future__ import annotations

from teleport_email.core.errors import Denied, NotFound, Unsupported
from teleport_email.core.model import User
from teleport_email.teleport._proto import auth_pb2, userloginstate_pb2, users_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport._proto.userloginstate_pb2_grpc import UserLoginStateServiceStub
from teleport_email.teleport._proto.users_pb2_grpc import UsersServiceStub
from teleport_email.teleport.calls.call import Caller
from teleport_email.teleport.calls.convert import user_from_login_state, user_from_proto

DEADLINE = 10.0


class Users:
    """The users of a cluster."""

    def __init__(
        self,
        caller: Caller,
        users: UsersServiceStub,
        auth: AuthServiceStub,
        login_states: UserLoginStateServiceStub,
    ) -> None:
        self._caller = caller
        self._users = users
        self._auth = auth
        self._login_states = login_states
        self._has_service = True
        """False once the server (before 15) said that it has no users service."""
        self._has_login_states = True
        """False once the server said that it has none, or that we may not read them."""

    async def get(self, name: str) -> User | None:
        """A user; ``None`` when there is none of that name.

        Raises :class:`Denied` where neither ``user_login_state: read`` nor ``user: read`` is allowed.
        """
        if not name:
            return None
        if self._has_login_states:
            try:
                if found := await self.login_state(name):
                    return found
            except (Denied, Unsupported):
                self._has_login_states = False
        try:
            return await self.user(name)
        except Denied:
            if not self._has_login_states:
                raise
            return None  # one of those who have not logged in: others can be found

    async def login_state(self, name: str) -> User | None:
        """What the user got when they logged in; ``None`` where they have not.

        Raises :class:`Denied` without ``user_login_state: read``, :class:`Unsupported`.
        """
        try:
            answer = await self._caller.unary(
                self._login_states.GetUserLoginState,
                userloginstate_pb2.GetUserLoginStateRequest(name=name),
                doing=f"reading the login state of user {name!r}",
                timeout=DEADLINE,
            )
        except NotFound:
            return None
        return user_from_login_state(answer, name) if answer.HasField("spec") else None

    async def user(self, name: str) -> User | None:
        """The user's own resource; ``None`` where there is none. Raises :class:`Denied` as ``get`` does."""
        try:
            if self._has_service:
                try:
                    return await self._from_service(name)
                except Unsupported:
                    self._has_service = False
            answer = await self._caller.unary(
                self._auth.GetUser,
                auth_pb2.GetUserRequest(Name=name),
                doing=f"reading user {name!r}",
                timeout=DEADLINE,
            )
        except NotFound:
            return None
        return user_from_proto(answer)

    async def _from_service(self, name: str) -> User | None:
        answer = await self._caller.unary(
            self._users.GetUser,
            users_pb2.GetUserRequest(name=name),
            doing=f"reading user {name!r}",
            timeout=DEADLINE,
        )
        return user_from_proto(answer.user) if answer.HasField("user") else None
