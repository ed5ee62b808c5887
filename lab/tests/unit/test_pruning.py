"""The Terraform AWS provider's module with only the services that a table needs, on a small one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.toolchain.pruning import UnknownNamesError, prune

SERVICE = """\
package {name}

import "example.com/provider/internal/conns"
{imports}
func (p *servicePackage) SDKDataSources(ctx context.Context) []*any {{
	return []*any{{
		{{
			TypeName: "aws_{name}_things",
		}},
	}}
}}

func (p *servicePackage) FrameworkResources(ctx context.Context) []*any {{
	return []*any{{
		{{
			Factory:  newThing,
			TypeName: "aws_{name}_thing",
		}},
	}}
}}

func (p *servicePackage) ListResources(ctx context.Context) []*any {{
	return []*any{{
		{{
			TypeName: "aws_{name}_listed",
		}},
	}}
}}
"""
CLIENT = """\
func (c *AWSClient) {name}Client(ctx context.Context) *{sdk}.Client {{
	return errs.Must(client[*{sdk}.Client](ctx, c, names.{name}))
}}

"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """Four services: `farms` imports `barns`, and what is common calls the client of `sheds`."""
    root = tmp_path / "module"
    write(root / "go.mod", "module example.com/provider\n")
    write(root / "website" / "index.md", "much text")
    write(root / "xpprovider" / "provider.go", "package xpprovider\n")
    write(root / "internal" / "acctest" / "all.go", "c.FishClient(ctx)")
    write(root / "internal" / "tags" / "tags.go", "c.ShedsClient(ctx)")
    for name in ("barns", "farms", "fish", "sheds"):
        imported = '	"example.com/provider/internal/service/barns"\n' if name == "farms" else ""
        folder = root / "internal" / "service" / name
        write(folder / "service_package_gen.go", SERVICE.format(name=name, imports=imported))
        write(folder / "thing.go", f"p.{name.title()}Client(ctx).Get()")
        write(folder / "thing_test.go", "c.FishClient(ctx)")
    write(root / "internal" / "service" / "fish" / "smarterr.hcl", "hint")
    write(
        root / "internal" / "provider" / "sdkv2" / "service_packages_gen.go",
        "import (\n"
        '\t"example.com/provider/internal/conns"\n'
        '\t"example.com/provider/internal/service/barns"\n'
        '\t"example.com/provider/internal/service/farms"\n'
        '\t"example.com/provider/internal/service/fish"\n'
        '\t"example.com/provider/internal/service/sheds"\n'
        ")\n"
        "\t\tbarns.ServicePackage(ctx),\n"
        "\t\tfarms.ServicePackage(ctx),\n"
        "\t\tfish.ServicePackage(ctx),\n"
        "\t\tsheds.ServicePackage(ctx),\n",
    )
    write(
        root / "internal" / "conns" / "awsclient_gen.go",
        "import (\n"
        '\t"example.com/aws/service/barnyard"\n'
        '\t"example.com/aws/service/farms"\n'
        '\t"example.com/aws/service/fish"\n'
        '\t"example.com/aws/service/sheds"\n'
        ")\n\n"
        + CLIENT.format(name="Barns", sdk="barnyard")
        + CLIENT.format(name="Farms", sdk="farms")
        + CLIENT.format(name="Fish", sdk="fish")
        + CLIENT.format(name="Sheds", sdk="sheds"),
    )
    return root


def test_the_services_of_the_table_and_those_that_they_import_stay(
    module: Path, tmp_path: Path
) -> None:
    copy = pruned(module, tmp_path, resources=["aws_farms_thing"])
    services = copy / "internal" / "service"
    assert sorted(file.parent.name for file in services.glob("*/thing.go")) == ["barns", "farms"]
    assert (copy / "internal/provider/sdkv2/service_packages_gen.go").read_text() == (
        "import (\n"
        '\t"example.com/provider/internal/conns"\n'
        '\t"example.com/provider/internal/service/barns"\n'
        '\t"example.com/provider/internal/service/farms"\n'
        ")\n"
        "\t\tbarns.ServicePackage(ctx),\n"
        "\t\tfarms.ServicePackage(ctx),\n"
    )


def test_the_clients_that_nothing_asks_for_go(module: Path, tmp_path: Path) -> None:
    copy = pruned(module, tmp_path, functions=["aws_barns_things"])
    assert (copy / "internal/conns/awsclient_gen.go").read_text() == (
        "import (\n"
        '\t"example.com/aws/service/barnyard"\n'
        '\t"example.com/aws/service/sheds"\n'
        ")\n\n"
        + CLIENT.format(name="Barns", sdk="barnyard")
        + CLIENT.format(name="Sheds", sdk="sheds")
    )


def test_nothing_that_only_tests_or_documents_is_copied(module: Path, tmp_path: Path) -> None:
    copy = pruned(module, tmp_path, resources=["aws_farms_thing"])
    assert sorted(str(file.relative_to(copy)) for file in copy.rglob("*") if file.is_file()) == [
        "go.mod",
        "internal/conns/awsclient_gen.go",
        "internal/provider/sdkv2/service_packages_gen.go",
        "internal/service/barns/service_package_gen.go",
        "internal/service/barns/thing.go",
        "internal/service/farms/service_package_gen.go",
        "internal/service/farms/thing.go",
        "internal/service/fish/smarterr.hcl",
        "internal/tags/tags.go",
        "xpprovider/provider.go",
    ]


def test_a_module_that_is_read_only_is_copied_to_be_changed(module: Path, tmp_path: Path) -> None:
    for path in (module, *module.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    copy = pruned(module, tmp_path, resources=["aws_farms_thing"])
    assert {oct(path.stat().st_mode & 0o200) for path in (copy, *copy.rglob("*"))} == {"0o200"}


def test_names_that_the_module_lacks_are_reported_together(module: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNamesError) as refusal:
        # A resource is no function, and what a service only lists is neither.
        pruned(
            module,
            tmp_path,
            resources=["aws_farm_thing", "aws_fish_listed", "aws_sheds_thing"],
            functions=["aws_sheds_thing"],
        )
    assert str(refusal.value) == (
        f"{tmp_path / 'types.json'} has names that the Terraform AWS provider does not:\n"
        "  resources: aws_farm_thing; close to it: "
        "aws_farms_thing, aws_barns_thing, aws_fish_thing\n"
        "  resources: aws_fish_listed; close to it: aws_fish_thing\n"
        "  functions: aws_sheds_thing; close to it: "
        "aws_sheds_things, aws_fish_things, aws_farms_things\n"
        "Correct them: the right side of a line is the name in the Terraform provider."
    )
    assert not (tmp_path / "copy").exists()


def pruned(
    module: Path,
    folder: Path,
    *,
    resources: list[str] | None = None,
    functions: list[str] | None = None,
) -> Path:
    """The copy of the module for a table with these names."""
    table = folder / "types.json"
    sections = {"resources": resources or [], "functions": functions or []}
    content = {
        section: {f"aws:a/{name}:{name}": name for name in names}
        for section, names in sections.items()
    }
    table.write_text(json.dumps(content))
    prune(module, folder / "copy", table)
    return folder / "copy"


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
