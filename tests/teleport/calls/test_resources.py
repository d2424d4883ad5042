"""Friendly names: a courtesy that never gets in the way."""

import grpc
import pytest

from teleport_email.core.model import Constraint, ResourceID
from teleport_email.teleport._proto import auth_pb2, types_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport.calls.call import Caller, TolerantChannel
from teleport_email.teleport.calls.resources import AT_ONCE, PAGES, Resources, expression

LIST = "ListResources"
OKTA = {"teleport.dev/origin": "okta"}


@pytest.fixture
def resources(channel):
    return Resources(Caller(lambda: None), AuthServiceStub(TolerantChannel(channel)), "demo")


def node(name: str, hostname: str) -> auth_pb2.PaginatedResource:
    return auth_pb2.PaginatedResource(
        Node=types_pb2.ServerV2(
            Metadata=types_pb2.Metadata(Name=name), Spec=types_pb2.ServerSpecV2(Hostname=hostname)
        )
    )


def serve(raw, by_kind: dict[str, list[auth_pb2.PaginatedResource]]) -> None:
    async def handler(request):
        asked = auth_pb2.ListResourcesRequest.FromString(request)
        found = by_kind.get(asked.ResourceType, [])
        yield auth_pb2.ListResourcesResponse(Resources=found).SerializeToString()

    raw.handle(LIST, handler)


async def test_a_node_by_its_host_name(raw, resources):
    serve(raw, {"node": [node("uuid-1", "db-prod-1"), node("unasked", "other")]})
    wanted = ResourceID("demo", "node", "uuid-1")
    unknown = ResourceID("demo", "node", "uuid-2")
    assert await resources.names([wanted, unknown]) == {wanted: "db-prod-1"}
    assert raw.asked(LIST, auth_pb2.ListResourcesRequest) == [
        auth_pb2.ListResourcesRequest(
            ResourceType="node",
            Limit=2,
            PredicateExpression='resource.metadata.name == "uuid-1" || resource.metadata.name == "uuid-2"',
            UseSearchAsRoles=True,
            UsePreviewAsRoles=True,
        )
    ]


async def test_sub_resources_share_the_name(raw, resources):
    serve(raw, {"node": [node("uuid-1", "host")]})
    whole, part = ResourceID("demo", "node", "uuid-1"), ResourceID("demo", "node", "uuid-1", "part")
    assert await resources.names([whole, part]) == {whole: "host", part: "host"}
    assert raw.asked(LIST, auth_pb2.ListResourcesRequest)[0].Limit == 1


async def test_apps_and_groups_from_okta(raw, resources):
    app = auth_pb2.PaginatedResource()
    app.AppServer.Metadata.Name = "app-1"
    app.AppServer.Spec.App.Metadata.Labels.update({**OKTA, "teleport.internal/okta-app-name": "Payroll"})
    plain = auth_pb2.PaginatedResource()
    plain.AppServer.Metadata.Name = "app-2"
    plain.AppServer.Metadata.Description = "not a name"
    group = auth_pb2.PaginatedResource()
    group.UserGroup.Header.Metadata.Name = "group-1"
    group.UserGroup.Header.Metadata.Description = "Everybody"
    group.UserGroup.Header.Metadata.Labels.update(OKTA)
    serve(raw, {"app_server": [app, plain], "user_group": [group]})
    ids = [
        ResourceID("demo", "app", "app-1"),
        ResourceID("demo", "app", "app-2"),
        ResourceID("demo", "user_group", "group-1"),
    ]
    assert await resources.names(ids) == {ids[0]: "Payroll", ids[2]: "Everybody"}


async def test_an_aws_account_by_its_description(raw, resources):
    account = auth_pb2.PaginatedResource()
    account.AppServer.Metadata.Name = "123456789012"
    account.AppServer.Metadata.Description = "production"
    serve(raw, {"aws_ic_account": [account]})
    wanted = ResourceID("demo", "aws_ic_account", "123456789012")
    assert await resources.names([wanted]) == {wanted: "production"}


async def test_other_kinds_and_other_clusters_are_not_asked_for(raw, resources):
    serve(raw, {})
    ids = [ResourceID("demo", "db", "pg"), ResourceID("leaf", "node", "uuid"), ResourceID("demo", "node", "")]
    assert await resources.names(ids) == {}
    assert raw.calls == {}


@pytest.mark.parametrize(
    "code",
    [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INVALID_ARGUMENT],
)
async def test_a_fault_means_no_names(raw, resources, code):
    raw.refuse(LIST, code, "no")
    assert await resources.names([ResourceID("demo", "node", "uuid")]) == {}


async def test_a_refused_kind_is_not_asked_for_again(raw, resources):
    raw.refuse(LIST, grpc.StatusCode.PERMISSION_DENIED, "access denied")
    for _ in range(3):
        assert await resources.names([ResourceID("demo", "node", "uuid")]) == {}
    assert raw.calls["/proto.AuthService/ListResources"] == 1


async def test_many_are_asked_for_in_parts(raw, resources):
    async def handler(request):
        asked = auth_pb2.ListResourcesRequest.FromString(request)
        names = [part.split('"')[1] for part in asked.PredicateExpression.split(" || ")]
        assert len(names) == asked.Limit <= AT_ONCE
        found = [node(name, f"host of {name}") for name in names]
        yield auth_pb2.ListResourcesResponse(Resources=found).SerializeToString()

    raw.handle(LIST, handler)
    ids = [ResourceID("demo", "node", f"uuid-{number}") for number in range(AT_ONCE * 2 + 1)]
    assert await resources.names(ids) == {each: f"host of {each.name}" for each in ids}
    assert raw.calls["/proto.AuthService/ListResources"] == 3


def test_names_cannot_break_out_of_the_expression():
    assert expression(['x" || true || "', "back\\slash", "line\nbreak", "☃"]) == (
        r'resource.metadata.name == "x\" || true || \""'
        r' || resource.metadata.name == "back\\slash"'
        r' || resource.metadata.name == "line\nbreak"'
        ' || resource.metadata.name == "☃"'
    )


async def test_a_name_that_is_no_text_is_left_alone(raw, resources):
    assert await resources.names([ResourceID("demo", "node", "\ud800")]) == {}
    assert raw.calls == {}


async def test_labels_in_order_or_not_at_all(raw, resources):
    first, second = node("uuid-1", "a"), node("uuid-2", "b")
    first.Node.Metadata.Labels["env"] = "prod"
    serve(raw, {"node": [first, second]})
    one, two, gone = (ResourceID("demo", "node", f"uuid-{number}") for number in (1, 2, 3))
    assert await resources.labels([two, one]) == [{}, {"env": "prod"}]
    assert await resources.labels([one, gone]) is None, "unread labels are not the same as none"
    assert await resources.labels([ResourceID("leaf", "node", "uuid-1")]) is None


AGENT = {"served-by": "agent"}


def of_kind(kind: str) -> auth_pb2.PaginatedResource:
    """A resource named ``it`` with a static and a dynamic label, and other labels on the agent."""
    found = auth_pb2.PaginatedResource()
    if kind in ("windows_desktop", "user_group"):
        header = (found.WindowsDesktop if kind == "windows_desktop" else found.UserGroup).Header
        header.Metadata.Name = "it"
        header.Metadata.Labels.update({"env": "prod", "kernel": "6.1"})
        return found
    if kind == "node":
        found.Node.Metadata.Name = "it"
        found.Node.Metadata.Labels["env"] = "prod"
        found.Node.Spec.CmdLabels["kernel"].Result = "6.1"
        return found
    server, thing, labels = {
        "app": (found.AppServer, found.AppServer.Spec.App, "DynamicLabels"),
        "aws_ic_account": (found.AppServer, found.AppServer.Spec.App, "DynamicLabels"),
        "db": (found.DatabaseServer, found.DatabaseServer.Spec.Database, "DynamicLabels"),
        "kube_cluster": (found.KubernetesServer, found.KubernetesServer.Spec.Cluster, "DynamicLabels"),
    }[kind]
    server.Metadata.Name = "it"
    server.Metadata.Labels.update(AGENT)
    thing.Metadata.Name = "it"
    thing.Metadata.Labels["env"] = "prod"
    getattr(thing.Spec, labels)["kernel"].Result = "6.1"
    return found


@pytest.mark.parametrize(
    ("kind", "listed_as"),
    [
        ("node", "node"),
        ("app", "app_server"),
        ("db", "db_server"),
        ("kube_cluster", "kube_server"),
        ("windows_desktop", "windows_desktop"),
        ("user_group", "user_group"),
        ("aws_ic_account", "aws_ic_account"),
    ],
)
async def test_static_and_dynamic_labels_of_the_thing_itself(raw, resources, kind, listed_as):
    serve(raw, {listed_as: [of_kind(kind)]})
    assert await resources.labels([ResourceID("demo", kind, "it")]) == [{"env": "prod", "kernel": "6.1"}]
    [asked] = raw.asked(LIST, auth_pb2.ListResourcesRequest)
    assert (asked.ResourceType, asked.UseSearchAsRoles, asked.UsePreviewAsRoles) == (listed_as, False, True)


async def test_the_labels_of_a_part_are_those_of_the_whole(raw, resources):
    serve(raw, {"node": [of_kind("node")]})
    part = ResourceID("demo", "node", "it", constraint=Constraint("logins", ("root",)))
    assert await resources.labels([part]) == [{"env": "prod", "kernel": "6.1"}]


async def test_several_agents_that_serve_one_thing_hide_no_other(raw, resources):
    async def handler(request):
        asked = auth_pb2.ListResourcesRequest.FromString(request)
        other = of_kind("db")
        other.DatabaseServer.Metadata.Name = "other"
        pages = {"": ([of_kind("db")] * 2, "next"), "next": ([other], "more")}
        found, following = pages[asked.StartKey]
        yield auth_pb2.ListResourcesResponse(Resources=found, NextKey=following).SerializeToString()

    raw.handle(LIST, handler)
    ids = [ResourceID("demo", "db", "it"), ResourceID("demo", "db", "other")]
    assert len(await resources.labels(ids) or ()) == 2
    assert raw.calls["/proto.AuthService/ListResources"] == 2


async def test_pages_without_an_end_are_left(raw, resources):
    async def handler(request):
        yield auth_pb2.ListResourcesResponse(NextKey="again").SerializeToString()

    raw.handle(LIST, handler)
    assert await resources.labels([ResourceID("demo", "db", "it")]) is None
    assert raw.calls["/proto.AuthService/ListResources"] == PAGES


async def test_a_kind_that_we_do_not_know_has_no_labels_to_be_read(raw, resources):
    serve(raw, {"git_server": [auth_pb2.PaginatedResource()]})
    assert await resources.labels([ResourceID("demo", "git_server", "it")]) is None
