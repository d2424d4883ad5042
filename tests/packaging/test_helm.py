"""The chart, rendered by the real helm: objects that Kubernetes takes, and a configuration that we take.

helm is taken from PATH. ``BUILD_HELM=1 make test`` builds one (two minutes, once), where Go is installed and its
modules can be fetched; ``make clean`` takes it away.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

import teleport_email
from teleport_email import config
from teleport_email.config.settings import MailgunSettings, Settings, SmtpSettings
from teleport_email.telemetry.httpd import HttpServer, Request, Response

pytestmark = pytest.mark.timeout(660)  # the build, once

CHART = Path(__file__).parents[2] / "packaging/helm/teleport-email"
EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))
HELM = "v3.16.4"
KUBERNETES = "1.31.0"
MINIMAL = {
    "teleport": {"address": "teleport.example.com:443", "identitySecretName": "id"},
    "smtp": {"enabled": True, "host": "mx.example.com"},
    "delivery": {"sender": "a@example.com"},
    "roleToRecipients": {"*": "all@example.com"},
}


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A helm to run; skips with the reason where there is none."""
    if found := shutil.which("helm"):
        return Path(found)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "teleport-email"
    cached = cache / f"helm-{HELM}"
    if cached.exists():
        return cached
    if not os.environ.get("BUILD_HELM"):
        pytest.skip("helm is not installed here (with BUILD_HELM=1 it is built, where Go is)")
    go = shutil.which("go")
    if go is None:
        pytest.skip("neither helm nor Go (to build it) is installed here")
    place = tmp_path_factory.mktemp("helm")
    environ = os.environ | {"GOBIN": str(place), "GOFLAGS": "-mod=mod"}
    module = "helm.sh/helm/v3"
    try:
        # Whether modules can be had at all shows at once; the build itself takes its time.
        for command, limit in (
            ([go, "list", "-m", f"{module}@{HELM}"], 45),
            ([go, "install", f"{module}/cmd/helm@{HELM}"], 540),
        ):
            subprocess.run(command, cwd=place, env=environ, timeout=limit, check=True, capture_output=True)
    except subprocess.SubprocessError as error:
        told = (getattr(error, "stderr", None) or b"").decode().strip().splitlines()
        pytest.skip(f"helm is not installed and cannot be built here: {told[-1] if told else error}")
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.move(place / "helm", cached)
    return cached


class Chart:
    """Renders the chart with values."""

    def __init__(self, helm: Path, home: Path) -> None:
        self.helm = helm
        self.home = home
        (home / "kubeconfig").touch(0o600)  # nothing of whoever runs the tests
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": str(home / "kubeconfig")}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.helm, *arguments], env=self.environ, capture_output=True, text=True, timeout=60, check=False
        )

    def _arguments(
        self, values: dict[str, Any] | Path, settings: tuple[str, ...], chart: Path = CHART
    ) -> list[str]:
        if isinstance(values, dict):
            path = self.home / "values.yaml"
            path.write_text(yaml.safe_dump(values))
            values = path
        return ["demo", str(chart), "--kube-version", KUBERNETES, "-n", "mail", "-f", str(values), *settings]

    def render(self, values: dict[str, Any] | Path, *settings: str) -> list[dict[str, Any]]:
        done = self.run("template", *self._arguments(values, settings))
        assert done.returncode == 0, done.stderr
        return [document for document in yaml.safe_load_all(done.stdout) if document]

    def refusal(self, values: dict[str, Any], *settings: str) -> str:
        done = self.run("template", *self._arguments(values, settings))
        assert done.returncode != 0
        return done.stderr


@pytest.fixture
def chart(helm: Path, tmp_path: Path) -> Chart:
    return Chart(helm, tmp_path)


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [item for item in objects if item["kind"] == kind]
    return found


def pod(objects: list[dict[str, Any]]) -> dict[str, Any]:
    return dict(one(objects, "Deployment")["spec"]["template"]["spec"])


def container(objects: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = pod(objects)["containers"]
    return dict(found)


def toml(objects: list[dict[str, Any]]) -> str:
    return str(one(objects, "ConfigMap")["data"]["teleport-email.toml"])


def settings(objects: list[dict[str, Any]]) -> Settings:
    return config.parse(toml(objects), environ={}, read_secrets=False)


# Every example -------------------------------------------------------------------------------------------


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def example(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_an_example_makes_objects_that_kubernetes_takes(chart: Chart, example: Path) -> None:
    objects = chart.render(example)
    assert {"ConfigMap", "Deployment"} <= {item["kind"] for item in objects}
    for item in objects:
        if item["apiVersion"].startswith("monitoring.coreos.com/"):
            continue  # not Kubernetes' own; see below
        kubernetes_validate.validate(item, KUBERNETES.rpartition(".")[0], strict=True)


def test_an_example_makes_a_configuration_that_the_daemon_takes(chart: Chart, example: Path) -> None:
    loaded = settings(chart.render(example))
    given = yaml.safe_load(example.read_text())
    assert loaded.teleport.addr == given["teleport"]["address"]
    assert loaded.teleport.refresh_identity
    assert loaded.role_to_recipients.keys() == given["roleToRecipients"].keys()
    assert loaded.diagnostics.allow_remote
    assert loaded.warnings == ()


def test_an_example_passes_helms_own_lint(chart: Chart, example: Path) -> None:
    done = chart.run("lint", "--strict", str(CHART), "-f", str(example))
    assert done.returncode == 0, done.stdout


def test_every_file_that_the_configuration_names_is_mounted(chart: Chart, example: Path) -> None:
    objects = chart.render(example)
    loaded = settings(objects)
    given = yaml.safe_load(example.read_text())
    mounts = {mount["mountPath"]: mount["name"] for mount in container(objects)["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod(objects)["volumes"]}
    assert mounts.keys() >= {"/etc/teleport-email", "/run/teleport-email", "/tmp"}
    assert set(mounts.values()) == volumes.keys()
    identity = loaded.teleport.identity
    assert identity is not None
    assert (
        volumes[mounts[str(identity.parent)]]["secret"]["secretName"]
        == given["teleport"]["identitySecretName"]
    )
    assert identity.name == given["teleport"].get("identitySecretPath", "auth_id")
    table = next((line for line in toml(objects).splitlines() if "_file = " in line), "")
    secret = given.get("smtp", {}).get("passwordFromSecret") or given.get("mailgun", {}).get(
        "privateKeyFromSecret"
    )
    assert bool(table) == bool(secret)
    if table:
        path = Path(json.loads(table.partition(" = ")[2]))
        assert volumes[mounts[str(path.parent)]]["secret"]["secretName"] == secret
    # A file mounted by subPath would never show a renewed Secret.
    assert not any("subPath" in mount for mount in container(objects)["volumeMounts"])


def test_a_pod_satisfies_the_restricted_security_standard(chart: Chart, example: Path) -> None:
    objects = chart.render(example)
    spec, main = pod(objects), container(objects)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert main["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False
    writable = {mount["name"] for mount in main["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {"runtime", "tmp"}
    for volume in spec["volumes"]:
        assert volume["name"] not in writable or volume["emptyDir"]["sizeLimit"]


def test_the_probes_ask_where_the_daemon_listens(chart: Chart, example: Path) -> None:
    objects = chart.render(example)
    main = container(objects)
    (port,) = main["ports"]
    assert settings(objects).diagnostics.addr == f":{port['containerPort']}"
    assert main["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": port["name"]}
    assert main["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port["name"]}
    path = next(word for word in main["args"] if word.startswith("--config=")).partition("=")[2]
    assert path == "/etc/teleport-email/teleport-email.toml"
    # The daemon's own bound for finishing is 20 s.
    assert pod(objects)["terminationGracePeriodSeconds"] > 20


def test_the_keys_of_the_guides_secrets(chart: Chart) -> None:
    by_guide = settings(chart.render(CHART / "examples/mailgun-guide.yaml"))
    assert isinstance(by_guide.mailer, MailgunSettings)
    text = toml(chart.render(CHART / "examples/mailgun-guide.yaml"))
    assert 'private_key_file = "/var/lib/teleport-email/secret/mailgun-private-key"' in text
    assert by_guide.teleport.identity == Path("/var/lib/teleport-email/identity/auth_id")
    by_machine = settings(chart.render(CHART / "examples/machine-id.yaml"))
    assert by_machine.teleport.identity == Path("/var/lib/teleport-email/identity/identity")
    assert isinstance(by_machine.mailer, SmtpSettings)
    assert by_machine.mailer.auth == "none"


def test_two_replicas(chart: Chart) -> None:
    objects = chart.render(CHART / "examples/two-replicas.yaml")
    deployment, budget = one(objects, "Deployment"), one(objects, "PodDisruptionBudget")
    monitor, service = one(objects, "ServiceMonitor"), one(objects, "Service")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["replicas"] == 2
    for selector in (
        deployment["spec"]["selector"]["matchLabels"],
        budget["spec"]["selector"]["matchLabels"],
        service["spec"]["selector"],
        pod(objects)["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["path"] == "/metrics"
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    assert monitor["spec"]["namespaceSelector"]["matchNames"] == ["mail"]
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert service["spec"]["publishNotReadyAddresses"] is True  # those are the ones to know about
    assert budget["spec"]["maxUnavailable"] == 1
    assert "minAvailable" not in budget["spec"]


# The values of Teleport's own chart -----------------------------------------------------------------------

TBOT = {
    "enabled": True,
    "clusterName": "teleport.example.com",
    "teleportProxyAddress": "teleport.example.com:443",
    "joinMethod": "kubernetes",
    "token": "email-bot",
}
"""As in a values file for Teleport's own chart."""

OFFICIAL: dict[str, Any] = {
    "teleport": {"address": "t.example.com:443", "identitySecretName": "id", "identitySecretPath": "auth_id"},
    "mailgun": {
        "enabled": False, "domain": "", "privateKey": "", "privateKeyFromSecret": "",
        "privateKeySecretPath": "mailgunPrivateKey",
    },
    "smtp": {
        "enabled": True, "host": "mx.example.com", "port": 587, "username": "u@example.com", "password": "pw'\"\\",
        "passwordFromSecret": "", "passwordSecretPath": "smtpPassword", "starttlsPolicy": "mandatory",
    },
    "delivery": {"sender": "s@example.com", "recipients": []},
    "roleToRecipients": {"*": "admin@example.com", "dev": ["a@example.com", "b@example.com"]},
    "log": {"severity": "DEBUG", "output": "stderr"},
    "tbot": {"enabled": False, "clusterName": "", "joinMethod": "kubernetes", "defaultOutput": {"enabled": True}},
    "secretVolumeName": "my-volume",
    "annotations": {
        "config": {"a": "config"}, "deployment": {"a": "deployment"}, "pod": {"a": "pod"}, "secret": {"a": "secret"},
    },
    "image": {"repository": "registry.example.com/x", "pullPolicy": "Always", "tag": "7"},
    "imagePullSecrets": [{"name": "pull"}],
    "nameOverride": "", "fullnameOverride": "",
    "podAnnotations": {"old": "way"},
    "podSecurityContext": {"fsGroup": 1234},
    "securityContext": {"runAsUser": 1234},
    "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "k", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "volumes": [{"name": "extra", "emptyDir": {}}],
    "volumeMounts": [{"name": "extra", "mountPath": "/extra"}],
}  # fmt: skip


def test_the_values_of_teleports_own_chart_work_unchanged(chart: Chart) -> None:
    objects = chart.render(OFFICIAL)
    for item in objects:
        kubernetes_validate.validate(item, KUBERNETES.rpartition(".")[0], strict=True)
    loaded = settings(objects)
    assert isinstance(loaded.mailer, SmtpSettings)
    assert (loaded.mailer.host, loaded.mailer.port, loaded.mailer.username) == (
        "mx.example.com",
        587,
        "u@example.com",
    )
    assert (loaded.log.severity, loaded.log.output) == ("debug", "stderr")
    assert loaded.role_to_recipients == {
        "*": ("admin@example.com",),
        "dev": ("a@example.com", "b@example.com"),
    }
    assert loaded.delivery.sender == "s@example.com"
    secret, deployment = one(objects, "Secret"), one(objects, "Deployment")
    assert base64.b64decode(secret["data"]["smtpPassword"]).decode() == OFFICIAL["smtp"]["password"]
    assert "pw" not in toml(objects)
    assert [
        item["metadata"]["annotations"]["a"] for item in (one(objects, "ConfigMap"), deployment, secret)
    ] == ["config", "deployment", "secret"]
    template = deployment["spec"]["template"]
    assert template["metadata"]["annotations"].items() >= {"a": "pod", "old": "way"}.items()
    spec, main = template["spec"], container(objects)
    assert (main["image"], main["imagePullPolicy"]) == ("registry.example.com/x:7", "Always")
    assert spec["imagePullSecrets"] == [{"name": "pull"}]
    assert spec["securityContext"]["fsGroup"] == main["securityContext"]["runAsUser"] == 1234
    assert main["resources"]["limits"] == {"cpu": "1", "memory": "1Gi"}
    assert (spec["nodeSelector"], spec["affinity"]) == ({"disk": "ssd"}, {"podAntiAffinity": {}})
    assert spec["tolerations"] == [{"key": "k", "operator": "Exists"}]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert volumes["my-volume"]["secret"]["secretName"] == secret["metadata"]["name"]
    assert "extra" in volumes
    assert {"name": "extra", "mountPath": "/extra"} in main["volumeMounts"]


def installed(chart: Chart, values: dict[str, Any]) -> str:
    """What helm says after an installation: `helm template` does not print that, so an object has it."""
    copy = chart.home / "with-notes"
    if not copy.exists():
        shutil.copytree(CHART, copy)
        (copy / "templates/notes.yaml").write_text('told: {{ include "teleport-email.notes" . | toJson }}\n')
    told = chart.run("template", *chart._arguments(values, ("-s", "templates/notes.yaml"), copy))
    assert told.returncode == 0, told.stderr
    return str(yaml.safe_load(told.stdout)["told"])


def test_unknown_values_are_taken_and_named(chart: Chart) -> None:
    unknown = {
        "foo": 1, "serviceAccount": {"create": True}, "smtp": {"hots": "x"}, "teleport": {"extra": True},
        "image": {"registry": "r"}, "log": {"color": True}, "tbot": {"persistence": "disabled"},
    }  # fmt: skip
    values = merged(OFFICIAL, unknown)
    assert toml(chart.render(values)) == toml(chart.render(OFFICIAL))
    named = "foo, image.registry, log.color, serviceAccount, smtp.hots, teleport.extra"
    assert f"NOT KNOWN: nothing comes of these values: {named}." in installed(chart, values)
    assert "NOT KNOWN" not in installed(chart, OFFICIAL)


def test_what_is_known_is_what_the_defaults_have() -> None:
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    text = (CHART / "templates/_unknown.tpl").read_text()
    known = {
        path: set(re.findall(r'"(\w+)"', keys))
        for path, keys in re.findall(r'^\s+"(\w*)" \(list ([^)]*)\)', text, flags=re.MULTILINE)
    }
    assert known.pop("") == defaults.keys() | {"global"}
    assert known == {path: set(defaults[path]) for path in known}
    # All tables of the chart but those whose keys are somebody else's.
    others = {
        "tbot",
        "config",
        "podSecurityContext",
        "securityContext",
        "resources",
        "livenessProbe",
        "readinessProbe",
    }
    assert (
        known.keys() == {key for key, value in defaults.items() if isinstance(value, dict) and value} - others
    )


@pytest.mark.parametrize(("policy", "tls"), [("", "starttls"), ("disabled", "none")])
def test_every_policy_of_the_go_plugin_renders(chart: Chart, policy: str, tls: str) -> None:
    values = merged(OFFICIAL, {"smtp": {"starttlsPolicy": policy}})
    mailer = settings(chart.render(values)).mailer
    assert isinstance(mailer, SmtpSettings)
    assert (mailer.tls, mailer.auth) == (tls, "password")
    assert ("NO TLS: smtp.starttlsPolicy is disabled" in installed(chart, values)) is (policy == "disabled")


def test_roles_win_over_the_old_recipients(chart: Chart) -> None:
    values = merged(OFFICIAL, {"delivery": {"recipients": ["old@example.com"]}})
    assert settings(chart.render(values)).role_to_recipients.keys() == {"*", "dev"}
    assert "NOT USED: delivery.recipients" in installed(chart, values)


def test_the_password_from_a_file_of_ones_own(chart: Chart) -> None:
    mine = {"smtp": {"password": "", "passwordFile": "/extra/password"}}
    objects = chart.render(merged(OFFICIAL, mine))
    assert 'password_file = "/extra/password"' in toml(objects)
    assert "Secret" not in [item["kind"] for item in objects]
    assert "my-volume" not in [volume["name"] for volume in pod(objects)["volumes"]]
    both = chart.render(merged(OFFICIAL, {"smtp": {"passwordFile": "/extra/password"}}))
    assert 'password_file = "/var/lib/teleport-email/secret/smtpPassword"' in toml(both)


@pytest.mark.parametrize(
    ("output", "made"),
    [
        ("/var/log/teleport-email/log", "/var/log/teleport-email"),
        ("/var/lib/teleport/plugins/email/teleport-email.log", "/var/lib/teleport/plugins/email"),
        ("/extra/teleport.log", None),
        ("/extra/below/teleport.log", None),
        ("/tmp/teleport.log", None),
        ("/dev/stdout", None),
        ("stdout", None),
        ("out", None),
        ("2", None),
        ("", None),
    ],
)
def test_a_log_in_a_file_has_a_directory_that_can_be_written_to(
    chart: Chart, output: str, made: str | None
) -> None:
    values = merged(OFFICIAL, {"log": {"output": output}})
    objects = chart.render(values)
    mounts = {mount["name"]: mount["mountPath"] for mount in container(objects)["volumeMounts"]}
    assert mounts.get("log") == made
    assert ("log" in [volume["name"] for volume in pod(objects)["volumes"]]) is bool(made)
    assert ("in a directory that is gone with the pod" in installed(chart, values)) is bool(made)
    for item in objects:
        kubernetes_validate.validate(item, KUBERNETES.rpartition(".")[0], strict=True)


def test_container_and_port_are_called_as_there(chart: Chart) -> None:
    main = container(chart.render(OFFICIAL))
    assert main["name"] == "teleport-plugin-email"
    assert [port["name"] for port in main["ports"]] == ["http"]


def test_mailgun_with_the_key_in_the_values(chart: Chart) -> None:
    mailgun = {"enabled": True, "domain": "mg.example.com", "privateKey": "key-1"}
    objects = chart.render(merged(OFFICIAL, {"smtp": {"enabled": False}, "mailgun": mailgun}))
    assert base64.b64decode(one(objects, "Secret")["data"]["mailgunPrivateKey"]) == b"key-1"
    assert isinstance(settings(objects).mailer, MailgunSettings)


def test_the_old_way_to_name_recipients(chart: Chart) -> None:
    old = {"sender": "a@example.com", "recipients": ["x@example.com", "y@example.com"]}
    loaded = settings(chart.render(MINIMAL | {"roleToRecipients": {}, "delivery": old}))
    assert loaded.role_to_recipients == {"*": ("x@example.com", "y@example.com")}


def test_a_changed_configuration_or_password_begins_a_rollout(chart: Chart) -> None:
    def checksums(values: dict[str, Any]) -> tuple[str, str]:
        annotations = one(chart.render(values), "Deployment")["spec"]["template"]["metadata"]["annotations"]
        return annotations["checksum/config"], annotations["checksum/secret"]

    before = checksums(OFFICIAL)
    assert checksums(OFFICIAL) == before
    sender = checksums(merged(OFFICIAL, {"delivery": {"sender": "t@example.com"}}))
    assert (sender[0] != before[0], sender[1] != before[1]) == (True, False)
    password = checksums(merged(OFFICIAL, {"smtp": {"password": "other"}}))
    assert (password[0] != before[0], password[1] != before[1]) == (False, True)


# What is new --------------------------------------------------------------------------------------------


def test_any_key_of_the_configuration_can_be_set(chart: Chart) -> None:
    extra = {
        "plugin_name": "email2",
        "delivery": {"timezone": "Europe/Berlin", "catch_up": "24h", "max_recipients": 7, "skip_requester": True},
        "smtp": {"tls": "implicit", "starttls_policy": "disabled", "max_per_minute": 1000000,
                 "oauth2": {"token_url": "https://login.example.com/t", "token_file": None,
                            "client_id": "c", "client_secret_file": "/secrets/s", "scope": "s"},
                 "auth": "xoauth2", "username": "u@example.com"},
        "role_to_recipients": {"weird \"role\" \\ é <&>": ["w@example.com"]},
        "log": {"format": "json"},
    }  # fmt: skip
    objects = chart.render(merged(MINIMAL, {"config": extra}))
    loaded = settings(objects)
    assert loaded.plugin_name == "email2"
    assert (loaded.delivery.timezone, loaded.delivery.catch_up) == ("Europe/Berlin", 86400)
    assert loaded.delivery.max_recipients == 7
    assert loaded.delivery.skip_requester
    assert isinstance(loaded.mailer, SmtpSettings)
    assert (loaded.mailer.tls, loaded.mailer.auth, loaded.mailer.max_per_minute) == (
        "implicit",
        "xoauth2",
        1000000,
    )
    assert loaded.mailer.oauth2 is not None
    assert loaded.mailer.oauth2.client_id == "c"
    assert loaded.role_to_recipients['weird "role" \\ é <&>'] == ("w@example.com",)
    assert loaded.log.format == "json"
    assert "Secret" not in [item["kind"] for item in objects]  # xoauth2 needs no password


def test_everything_optional_at_once_is_still_valid(chart: Chart) -> None:
    extra = {
        "service": {"enabled": True, "annotations": {"s": "1"}},
        "podDisruptionBudget": {"enabled": True, "minAvailable": "50%"},
        "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
        "serviceAccountName": "sa",
        "priorityClassName": "high",
        "image": {"digest": "sha256:" + "0" * 64},
        "diagnostics": {"port": 9999},
        "podSecurityContext": None,
        "securityContext": None,
    }
    objects = chart.render(merged(MINIMAL, extra))
    for item in objects:
        kubernetes_validate.validate(item, KUBERNETES.rpartition(".")[0], strict=True)
    assert one(objects, "PodDisruptionBudget")["spec"]["minAvailable"] == "50%"
    main = container(objects)
    assert main["image"] == "teleport-email@sha256:" + "0" * 64
    assert {"name": "HTTPS_PROXY", "value": "http://proxy:3128"} in main["env"]
    assert "securityContext" not in main
    assert "securityContext" not in pod(objects)
    assert settings(objects).diagnostics.addr == ":9999"


def test_the_document_names_every_example() -> None:
    document = (CHART.parents[2] / "docs/kubernetes.md").read_text()
    named = set(re.findall(r"^\| `([\w-]+\.yaml)` \|", document, flags=re.MULTILINE))
    assert named == {path.name for path in EXAMPLES}


def test_the_chart_runs_the_version_of_this_repository(chart: Chart) -> None:
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert about["appVersion"] == about["version"] == teleport_email.__version__
    assert container(chart.render(MINIMAL))["image"] == f"teleport-email:{teleport_email.__version__}"


# What is refused ----------------------------------------------------------------------------------------


def test_all_faults_are_told_at_once_with_what_to_do(chart: Chart) -> None:
    told = chart.refusal({})
    for value in (
        "teleport.address",
        "teleport.identitySecretName",
        "delivery.sender",
        "roleToRecipients",
        "smtp.enabled",
    ):
        assert f"  - {value}" in told or f", {value}" in told, value


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"mailgun": {"enabled": True}}, "mailgun.enabled, smtp.enabled: enable one of the two"),
        ({"smtp": {"username": "u"}}, "smtp.passwordFromSecret: name the Secret"),
        ({"smtp": {"host": ""}}, "smtp.host: write"),
        ({"smtp": {"enabled": False}, "mailgun": {"enabled": True, "domain": "d"}}, "mailgun.privateKeyFromSecret: name"),
        ({"log": {"output": "STDOUT"}}, "log.output: STDOUT is no stream"),
        ({"log": {"output": "teleport.log"}}, "log.output: teleport.log is no stream"),
        ({"log": {"output": "/teleport.log"}}, "belongs to the image"),
        ({"log": {"output": "/etc/log/teleport.log"}}, "belongs to the image"),
        ({"log": {"output": "/var/lib/teleport-email/secret/log"}}, "is mounted read-only"),
        ({"config": {"log": {"output": "/usr/x.log"}}}, "log.output: /usr/x.log cannot be written"),
        (
            {"log": {"output": "/data/a/b.log"}, "volumes": [{"name": "d", "emptyDir": {}}],
             "volumeMounts": [{"name": "d", "mountPath": "/data", "readOnly": True}]},
            "/data is mounted read-only",
        ),
        ({"tbot": {"enabled": True}}, "tbot.clusterName: write the cluster's name"),
        ({"tbot": {"enabled": True}}, "tbot.token: name the join token"),
        ({"tbot": {"enabled": True}}, "tbot.teleportProxyAddress: write"),
        ({"tbot": TBOT | {"defaultOutput": {"enabled": False}}}, "tbot.defaultOutput.enabled: must be true"),
        ({"tbot": TBOT | {"teleportAuthAddress": "a:3025"}}, "keep one of the two"),
        ({"config": {"smtp": {"password": "x"}}}, "config.smtp.password: would be readable in a ConfigMap"),
        ({"config": {"mailgun": {"private_key": "x"}}}, "use mailgun.privateKeyFromSecret"),
        ({"config": {"smtp": {"oauth2": {"client_secret": "x"}}}}, "client_secret_file"),
        ({"image": {"repository": "public.ecr.aws/gravitational/teleport-plugin-email"}}, "Teleport's own plugin"),
        # by the schema
        ({"smtp": {"port": "587"}}, "smtp.port"),
        ({"smtp": {"starttlsPolicy": "never"}}, "smtp.starttlsPolicy"),
        ({"log": {"severity": "loud"}}, "log.severity"),
        ({"roleToRecipients": {"*": []}}, "roleToRecipients"),
        ({"config": {"smtp": None}}, "config.smtp"),
        ({"config": {"delivry": {}}}, "delivry is not allowed"),
        ({"teleport": {"identitySecretName": "Not A Name"}}, "identitySecretName"),
    ],
)  # fmt: skip
def test_a_fault_is_told(chart: Chart, changes: dict[str, Any], told: str) -> None:
    assert told in chart.refusal(merged(MINIMAL, changes)).replace("\n", " ")


def test_roles_without_a_line_of_their_own_must_be_thought_of(chart: Chart) -> None:
    assert 'needs a line "*"' in chart.refusal(MINIMAL | {"roleToRecipients": {"dev": "d@example.com"}})


def test_the_schema_itself_is_one_and_takes_the_defaults() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    jsonschema.Draft7Validator(schema).validate(defaults)
    assert defaults.keys() == schema["properties"].keys() - {"global"}


# What helm says afterwards: against the API of a small Kubernetes -------------------------------------------


class Kubernetes:
    """As much of a Kubernetes API as ``helm install --dry-run=server`` and its look-ups ask for."""

    def __init__(self, secrets: dict[str, list[str]]) -> None:
        self.secrets = secrets
        self.asked: list[str] = []

    def server(self) -> HttpServer:
        return HttpServer({}, fallback=self.answer)

    async def answer(self, request: Request) -> Response:
        self.asked.append(request.path)
        known: dict[str, Any] = {
            "/version": {"major": "1", "minor": "31", "gitVersion": f"v{KUBERNETES}"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group("apps")]},
            "/api/v1": _resources("v1", Secret="secrets", ConfigMap="configmaps", Namespace="namespaces"),
            "/apis/apps/v1": _resources("apps/v1", Deployment="deployments"),
            "/api/v1/namespaces/mail": {
                "kind": "Namespace",
                "apiVersion": "v1",
                "metadata": {"name": "mail"},
            },
        }
        for name, keys in self.secrets.items():
            known[f"/api/v1/namespaces/mail/secrets/{name}"] = {
                "kind": "Secret",
                "apiVersion": "v1",
                "metadata": {"name": name},
                "data": dict.fromkeys(keys, "eA=="),
            }
        if request.path in known:
            return Response.json(known[request.path])
        missing = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "reason": "NotFound",
            "code": 404,
        }
        return Response.json(missing, 404)


def _group(name: str) -> dict[str, Any]:
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


def _resources(group: str, **kinds: str) -> dict[str, Any]:
    resources = [
        {
            "name": name,
            "singularName": "",
            "kind": kind,
            "namespaced": kind != "Namespace",
            "verbs": ["get", "create"],
        }
        for kind, name in kinds.items()
    ]
    return {"kind": "APIResourceList", "groupVersion": group, "resources": resources}


async def notes(chart: Chart, example: str, secrets: dict[str, list[str]]) -> str:
    kubernetes = Kubernetes(secrets)
    async with kubernetes.server() as server:
        process = await asyncio.create_subprocess_exec(
            chart.helm, "install", "demo", str(CHART), "--dry-run=server", "--disable-openapi-validation",
            "--kube-apiserver", server.url, "-n", "mail", "-f", str(CHART / "examples" / example),
            env=chart.environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, error = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, error.decode()
    assert any("/secrets/" in path for path in kubernetes.asked)
    return out.decode().partition("NOTES:")[2]


async def test_the_notes_name_the_secrets_and_keys_that_are_read(chart: Chart) -> None:
    told = await notes(
        chart,
        "mailgun-guide.yaml",
        {"teleport-plugin-email-identity": ["auth_id"], "mailgun-private-key": ["mailgun-private-key"]},
    )
    assert "teleport-plugin-email-identity, key auth_id: the identity" in told
    assert "mailgun-private-key, key mailgun-private-key: Mailgun's sending key" in told
    assert "describe secret teleport-plugin-email-identity mailgun-private-key" in told
    assert "WRONG KEY" not in told
    assert "MISSING" not in told


async def test_the_notes_tell_a_wrong_key_and_the_right_ones(chart: Chart) -> None:
    told = await notes(
        chart,
        "mailgun-guide.yaml",
        {"teleport-plugin-email-identity": ["identity", "tlscert"], "mailgun-private-key": ["key.txt"]},
    )
    assert 'Secret teleport-plugin-email-identity has no key "auth_id"; it has: identity, tlscert.' in told
    assert "Set teleport.identitySecretPath to the right one" in told
    assert 'Secret mailgun-private-key has no key "mailgun-private-key"; it has: key.txt.' in told
    assert "Set mailgun.privateKeySecretPath to the right one" in told


async def test_the_notes_tell_a_secret_that_is_not_there(chart: Chart) -> None:
    told = await notes(chart, "smtp-password.yaml", {"teleport-plugin-email-identity": ["auth_id"]})
    assert "MISSING: there is no Secret smtp-password in the namespace mail" in told
    assert 'needs the key "smtpPassword" (smtp.passwordSecretPath)' in told


async def test_a_relay_without_login_needs_no_second_secret(chart: Chart) -> None:
    told = await notes(chart, "machine-id.yaml", {"teleport-email-identity": ["identity"]})
    assert "teleport-email-identity, key identity: the identity" in told
    assert "password (" not in told
    assert "WRONG KEY" not in told


# Machine ID ------------------------------------------------------------------------------------------------


def of_tbot(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [item for item in objects if item["kind"] == kind and item["metadata"]["name"] == "demo-tbot"]
    return found


def test_tbot_comes_along_under_the_official_values_and_names(chart: Chart) -> None:
    values = merged(MINIMAL, {"teleport": {"address": "", "identitySecretName": ""}, "tbot": TBOT})
    objects = chart.render(values)
    for item in objects:
        kubernetes_validate.validate(item, KUBERNETES, strict=True)
    settings = yaml.safe_load(of_tbot(objects, "ConfigMap")["data"]["tbot.yaml"])
    assert settings == {
        "version": "v2",
        "proxy_server": "teleport.example.com:443",
        "onboarding": {"join_method": "kubernetes", "token": "email-bot"},
        "storage": {"type": "memory"},
        "services": [
            {"type": "identity", "destination": {"type": "kubernetes_secret", "name": "demo-tbot-out"}}
        ],
    }
    spec = of_tbot(objects, "Deployment")["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == of_tbot(objects, "ServiceAccount")["metadata"]["name"]
    [tbot] = spec["containers"]
    assert tbot["args"] == ["start", "-c", "/config/tbot.yaml"]
    environ = {each["name"]: each for each in tbot["env"]}
    token = environ["KUBERNETES_TOKEN_PATH"]["value"]
    mounts = {mount["mountPath"]: mount["name"] for mount in tbot["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    projected = volumes[mounts[str(Path(token).parent)]]["projected"]["sources"][0]["serviceAccountToken"]
    assert (projected["audience"], projected["path"]) == ("teleport.example.com", Path(token).name)
    assert volumes[mounts["/config"]]["configMap"]["name"] == "demo-tbot"
    # It may write the one Secret, and read no other.
    for entry in of_tbot(objects, "Role")["rules"]:
        assert entry["resources"] == ["secrets"]
        assert entry["verbs"] == ["create"] or entry["resourceNames"] == ["demo-tbot-out"]
    binding = of_tbot(objects, "RoleBinding")
    assert binding["roleRef"]["name"] == "demo-tbot"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "demo-tbot", "namespace": "mail"}]


def test_the_daemon_takes_the_identity_and_the_address_of_tbot(chart: Chart) -> None:
    for values in (
        merged(MINIMAL, {"teleport": {"address": "", "identitySecretName": ""}, "tbot": TBOT}),
        merged(MINIMAL, {"teleport": {"identitySecretPath": "auth_id"}, "tbot": TBOT}),
    ):
        objects = chart.render(values)
        [daemon] = [
            item
            for item in objects
            if item["kind"] == "Deployment" and item["metadata"]["name"] != "demo-tbot"
        ]
        volumes = {volume["name"]: volume for volume in daemon["spec"]["template"]["spec"]["volumes"]}
        assert volumes["teleport-identity"]["secret"]["secretName"] == "demo-tbot-out"
        [toml] = [
            item["data"]["teleport-email.toml"]
            for item in objects
            if item["kind"] == "ConfigMap" and "teleport-email.toml" in item["data"]
        ]
        assert 'addr = "teleport.example.com:443"' in toml
        assert 'identity = "/var/lib/teleport-email/identity/identity"' in toml
    selectors = [item["spec"]["selector"]["matchLabels"] for item in objects if item["kind"] == "Deployment"]
    assert selectors[0]["app.kubernetes.io/name"] != selectors[1]["app.kubernetes.io/name"]


def test_tbot_by_the_auth_service_with_another_name_version_and_join_method(chart: Chart) -> None:
    tbot = TBOT | {
        "teleportProxyAddress": "", "teleportAuthAddress": "auth.example.com:3025", "clusterName": "",
        "joinMethod": "iam", "nameOverride": "machine", "teleportVersionOverride": "18.2.1",
    }  # fmt: skip
    objects = chart.render(merged(MINIMAL, {"tbot": tbot}))
    [found] = [item for item in objects if item["metadata"]["name"] == "demo-machine" and "data" in item]
    settings = yaml.safe_load(found["data"]["tbot.yaml"])
    assert settings["auth_server"] == "auth.example.com:3025"
    assert settings["services"][0]["destination"]["name"] == "demo-machine-out"
    [pod_] = [
        item["spec"]["template"]["spec"]
        for item in objects
        if item["kind"] == "Deployment" and item["metadata"]["name"] == "demo-machine"
    ]
    assert pod_["containers"][0]["image"].endswith("/tbot-distroless:18.2.1")
    assert [volume["name"] for volume in pod_["volumes"]] == ["config"]


def test_without_it_there_is_no_tbot(chart: Chart) -> None:
    assert {item["kind"] for item in chart.render(MINIMAL)}.isdisjoint(
        {"Role", "RoleBinding", "ServiceAccount"}
    )
