# Generated from proto/ by proto/generate.py. Do not edit.
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from teleport_email.teleport._proto import userloginstate_pb2
from teleport_email.teleport.calls.call import StreamCall, UnaryCall

class UserLoginStateServiceStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    GetUserLoginState: UnaryCall[userloginstate_pb2.GetUserLoginStateRequest, userloginstate_pb2.UserLoginState]

class UserLoginStateServiceServicer:
    async def GetUserLoginState(self, request: userloginstate_pb2.GetUserLoginStateRequest, context: Any) -> userloginstate_pb2.UserLoginState: ...

def add_UserLoginStateServiceServicer_to_server(servicer: UserLoginStateServiceServicer, server: grpc.aio.Server) -> None: ...
