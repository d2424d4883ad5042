"""Cluster users: their roles and traits, from which an address may come."""

from __future__ import annotations

from teleport_email.core.errors import NotFound, Unsupported
from teleport_email.core.model import User
from teleport_email.teleport._proto import auth_pb2, users_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport._proto.users_pb2_grpc import UsersServiceStub
from teleport_email.teleport.calls.call import Caller
from teleport_email.teleport.calls.convert import user_from_proto

DEADLINE = 10.0


class Users:
    """The users of a cluster."""

    def __init__(self, caller: Caller, users: UsersServiceStub, auth: AuthServiceStub) -> None:
        self._caller = caller
        self._users = users
        self._auth = auth
        self._has_service = True
        """False once the server (before 15) said that it has no users service."""

    async def get(self, name: str) -> User | None:
        """A user; ``None`` when there is none of that name. Raises :class:`Denied` without ``user: read``."""
        if not name:
            return None
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
