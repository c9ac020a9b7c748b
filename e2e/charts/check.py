"""Checks of the chart `ror`: lint, renders, Kubernetes schemas, policies, refused values.

    python check.py --helm PATH [--chart DIR] [--only WORD]

Needs the packages of requirements.txt and no cluster. One line per check; the last is the count.
"""

import argparse
import functools
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import jsonschema
import kubernetes_validate
import yaml
from kubernetes_validate import utils as kubernetes_schemas

HERE = pathlib.Path(__file__).resolve().parent
KUBE_VERSIONS = ["1.33", "1.37"]
SERVICES = "nomenclatures access identity structures offers capacity bascule gateway".split()
# The call graph, written a second time on purpose: a change of the chart must be meant.
CALLS = {
    "nomenclatures": ["structures", "offers", "capacity"],
    "access": [],
    "identity": ["nomenclatures"],
    "structures": ["nomenclatures", "identity"],
    "offers": ["nomenclatures", "structures", "identity"],
    "capacity": ["nomenclatures", "offers"],
    "bascule": ["structures", "offers", "capacity"],
    "gateway": SERVICES,  # its own replicas included, for the image of the directory
}
REGIONS = "01 02 03 04 06 11 24 27 28 32 44 52 53 75 76 84 93 94".split()
# Object names and secrets in the clear that may never appear in a render.
SECRET_WORDS = re.compile(
    r"(postgres(ql)?|nats|tls)://[^\s\"']*:[^\s\"'/]*@|BEGIN [A-Z ]*PRIVATE KEY", re.I
)

# Read once per version instead of once per object.
kubernetes_schemas.schema_contents = functools.lru_cache(maxsize=None)(
    kubernetes_schemas.schema_contents
)


class Report:
    """Counts checks; a check is a name and the list of what is wrong."""

    def __init__(self, only):
        self.only, self.passed, self.failed = only, 0, 0

    def check(self, name, faults, note=""):
        if self.only and self.only not in name:
            return
        try:
            faults = list(faults)
        except (
            Exception
        ) as error:  # a render too odd for the check is a fault, not the end of the run
            faults = [f"the check itself stopped: {error!r}"]
        if faults:
            self.failed += 1
            print(f"FAIL {name}")
            for fault in faults[:20]:
                print(f"       {fault}")
        else:
            self.passed += 1
            print(f"ok   {name}{f' ({note})' if note else ''}")


class Helm:
    def __init__(self, helm, chart):
        self.helm, self.chart = helm, chart

    def run(self, *arguments):
        return subprocess.run([self.helm, *arguments], capture_output=True, text=True, check=False)

    def template(self, values=(), sets=(), kube=KUBE_VERSIONS[0]):
        files = [part for value in values for part in ("-f", str(value))]
        settings = [part for value in sets for part in ("--set-json", value)]
        return self.run(
            "template",
            "ror",
            str(self.chart),
            "-n",
            "sante",
            "--kube-version",
            kube,
            *files,
            *settings,
        )

    def notes(self, values):
        """NOTES.txt, which `helm template` does not show: a client-side dry run of an install."""
        files = [part for value in values for part in ("-f", str(value))]
        return self.run(
            "install", "ror", str(self.chart), "-n", "sante", "--dry-run=client", *files
        )


class UniqueKeys(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):
    """YAML that refuses a key given twice, as the API server does."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def presets(chart):
    """Name → values files. `ha` is on top of values-ha.yaml, as its own first line says."""
    found = {"default": []}
    for path in sorted((chart / "ci").glob("*.yaml")):
        found[path.stem] = [chart / "values-ha.yaml", path] if path.stem == "ha" else [path]
    return found


def identity(document):
    return f"{document['kind']}/{document['metadata']['name']}"


def of_kind(documents, kind):
    return [d for d in documents if d["kind"] == kind]


def component(document):
    return document["metadata"]["labels"]["app.kubernetes.io/component"]


def workloads(documents):
    return of_kind(documents, "Deployment") + of_kind(documents, "Job")


def matches(selector, labels):
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions") or []:
        assert expression["operator"] == "In", expression
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return True


# --- schemas


@functools.lru_cache(maxsize=None)
def custom_schema(kind):
    return json.loads((HERE / "schemas" / f"{kind.lower()}.json").read_text())


@functools.lru_cache(maxsize=None)
def schema_fault(text, kube):
    document = json.loads(text)
    try:
        if document["apiVersion"].startswith("monitoring.coreos.com/"):
            jsonschema.Draft202012Validator(custom_schema(document["kind"])).validate(document)
        else:
            kubernetes_validate.validate(document, kube, strict=True)
    except jsonschema.ValidationError as fault:
        return f"{identity(document)}: {'.'.join(map(str, fault.path))}: {fault.message}"
    except kubernetes_schemas.SchemaNotFoundError as fault:
        return f"{identity(document)}: {fault.message}"
    return None


def schema_faults(documents, kube):
    for document in documents:
        fault = schema_fault(json.dumps(document, sort_keys=True), kube)
        if fault:
            yield fault


# --- policies: each yields what is wrong in one render


def policy_pods_are_confined(documents, _):
    for workload in workloads(documents):
        pod, name = workload["spec"]["template"]["spec"], identity(workload)
        security = pod.get("securityContext", {})
        if not security.get("runAsNonRoot") or security.get("runAsUser") != 65532:
            yield f"{name}: not run as 65532"
        if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{name}: no seccomp profile"
        for key in ("automountServiceAccountToken", "enableServiceLinks"):
            if pod.get(key) is not False:
                yield f"{name}: {key} must be false"
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.get(key):
                yield f"{name}: {key}"
        for volume in pod.get("volumes", []):
            if not {"secret", "configMap", "emptyDir"} & set(volume):
                yield f"{name}: volume {volume['name']} is of another kind"
        for container in pod["containers"] + pod.get("initContainers", []):
            context = container.get("securityContext", {})
            if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
                yield f"{name}: privileges"
            if context.get("readOnlyRootFilesystem") is not True:
                yield f"{name}: root file system is writable"
            if context.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{name}: capabilities are kept"


def policy_resources_are_bounded(documents, _):
    for workload in workloads(documents):
        for container in workload["spec"]["template"]["spec"]["containers"]:
            resources = container.get("resources", {})
            for path in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
                if not resources.get(path[0], {}).get(path[1]):
                    yield f"{identity(workload)}: no {'.'.join(path)}"


def policy_probes_mean_something(documents, _):
    for deployment in of_kind(documents, "Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        container = pod["containers"][0]
        port = "http" if component(deployment) == "gateway" else "admin"
        for probe, path in (
            ("startupProbe", "/ready"),
            ("readinessProbe", "/ready"),
            ("livenessProbe", "/live"),
        ):
            if container.get(probe, {}).get("httpGet") != {"path": path, "port": port}:
                yield f"{identity(deployment)}: {probe} is not {path} on {port}"
        if port not in [p["name"] for p in container["ports"]]:
            yield f"{identity(deployment)}: no port {port}"
        if pod.get("terminationGracePeriodSeconds") != 30:
            yield f"{identity(deployment)}: grace is not 30 s"
        if not pod.get("topologySpreadConstraints"):
            yield f"{identity(deployment)}: replicas are not spread"


def policy_images_are_fixed(documents, _):
    for workload in workloads(documents):
        for container in workload["spec"]["template"]["spec"]["containers"]:
            image = container["image"]
            if not re.search(r"(@sha256:[0-9a-f]{64}|:[^:/]+)$", image) or image.endswith(
                ":latest"
            ):
                yield f"{identity(workload)}: image {image}"


def policy_settings_and_secrets(documents, _):
    for document in documents:
        if document["kind"] == "Secret":
            yield f"{identity(document)}: a Secret in the chart"
        if SECRET_WORDS.search(json.dumps(document)):
            yield f"{identity(document)}: a password or key in the clear"
    for workload in workloads(documents):
        variables = workload["spec"]["template"]["spec"]["containers"][0]["env"]
        names = [variable["name"] for variable in variables]
        for name in {n for n in names if names.count(n) > 1}:
            yield f"{identity(workload)}: {name} given twice"
        owns = component(workload) != "gateway"
        database = [v for v in variables if v["name"] == "ROR_DATABASE__URL"]
        if owns != bool(database):
            wrong = "missing" if owns else "on the gateway"
            yield f"{identity(workload)}: database setting {wrong}"
        for variable in database:
            if "secretKeyRef" not in variable.get("valueFrom", {}):
                yield f"{identity(workload)}: the database URL is not by reference"


def policy_selectors_match(documents, _):
    pods = {
        component(d): d["spec"]["template"]["metadata"]["labels"]
        for d in of_kind(documents, "Deployment")
    }
    for deployment in of_kind(documents, "Deployment"):
        selector = deployment["spec"]["selector"]
        selected = [name for name, labels in pods.items() if matches(selector, labels)]
        if selected != [component(deployment)]:
            yield f"{identity(deployment)}: selects {selected}"
        if set(selector["matchLabels"]) != {
            f"app.kubernetes.io/{k}" for k in ("name", "instance", "component")
        }:
            yield f"{identity(deployment)}: the selector carries labels that may change"
        for constraint in deployment["spec"]["template"]["spec"].get(
            "topologySpreadConstraints", []
        ):
            if constraint["labelSelector"] != selector:
                yield f"{identity(deployment)}: spreads other pods"
    for kind, path in (
        ("Service", None),
        ("PodDisruptionBudget", "selector"),
        ("ServiceMonitor", "selector"),
    ):
        for document in of_kind(documents, kind):
            selector = (
                document["spec"][path] if path else {"matchLabels": document["spec"]["selector"]}
            )
            selected = [name for name, labels in pods.items() if matches(selector, labels)]
            if selected != [component(document)]:
                yield f"{identity(document)}: selects {selected}"
    for service in of_kind(documents, "Service"):
        deployment = next(
            d for d in of_kind(documents, "Deployment") if component(d) == component(service)
        )
        known = [
            p["name"] for p in deployment["spec"]["template"]["spec"]["containers"][0]["ports"]
        ]
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in known:
                yield f"{identity(service)}: port {port['targetPort']} is not that of a container"
    for service in of_kind(documents, "Service"):
        alone = service["spec"].get("clusterIP") == "None"
        if alone != service["metadata"]["name"].endswith("-gateway-peers"):
            yield f"{identity(service)}: only replicas that call each other are reached one by one"
    services = {}
    for s in of_kind(documents, "Service"):
        services.setdefault(component(s), []).extend(p["name"] for p in s["spec"]["ports"])
    for monitor in of_kind(documents, "ServiceMonitor"):
        for endpoint in monitor["spec"]["endpoints"]:
            if endpoint["port"] not in services[component(monitor)]:
                yield f"{identity(monitor)}: port {endpoint['port']} is not that of the Service"


def policy_names_lead_somewhere(documents, _):
    """Accounts, ConfigMaps, Services and scale targets named by an object exist in the render."""
    known = {identity(d) for d in documents}
    for workload in workloads(documents):
        pod = workload["spec"]["template"]["spec"]
        wanted = [f"ServiceAccount/{pod['serviceAccountName']}"]
        wanted += [
            f"ConfigMap/{v['configMap']['name']}"
            for v in pod.get("volumes", [])
            if "configMap" in v
        ]
        for variable in pod["containers"][0]["env"]:
            if variable["name"].startswith("ROR_UPSTREAM__"):
                host, port = re.fullmatch(r"https?://([^:/]+):(\d+)", variable["value"]).groups()
                wanted.append(f"Service/{host}")
                if port != "50051":
                    yield f"{identity(workload)}: {variable['name']} is not on port 50051"
        yield from (
            f"{identity(workload)}: {name} is not there" for name in wanted if name not in known
        )
        mounts = [m["name"] for m in pod["containers"][0].get("volumeMounts", [])]
        if sorted(mounts) != sorted(v["name"] for v in pod.get("volumes", [])):
            yield f"{identity(workload)}: volumes and mounts differ"
        writable = [
            f"{m['mountPath']}/"
            for m in pod["containers"][0].get("volumeMounts", [])
            if not m.get("readOnly")
        ]
        for variable in pod["containers"][0]["env"]:
            if variable["name"] == "ROR_IMAGE__DIR" and not variable["value"].startswith(
                tuple(writable)
            ):
                yield f"{identity(workload)}: the image has no writable folder"
    for autoscaler in of_kind(documents, "HorizontalPodAutoscaler"):
        target = f"Deployment/{autoscaler['spec']['scaleTargetRef']['name']}"
        if target not in known:
            yield f"{identity(autoscaler)}: {target} is not there"
        elif "replicas" in next(d for d in documents if identity(d) == target)["spec"]:
            yield f"{target}: replicas are given and scaled"
    for ingress in of_kind(documents, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                if f"Service/{path['backend']['service']['name']}" not in known:
                    yield f"{identity(ingress)}: its Service is not there"
    if len(known) != len(documents):
        yield "two objects of the same kind and name"


def policy_network_follows_the_calls(documents, preset):
    """One policy per workload; a call is open at both ends, and nothing else is."""
    policies = of_kind(documents, "NetworkPolicy")
    if preset == "no-bascule" and not policies:  # the preset that turns them off
        return
    pods = {component(d): d["spec"]["template"]["metadata"]["labels"] for d in workloads(documents)}
    chosen = {}
    for name, labels in pods.items():
        own = [p for p in policies if matches(p["spec"]["podSelector"], labels)]
        if len(own) != 1 or own[0]["spec"]["policyTypes"] != ["Ingress", "Egress"]:
            yield f"{name}: {len(own)} policies, one in both directions is wanted"
        else:
            chosen[name] = own[0]["spec"]
    if set(chosen) != set(pods):
        return
    upstreams = {
        component(d): [
            v["name"].removeprefix("ROR_UPSTREAM__").lower()
            for v in d["spec"]["template"]["spec"]["containers"][0]["env"]
            if v["name"].startswith("ROR_UPSTREAM__")
        ]
        for d in of_kind(documents, "Deployment")
    }

    images = {
        component(d)
        for d in of_kind(documents, "Deployment")
        for v in d["spec"]["template"]["spec"]["containers"][0]["env"]
        if v["name"] == "ROR_IMAGE__DIR"
    }

    def opens(rules, peers, port, labels):
        for rule in rules or []:
            if port in [p["port"] for p in rule["ports"]]:
                if any(
                    matches(peer["podSelector"], labels)
                    for peer in rule.get(peers, [])
                    if set(peer) == {"podSelector"}
                ):
                    return True
        return False

    for caller in upstreams:
        # Without a folder for the image of the directory, replicas have nothing to give each other.
        alone = caller == "gateway" and "gateway" not in images
        wanted = [name for name in CALLS[caller] if name in upstreams and not (alone and name == caller)]
        if sorted(upstreams[caller]) != sorted(wanted):
            given = sorted(upstreams[caller])
            yield f"{caller}: is given the addresses of {given}, calls {sorted(wanted)}"
        for callee in upstreams:
            out = opens(chosen[caller].get("egress"), "to", 50051, pods[callee])
            into = opens(chosen[callee].get("ingress"), "from", 50051, pods[caller])
            call = callee in wanted
            if (out, into) != (call, call):
                yield f"{caller} → {callee}: egress {out}, ingress {into}, wanted {call}"
    for name, spec in chosen.items():
        ports = {p["port"] for rule in spec["egress"] for p in rule["ports"]}
        for port, needed in ((53, True), (5432, name != "gateway"), (4222, name != "migrate")):
            if (port in ports) != needed:
                yield f"{name}: egress to port {port} is {'closed' if needed else 'open'}"
    if chosen["migrate"].get("ingress"):
        yield "migrate: somebody may call a migration"


def policy_migrations_come_first(documents, _):
    jobs = of_kind(documents, "Job")
    if not jobs:
        return
    owners = sorted(
        component(d) for d in of_kind(documents, "Deployment") if component(d) != "gateway"
    )
    migrated = sorted(j["spec"]["template"]["spec"]["containers"][0]["args"][1] for j in jobs)
    if owners != migrated:
        yield f"schemas of {owners}, migrations of {migrated}"
    weights = [int(j["metadata"]["annotations"]["helm.sh/hook-weight"]) for j in jobs]
    if len(set(weights)) != len(weights):
        yield "two migrations have the same weight"
    helpers = [
        d
        for d in documents
        if "helm.sh/hook" in d["metadata"].get("annotations", {}) and d not in jobs
    ]
    for document in jobs + helpers:
        if document["metadata"]["annotations"]["helm.sh/hook"] != "pre-install,pre-upgrade":
            yield f"{identity(document)}: wrong hook"
    for helper in helpers:
        if int(helper["metadata"]["annotations"]["helm.sh/hook-weight"]) >= min(weights):
            yield f"{identity(helper)}: comes after the Jobs that need it"


def policy_bascule_is_whole_or_absent(documents, preset):
    if preset == "no-bascule":
        for document in documents:
            if "bascule" in json.dumps(document).lower():
                yield f"{identity(document)}: names bascule"
        return
    config = next((d for d in of_kind(documents, "ConfigMap") if component(d) == "bascule"), None)
    if config is None:
        yield "no ConfigMap"
        return
    content = yaml.load(config["data"]["bascule.yaml"], UniqueKeys)
    if sorted(content["regions"]) != REGIONS:
        yield f"regions {sorted(content['regions'])}"
    if preset in ("default", "registered", "closed"):
        wanted = "CLOSED" if preset == "closed" else "REGISTERED"
        yield from (
            f"{c} is {r['ceiling']}"
            for c, r in content["regions"].items()
            if r["ceiling"] != wanted
        )
    others = [
        w for w in workloads(documents) if component(w) == "bascule" and w["kind"] == "Deployment"
    ]
    notes = (
        others[0]["spec"]["template"]["metadata"].get("annotations", {}) if len(others) == 1 else {}
    )
    if "checksum/bascule" not in notes:
        yield "the pods do not restart when the file changes"


def policy_dashboards_are_json(documents, _):
    for config in of_kind(documents, "ConfigMap"):
        for name, text in config["data"].items():
            if name.endswith(".json"):
                panels = json.loads(text)["panels"]
                if len({p["id"] for p in panels}) != len(panels) or not all(
                    p["targets"] for p in panels
                ):
                    yield f"{name}: panels"


POLICIES = {
    name.removeprefix("policy_"): check
    for name, check in list(globals().items())
    if name.startswith("policy_")
}

# --- values that must be refused: (what, --set-json settings, words of the answer)

FROZEN = "bascule.regions.52.ceiling"
WINDOW = 'bascule.regions.52.window={"start":"2026-10-06T08:00:00+02:00"}'
PILOT_LINE = 'bascule.productLines.sans-retour={"reverseFeed":{"mode":"none"}}'
REFUSED = [
    ("unknown key at the top", ["inconnu=1"], "inconnu"),
    ("unknown key of a service", ["services.offers.replica=2"], "replica"),
    ("unknown service", ['services.facturation={"replicas":1}'], "facturation"),
    ("unknown key of defaults", ['defaults.topologySpread.rack="off"'], "rack"),
    ("unknown key of a region", ['bascule.regions.52.plafond="READY"'], "plafond"),
    ("unknown key of overrides", ["bascule.regions.52.overrides.shadow.ratio=0.5"], "ratio"),
    ("wrong type", ['services.gateway.replicas="deux"'], "/services/gateway/replicas"),
    ("no replica", ["services.gateway.replicas=0"], "/services/gateway/replicas"),
    ("tag latest", ['image.tag="latest"'], "/image/tag"),
    ("password in the NATS address", ['nats.url="nats://ror:secret@nats:4222"'], "/nats/url"),
    (
        "database of the gateway",
        ['services.gateway.database={"existingSecret":"x","key":"uri"}'],
        "/services/gateway",
    ),
    ("service without a Secret", ['services.offers.database.existingSecret=""'], "existingSecret"),
    ("unbounded memory", ["defaults.resources.limits=null"], "limits"),
    ("19th region", ['bascule.regions.13={"name":"Autre","ceiling":"REGISTERED"}'], "13"),
    ("17 regions", ["bascule.regions.94=null"], "94"),
    ("unknown ceiling", ['bascule.regions.52.ceiling="DONE"'], "/bascule/regions/52/ceiling"),
    (
        "transient state as ceiling",
        ['bascule.regions.52.ceiling="ROLLING_BACK"'],
        "/bascule/regions/52/ceiling",
    ),
    (
        "FROZEN without window",
        [f'{FROZEN}="FROZEN"', 'bascule.regions.52.productLine="ror-ir"'],
        "window",
    ),
    (
        "CLOSED without window",
        [f'{FROZEN}="CLOSED"', 'bascule.regions.52.productLine="ror-ir"'],
        "window",
    ),
    ("FROZEN without product line", [f'{FROZEN}="FROZEN"', WINDOW], "productLine"),
    (
        "window without time zone",
        ['bascule.regions.52.window={"start":"2026-10-06T08:00:00"}'],
        "window/start",
    ),
    ("unknown product line", ['bascule.regions.52.productLine="autre"'], "autre"),
    (
        "no return path, no pilot",
        [f'{FROZEN}="LOADED"', WINDOW, PILOT_LINE, 'bascule.regions.52.productLine="sans-retour"'],
        "pilot: true",
    ),
    ("one operator", ["bascule.defaults.approvals.operators=1"], "operators"),
    (
        "legacy feed in the clear",
        ['bascule.regions.52.legacy={"feedUrl":"http://ror.example"}'],
        "feedUrl",
    ),
    ("mTLS without certificates", ["tls.enabled=true"], "tls.existingSecret"),
    (
        "client CA without TLS",
        ['http.tls.clientCA.existingSecret="igc"'],
        "http.tls.existingSecret",
    ),
    ("ingress without host", ["http.ingress.enabled=true"], "/http/ingress"),
    (
        "bounds of the autoscaler",
        ['services.gateway.autoscaling={"enabled":true,"minReplicas":9}'],
        "minReplicas",
    ),
]
ACCEPTED = [
    ("global values of a parent chart", ['global={"region":"x"}']),
    (
        "no return path, pilot",
        [
            f'{FROZEN}="LOADED"',
            WINDOW,
            PILOT_LINE,
            'bascule.regions.52.productLine="sans-retour"',
            "bascule.regions.52.pilot=true",
        ],
    ),
    ("READY without window", [f'{FROZEN}="READY"']),
    ("false over a default of true", ["services.offers.podDisruptionBudget.enabled=false"]),
]


def parse(text):
    return [d for d in yaml.load_all(text, UniqueKeys) if d]


def check_renders(report, helm):
    for preset, values in presets(helm.chart).items():
        digests = set()
        for kube in KUBE_VERSIONS:
            answer = helm.template(values, kube=kube)
            report.check(
                f"render {preset} {kube}", [answer.stderr.strip()] if answer.returncode else []
            )
            if answer.returncode:
                continue
            documents = parse(answer.stdout)
            digests.add(hashlib.sha256(answer.stdout.encode()).hexdigest())
            report.check(
                f"schema {preset} {kube}",
                schema_faults(documents, kube),
                f"{len(documents)} objects",
            )
            deployed = sorted(component(d) for d in of_kind(documents, "Deployment"))
            wanted = sorted(s for s in SERVICES if s != "bascule" or preset != "no-bascule")
            report.check(f"services {preset} {kube}", [] if deployed == wanted else [f"{deployed}"])
            for name, policy in POLICIES.items():
                report.check(f"{name} {preset} {kube}", policy(documents, preset))
        report.check(
            f"same render for each Kubernetes {preset}",
            [] if len(digests) == 1 else ["renders differ"],
        )
        notes = helm.notes(values)
        text = notes.stdout.partition("NOTES:")[2]
        faults = [notes.stderr] if notes.returncode else []
        wanted = ["ROR national", "non déployée" if preset == "no-bascule" else "politique 2026.05"]
        faults += [f"{words!r} is missing" for words in wanted if words not in text]
        report.check(f"notes {preset}", faults + (["a format went wrong"] if "%!" in text else []))


def check_everything_is_used(report, helm):
    """The preset `ha` shows every kind of object at least once."""
    documents = parse(helm.template(presets(helm.chart)["ha"]).stdout)
    wanted = {
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Ingress",
        "Job",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "PrometheusRule",
        "Service",
        "ServiceAccount",
        "ServiceMonitor",
    }
    kinds = {d["kind"] for d in documents}
    report.check("ha renders every kind", [f"{sorted(wanted ^ kinds)}"] if wanted != kinds else [])
    guarded = {d["kind"] for d in documents if component(d) == "access"} - {
        "HorizontalPodAutoscaler"
    }
    expected = {
        "Deployment",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
        "ServiceMonitor",
    }
    report.check(
        "ha gives a service all its objects",
        [f"{sorted(expected ^ guarded)}"] if expected != guarded else [],
    )
    default = parse(helm.template().stdout)
    optional = {d["kind"] for d in default} & (
        wanted
        - {
            "ConfigMap",
            "Deployment",
            "Job",
            "NetworkPolicy",
            "PodDisruptionBudget",
            "Service",
            "ServiceAccount",
        }
    )
    report.check("options are off by default", [f"{sorted(optional)}"] if optional else [])


def check_values(report, helm):
    for what, sets, words in REFUSED:
        answer = helm.template(sets=sets)
        if answer.returncode == 0:
            faults = ["accepted"]
        else:
            faults = (
                [] if words in answer.stderr else [f"{words!r} is not in: {answer.stderr.strip()}"]
            )
        report.check(f"refused: {what}", faults)
    for what, sets in ACCEPTED:
        answer = helm.template(sets=sets)
        report.check(f"accepted: {what}", [answer.stderr.strip()] if answer.returncode else [])
    budgets = of_kind(parse(helm.template(sets=ACCEPTED[-1][1]).stdout), "PodDisruptionBudget")
    report.check(
        "a service overrides a default with false",
        ["budget of offers is still there"] if "offers" in map(component, budgets) else [],
    )
    reference = '{"existingSecret":"x","key":"y"}'
    overrides = [
        ("a setting", 'env={"ROR_LOG__FILTER":"debug"}', "ROR_LOG__FILTER", "debug"),
        ("a reference by a setting", 'env={"ROR_DATABASE__URL":"x"}', "ROR_DATABASE__URL", "x"),
        (
            "a setting by a reference",
            f'secretEnv={{"ROR_NATS__URL":{reference}}}',
            "ROR_NATS__URL",
            None,
        ),
    ]
    for what, setting, name, wanted in overrides:
        documents = parse(helm.template(sets=[f"services.access.{setting}"]).stdout)
        access = next(d for d in of_kind(documents, "Deployment") if component(d) == "access")
        variables = access["spec"]["template"]["spec"]["containers"][0]["env"]
        found = [v.get("value") for v in variables if v["name"] == name]
        report.check(f"a service overrides {what}", [] if found == [wanted] else [f"{found}"])


def objects_of_schema(schema, path=""):
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield path, schema
        for key, value in schema.items():
            yield from objects_of_schema(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from objects_of_schema(value, f"{path}/{index}")


def check_files(report, helm):
    schema = json.loads((helm.chart / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    open_on_purpose = {"/properties/global", "/definitions/kubernetesObject"}
    loose = [path for path, o in objects_of_schema(schema) if "additionalProperties" not in o]
    report.check("schema knows every key", sorted(set(loose) ^ open_on_purpose))
    lines = len((helm.chart / "values.yaml").read_text().splitlines())
    report.check(
        "values.yaml under 300 lines", [] if lines < 300 else [f"{lines} lines"], f"{lines}"
    )
    files = [p for p in helm.chart.rglob("*") if p.is_file()]
    report.check(
        "no tab, no trailing space",
        [
            f"{p.relative_to(helm.chart)}:{n}"
            for p in files
            for n, line in enumerate(p.read_text().split("\n"), 1)
            if "\t" in line or line != line.rstrip()
        ],
    )


def check_dockerfile(report, helm):
    """The image, beside the chart; hadolint comes with requirements.txt."""
    beside = pathlib.Path(sys.executable).parent / "hadolint"
    program = str(beside) if beside.exists() else shutil.which("hadolint")
    if program is None:
        report.check("Dockerfile", ["hadolint is not installed"])
        return
    dockerfile = helm.chart.parent / "Dockerfile"
    answer = subprocess.run([program, str(dockerfile)], capture_output=True, text=True, check=False)
    text = dockerfile.read_text()
    wanted = ["FROM scratch", "USER 65532", 'ENTRYPOINT ["/ror"]']
    report.check(
        "Dockerfile", [answer.stdout] if answer.returncode else [w for w in wanted if w not in text]
    )


def check_package(report, helm):
    with tempfile.TemporaryDirectory() as folder:
        answer = helm.run("package", str(helm.chart), "-d", folder)
        report.check("package", [answer.stderr] if answer.returncode else [])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--helm", required=True, help="path of the helm program (tried with 4.3)")
    parser.add_argument("--chart", type=pathlib.Path, default=HERE.parent.parent / "charts" / "ror")
    parser.add_argument("--only", help="run only the checks whose name holds this word")
    arguments = parser.parse_args()
    report, helm = Report(arguments.only), Helm(arguments.helm, arguments.chart.resolve())
    for preset, values in presets(helm.chart).items():
        files = [part for value in values for part in ("-f", str(value))]
        for kube in KUBE_VERSIONS:
            answer = helm.run("lint", "--strict", "--kube-version", kube, str(helm.chart), *files)
            report.check(
                f"lint {preset} {kube}",
                [answer.stdout + answer.stderr] if answer.returncode else [],
            )
    check_files(report, helm)
    check_renders(report, helm)
    check_everything_is_used(report, helm)
    check_values(report, helm)
    check_package(report, helm)
    check_dockerfile(report, helm)
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
