"""Who may import whom. The flow is one-way; heavy and foreign things stay behind one door each."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LISTENER = ROOT / "robot_ddn_listener"
BACKEND = ROOT / "backend" / "ddn_backend"
MODULES = sorted([*LISTENER.rglob("*.py"), *BACKEND.rglob("*.py")])

BROKER_LIBRARIES = {"celery", "redis", "kombu"}
ROBOT_NAMES = {"robot", "robot.__version__"}
ROBOT_DOORS = ("robot.api", "robot.version", "robot.result", "robot.model", "robot.libraries.BuiltIn")
LISTENER_FOR_PIPELINE = {"contract", "fingerprint", "rules", "templates"}
HEAVY = {"celery", "kombu", "redis", "ssl", "asyncio", "http"}


def module_name(path: Path) -> str:
    base = BACKEND.parent if BACKEND in path.parents else ROOT
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of everything that is imported, wherever in the file; `from a import b` gives a.b."""
    package = module_name(path).split(".")
    if path.stem != "__init__":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            yield from (".".join([*start, *([node.module] if node.module else []), alias.name]) for alias in node.names)


def belongs_to(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def offences(paths: Iterator[Path], is_forbidden: object) -> list[str]:
    assert callable(is_forbidden)
    return [f"{module_name(path)} imports {name}" for path in paths for name in imports(path) if is_forbidden(name)]


def files(folder: Path, *but: str) -> Iterator[Path]:
    return (path for path in MODULES if folder in path.parents and module_name(path) not in but)


def test_the_files_are_found_and_read() -> None:
    assert {LISTENER / "contract.py", BACKEND / "pipeline" / "__init__.py"} <= set(MODULES)
    assert "robot_ddn_listener.errors.ContractError" in set(imports(LISTENER / "json_form.py"))
    assert "ddn_backend.ports.KnowledgeBase" in set(imports(BACKEND / "pipeline" / "__init__.py"))


def test_the_listener_never_imports_the_backend() -> None:
    assert offences(files(LISTENER), lambda name: belongs_to(name, "ddn_backend")) == []


def test_the_listener_knows_celery_and_redis_in_one_module() -> None:
    in_broker = "robot_ddn_listener.broker"
    assert offences(files(LISTENER, in_broker), lambda name: belongs_to(name, *BROKER_LIBRARIES)) == []


def test_the_listener_imports_the_standard_library_and_the_public_parts_of_robot() -> None:
    def is_foreign(name: str) -> bool:
        if belongs_to(name, "robot"):
            return name not in ROBOT_NAMES and not belongs_to(name, *ROBOT_DOORS)
        return name.split(".")[0] not in {*sys.stdlib_module_names, "robot_ddn_listener", *BROKER_LIBRARIES}

    assert offences(files(LISTENER), is_foreign) == []


def test_the_pipeline_imports_ports_and_the_listeners_contract_fingerprint_and_rules() -> None:
    def is_forbidden(name: str) -> bool:
        if belongs_to(name, "robot_ddn_listener"):
            return name.split(".")[1] not in LISTENER_FOR_PIPELINE
        if belongs_to(name, "ddn_backend"):
            return not belongs_to(name, "ddn_backend.ports", "ddn_backend.pipeline", "ddn_backend.errors")
        first = name.split(".")[0]
        return first not in sys.stdlib_module_names or first in ("os", "subprocess", "socket")

    assert offences(files(BACKEND / "pipeline"), is_forbidden) == []


def test_only_the_composition_root_imports_adapters() -> None:
    adapters = "ddn_backend.adapters"
    within = (BACKEND / "adapters", BACKEND / "bootstrap")
    outside = (path for path in files(BACKEND) if not any(folder in path.parents for folder in within))
    assert offences(outside, lambda name: belongs_to(name, adapters)) == []


def test_only_commands_know_the_command_line() -> None:
    commands = BACKEND / "cli"
    outside = (path for path in files(BACKEND) if commands not in path.parents)
    assert offences(outside, lambda name: belongs_to(name, "ddn_backend.cli", "click")) == []


def test_only_the_settings_of_the_backend_read_the_environment() -> None:
    readers = {
        module_name(path)
        for path in files(BACKEND)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {alias.name for alias in node.names} & {"environ", "getenv"}
        )
    }
    assert {name for name in readers if not belongs_to(name, "ddn_backend.settings", "ddn_backend.cli")} == set()


def test_no_module_of_the_listener_hides_one_of_the_standard_library() -> None:
    """Robot puts the folder of a listener that is given as a path first on sys.path."""
    names = {path.stem for path in [*LISTENER.glob("*.py"), *BACKEND.glob("*.py")]}
    names |= {path.name for folder in (LISTENER, BACKEND) for path in folder.iterdir() if (path / "__init__.py").is_file()}
    assert names & set(sys.stdlib_module_names) == set()


@pytest.mark.parametrize("module", ["robot_ddn_listener", "robot_ddn_listener.listener"])
def test_importing_the_listener_imports_nothing_heavy(module: str) -> None:
    loaded = f"import robot.api, robot.result, sys; before = set(sys.modules); import {module}; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-P", "-c", loaded], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert {name.split(".")[0] for name in done.stdout.split()} & HEAVY == set()


def test_importing_the_backend_builds_and_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", "import ddn_backend, sys; print(*sys.modules)"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert {name.split(".")[0] for name in done.stdout.split()} & {*HEAVY, "pydantic"} == set()
