# Generated from proto/ by proto/generate.py. Do not edit.
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from teleport_email.teleport._proto import rules_pb2
from teleport_email.teleport.calls.call import StreamCall, UnaryCall

class AccessMonitoringRulesServiceStub:
    def __init__(self, channel: grpc.aio.Channel) -> None: ...
    ListAccessMonitoringRules: UnaryCall[rules_pb2.ListAccessMonitoringRulesRequest, rules_pb2.ListAccessMonitoringRulesResponse]
    ListAccessMonitoringRulesWithFilter: UnaryCall[rules_pb2.ListAccessMonitoringRulesWithFilterRequest, rules_pb2.ListAccessMonitoringRulesWithFilterResponse]

class AccessMonitoringRulesServiceServicer:
    async def ListAccessMonitoringRules(self, request: rules_pb2.ListAccessMonitoringRulesRequest, context: Any) -> rules_pb2.ListAccessMonitoringRulesResponse: ...
    async def ListAccessMonitoringRulesWithFilter(self, request: rules_pb2.ListAccessMonitoringRulesWithFilterRequest, context: Any) -> rules_pb2.ListAccessMonitoringRulesWithFilterResponse: ...

def add_AccessMonitoringRulesServiceServicer_to_server(servicer: AccessMonitoringRulesServiceServicer, server: grpc.aio.Server) -> None: ...
