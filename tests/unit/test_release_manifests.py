"""Rendered manifests: their files, their images, and what a cluster would refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from release import manifests, patches, references
from release.manifests import Manifest, ManifestError
from release.rendering import Wanted, batches

IMAGE = "1.dkr.ecr.eu-central-1.amazonaws.com/shop/cart"
VERSION, DIGEST = "v20261101-0123abc", f"sha256:{'0' * 64}"
KINDS = frozenset({("apps", "Deployment"), ("", "Service")})


def deployment(image: str = f"{IMAGE}:{VERSION}@{DIGEST}", name: str = "cart", **spec: str) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in spec.items())
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n{lines}"
        f"  template:\n    spec:\n      containers:\n      - image: {image}\n        name: {name}\n"
    )


def objects(*texts: str) -> list[Manifest]:
    return manifests.read("---\n".join(texts))


def test_each_object_gets_a_file_named_after_kind_and_name() -> None:
    text = deployment() + "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: cart\n"
    files = manifests.files(manifests.read(text))
    assert list(files) == ["deployment-cart.yaml", "service-cart.yaml"]
    assert "---\n".join(files.values()) == text


def test_a_name_that_no_file_can_have_is_cut_and_stays_its_own() -> None:
    longest = "a" * 250
    pair = objects(deployment(name=f"{longest}aaa"), deployment(name=f"{longest}aab"))
    names = list(manifests.files(pair))
    assert [len(name) for name in names] == [255, 255]
    assert names[0][:240] == names[1][:240] == f"deployment-{'a' * 229}"
    assert list(manifests.files(pair[:1])) + list(manifests.files(pair[1:])) in (names, names[::-1])


def test_objects_of_one_kind_and_name_are_told_apart_by_group() -> None:
    ingress = "apiVersion: {}\nkind: Ingress\nmetadata:\n  name: cart\n"
    one, two = ingress.format("networking.k8s.io/v1"), ingress.format("traefik.io/v1")
    assert list(manifests.files(objects(one, two))) == [
        "ingress-cart-networking.k8s.io.yaml",
        "ingress-cart-traefik.io.yaml",
    ]


@pytest.mark.parametrize(
    "text", ["a: b", "kind: X\napiVersion: v1\nmetadata: {}", "- a", "kind: X"]
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ManifestError):
        manifests.read(text)


def test_a_name_in_a_block_of_text_is_no_separator() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: |\n    ---\n    y\n"
    (only,) = manifests.read(text)
    assert only.content["data"]["x"] == "---\ny\n"


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (f"{IMAGE}:{VERSION}@{DIGEST}", None),
        (f"{IMAGE}:{VERSION}", "runs"),
        (f"{IMAGE}@{DIGEST}", "runs"),
        (f"{IMAGE}:v20261101-0000000@{DIGEST}", "runs"),
        (f"mirror.example/shop/cart:{VERSION}@{DIGEST}", "does not run"),
        (f"{IMAGE}-two:{VERSION}@{DIGEST}", "does not run"),
    ],
)
def test_what_is_rendered_runs_exactly_what_is_promised(image: str, problem: str | None) -> None:
    found = manifests.image_problem(objects(deployment(image)), IMAGE, VERSION, DIGEST)
    assert (found is None) if problem is None else (problem in (found or ""))


def test_a_second_container_at_another_version_is_found() -> None:
    job = (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: old\nspec:\n  jobTemplate:\n"
        "    spec:\n      template:\n        spec:\n          initContainers:\n"
        f"          - image: {IMAGE}:v1\n"
    )
    found = manifests.image_problem(objects(deployment(), job), IMAGE, VERSION, DIGEST)
    assert found is not None
    assert f"{IMAGE}:v1" in found
    assert manifests.image_problem([], IMAGE, VERSION, DIGEST) is not None


def test_kinds_that_the_project_does_not_allow_are_named() -> None:
    role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: reads\n"
    (problem,) = manifests.kinds_problems(objects(deployment(), role), KINDS)
    assert problem.startswith("Role reads (rbac.authorization.k8s.io):")
    assert not list(manifests.kinds_problems(objects(role), frozenset()))


RENAMED = deployment() + "      - name: kart\n        env: []\n"


def test_a_container_that_only_a_patch_knows_is_named() -> None:
    (problem,) = manifests.imageless_problems(objects(RENAMED))
    assert problem == (
        "Deployment cart: its container kart has no image, so Kubernetes refuses it; a patch names "
        "a container that base does not have"
    )
    assert not list(manifests.imageless_problems(objects(deployment())))
    of_an_operator = RENAMED.replace("apps/v1", "example.com/v1")
    assert not list(manifests.imageless_problems(objects(of_an_operator)))


def test_objects_of_another_namespace_are_named() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: kube-system}\n"
    (problem,) = manifests.elsewhere_problems(objects(text, deployment()), "shop")
    assert problem == (
        "ConfigMap a: is of the namespace kube-system, and Argo CD's project allows shop alone"
    )
    assert not list(manifests.elsewhere_problems(objects(text), "kube-system"))


def test_images_by_a_tag_alone_are_listed_once() -> None:
    found = objects(deployment("redis:7"), deployment("redis:7", name="b"), deployment())
    assert manifests.unpinned(found) == ["redis:7"]


def job(image: str, annotations: str = "{}") -> str:
    return (
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n"
        f"  annotations: {annotations}\nspec:\n  template:\n    spec:\n      containers:\n"
        f"      - image: {image}\n"
    )


def plain(kind: str, body: str, api: str = "v1") -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: a}}\n{body}\n"


def claim(spec: str) -> str:
    return plain("PersistentVolumeClaim", f"spec: {{{spec}}}")


def bound_to(role: str) -> str:
    body = f"roleRef: {{kind: Role, name: {role}}}"
    return plain("RoleBinding", body, "rbac.authorization.k8s.io/v1")


SELECTS_B, SELECTS_C = "{matchLabels: {a: b}}", "{matchLabels: {a: c}}"
HOOK = "{argocd.argoproj.io/hook: PreSync}"
REPLACED = "{argocd.argoproj.io/sync-options: 'Force=true,Replace=true'}"


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        (job("a:1"), job("a:1"), False),
        (job("a:1"), job("a:2"), True),
        (job("a:1"), job("a:2", HOOK), False),
        (job("a:1"), job("a:2", REPLACED), False),
        (deployment(selector=SELECTS_B), deployment(selector=SELECTS_C), True),
        (deployment(selector=SELECTS_B), deployment(selector=SELECTS_C, name="two"), False),
        (deployment(replicas="1"), deployment(replicas="2"), False),
        (plain("Service", "spec: {clusterIP: None}"), plain("Service", "spec: {a: b}"), True),
        (plain("Service", "spec: {a: b}"), plain("Service", "spec: {a: c}"), False),
        (
            plain("ConfigMap", "immutable: true\ndata: {a: b}"),
            plain("ConfigMap", "immutable: true\ndata: {a: c}"),
            True,
        ),
        (plain("ConfigMap", "data: {a: b}"), plain("ConfigMap", "data: {a: c}"), False),
        (
            plain("StatefulSet", "spec: {serviceName: a}", "apps/v1"),
            plain("StatefulSet", "spec: {serviceName: b}", "apps/v1"),
            True,
        ),
        (
            plain("StatefulSet", "spec: {serviceName: a}", "apps/v1"),
            plain(
                "StatefulSet",
                "spec: {serviceName: a, podManagementPolicy: OrderedReady}",
                "apps/v1",
            ),
            False,
        ),
        (job("a:1"), job("a:2", "{argocd.argoproj.io/sync-options: Replace=true}"), True),
        (job("a:1"), job("a:1") + "  completionMode: NonIndexed\n", False),
        (job("a:1"), job("a:1") + "  completionMode: Indexed\n", True),
        (job("a:1"), job("a:1") + "  podFailurePolicy: {rules: []}\n", True),
        (job("a:1"), job("a:1") + "  backoffLimit: 3\n", False),
        (claim("volumeMode: Filesystem"), claim(""), False),
        (claim(""), claim("dataSource: {kind: VolumeSnapshot, name: a}"), True),
        (claim("resources: {requests: {storage: 1Gi}}"), claim("resources: {}"), False),
        (
            plain("Service", "spec: {loadBalancerClass: a}"),
            plain("Service", "spec: {loadBalancerClass: b}"),
            True,
        ),
        (plain("Secret", "type: Opaque"), plain("Secret", "type: kubernetes.io/tls"), True),
        (bound_to("reader"), bound_to("reader"), False),
        (bound_to("reader"), bound_to("writer"), True),
    ],
)
def test_what_kubernetes_never_changes_under_one_name_is_named(
    before: str, after: str, refused: bool
) -> None:
    assert bool(list(manifests.immutable_problems(objects(before), objects(after)))) is refused


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("{kind: Deployment, name: cart}", False),
        ("{kind: StatefulSet, name: cart}", True),
        ("{kind: Deployment, name: card}", True),
        ("{kind: Deployment, name: car.*}", False),
        ("{kind: Deployment}", False),
        ("{group: apps, version: v1}", False),
        ("{group: batch}", True),
    ],
)
def test_a_patch_whose_target_matches_nothing_is_named(
    tmp_path: Path, target: str, named: bool
) -> None:
    overlay = tmp_path / "environments/prod/shop/cart"
    overlay.mkdir(parents=True)
    (overlay / "kustomization.yaml").write_text(
        f"resources: [../../../../base]\npatches:\n  - path: p.yaml\n    target: {target}\n"
    )
    found = list(
        patches.problems(str(tmp_path), "environments/prod/shop/cart", objects(deployment()))
    )
    assert bool(found) is named
    assert all("p.yaml" in problem and "matches nothing" in problem for problem in found)


@pytest.mark.parametrize(
    ("targets", "named"),
    [
        ("[{select: {kind: Deployment, name: cart}, fieldPaths: [a]}]", False),
        ("[{select: {kind: Deployment}}, {select: {name: card}}]", True),
        ("[{reject: [{name: cart}]}]", False),
        ("nonsense", False),
    ],
)
def test_a_replacement_whose_target_matches_nothing_is_named(
    tmp_path: Path, targets: str, named: bool
) -> None:
    (tmp_path / "kustomization.yaml").write_text(
        f"replacements:\n- source: {{kind: Deployment}}\n  targets: {targets}\n- path: r.yaml\n"
    )
    found = list(patches.problems(str(tmp_path), ".", objects(deployment())))
    assert [problem.partition(", so")[0] for problem in found] == (
        ["./kustomization.yaml: a replacement has a target (name: card) that matches nothing"]
        if named
        else []
    )


def test_a_patch_further_down_and_generated_and_suffixed_names_are_understood(
    tmp_path: Path,
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "kustomization.yaml").write_text(
        "patches:\n- patch: |\n    x\n  target: {kind: Gone}\n"
        "- path: q\n  target: {kind: Deployment, name: cart}\n"
    )
    (tmp_path / "kustomization.yaml").write_text("resources: [base]\nnameSuffix: -blue\n")
    text = deployment(name="cart-blue")
    (problem,) = patches.problems(str(tmp_path), ".", objects(text))
    assert "kind: Gone" in problem
    assert not list(patches.problems(str(tmp_path), ".", []))


@pytest.mark.parametrize(
    ("shared", "named"), [("components/scrape", False), ("shared/scrape", True), ("base", True)]
)
def test_a_folder_in_which_argo_cd_does_not_look_for_changes_is_named(
    tmp_path: Path, shared: str, named: bool
) -> None:
    files = {
        "environments/dev/shop/cart": "resources: [../../../../base/shop/cart]\n",
        "base/shop/cart": f"components: [../../../{shared}]\n",
        shared: "kind: Component\n",
    }
    for folder, text in files.items():
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "kustomization.yaml").write_text(text, encoding="utf-8")
    found = list(references.problems(str(tmp_path), Wanted("dev", "shop/cart", "kustomize")))
    assert bool(found) is named
    assert all(f"base/shop/cart/kustomization.yaml builds on {shared}," in p for p in found)


def test_a_chart_that_another_folder_is_part_of_is_named_too(tmp_path: Path) -> None:
    chart = tmp_path / "base/shop/cart"
    chart.mkdir(parents=True)
    text = "dependencies:\n- name: a\n  repository: {}\n- name: b\n  repository: {}\n"
    places = ("file://../../../components/a", "file://../../../charts/b")
    (chart / "Chart.yaml").write_text(text.format(*places), encoding="utf-8")
    (problem,) = references.problems(str(tmp_path), Wanted("dev", "shop/cart", "helm"))
    assert problem.startswith("base/shop/cart/Chart.yaml builds on charts/b, where Argo CD")


def test_a_batch_has_few_services_and_never_two_of_a_namespace() -> None:
    wanted = [Wanted("prod", f"team-{n % 7}/service-{n}", "kustomize") for n in range(60)]
    found = batches(wanted)
    assert sorted(each for group in found for each in group) == sorted(wanted)
    for group in found:
        namespaces = [each.service.partition("/")[0] for each in group]
        assert len(set(namespaces)) == len(namespaces) <= 20
    assert [len(group) for group in batches(wanted[:7])] == [1] * 7


def test_charts_share_a_batch_of_their_environment_and_none_with_overlays() -> None:
    wanted = [
        Wanted(environment, f"shop/{packaging}-{number}", packaging)
        for environment in ("dev", "prod")
        for packaging in ("kustomize", "helm", "chart")
        for number in range(8)
    ]
    found = batches(wanted)
    assert sorted(each for group in found for each in group) == sorted(wanted)
    kinds = [{(w.environment, w.packaging == "kustomize") for w in group} for group in found]
    assert all(len(kind) == 1 for kind in kinds)
    assert [len(group) for group in found if group[0].is_chart] == [16, 16]
