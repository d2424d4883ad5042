# Generated from proto/ by proto/generate.py. Do not edit.
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from teleport_email.teleport._proto import accesslist_pb2
from teleport_email.teleport.calls.call import StreamCall, UnaryCall

class AccessListServiceStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    ListAccessLists: UnaryCall[accesslist_pb2.ListAccessListsRequest, accesslist_pb2.ListAccessListsResponse]
    GetAccessList: UnaryCall[accesslist_pb2.GetAccessListRequest, accesslist_pb2.AccessList]
    GetAccessListOwners: UnaryCall[accesslist_pb2.GetAccessListOwnersRequest, accesslist_pb2.GetAccessListOwnersResponse]

class AccessListServiceServicer:
    async def ListAccessLists(self, request: accesslist_pb2.ListAccessListsRequest, context: Any) -> accesslist_pb2.ListAccessListsResponse: ...
    async def GetAccessList(self, request: accesslist_pb2.GetAccessListRequest, context: Any) -> accesslist_pb2.AccessList: ...
    async def GetAccessListOwners(self, request: accesslist_pb2.GetAccessListOwnersRequest, context: Any) -> accesslist_pb2.GetAccessListOwnersResponse: ...

def add_AccessListServiceServicer_to_server(servicer: AccessListServiceServicer, server: grpc.aio.Server) -> None: ...
