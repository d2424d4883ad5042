# Generated from proto/ by proto/generate.py. Do not edit.
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from teleport_email.teleport._proto import users_pb2
from teleport_email.teleport.calls.call import StreamCall, UnaryCall

class UsersServiceStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    GetUser: UnaryCall[users_pb2.GetUserRequest, users_pb2.GetUserResponse]

class UsersServiceServicer:
    async def GetUser(self, request: users_pb2.GetUserRequest, context: Any) -> users_pb2.GetUserResponse: ...

def add_UsersServiceServicer_to_server(servicer: UsersServiceServicer, server: grpc.aio.Server) -> None: ...
