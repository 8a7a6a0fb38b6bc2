"""What the documents say is so."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

from gui import preflight
from gui.records.failure import FailureKind
from gui.records.trial import Policy

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "resources").glob("*/README.md")),
]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def joined(text: str) -> str:
    """Lines that end in a backslash, joined with the next."""
    return re.sub(r"\\\n\s*", " ", text)


# ---- Failures ----


def failure_rows() -> list[str]:
    lines = [line for line in read("docs/failures.md").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row[0] for row in cells if row[0] != "kind" and set(row[0]) != {"-"}]


def test_that_every_kind_of_failure_has_one_row_and_no_row_is_left_over() -> None:
    assert sorted(failure_rows()) == sorted(kind.value for kind in FailureKind)


def test_that_every_row_says_what_it_means_and_what_to_do() -> None:
    for line in read("docs/failures.md").splitlines():
        if line.startswith("|"):
            assert len([cell for cell in line.strip("|").split("|") if cell.strip()]) == 3, line


# ---- Commands ----


def test_that_the_test_command_is_the_one_that_ci_takes_from_the_readme() -> None:
    script = read(".ci/run")
    (pipeline,) = re.findall(r"^command=\$\((.*)\)$", script, re.MULTILINE)
    done = subprocess.run(["bash", "-c", pipeline], cwd=ROOT, capture_output=True, text=True, check=True)
    section = read("README.md").split("## Test\n")[1].split("\n## ")[0]
    (command,) = blocks(section, "sh")
    assert done.stdout == command
    assert command.strip().endswith("-m pytest")
    assert command.count("\n") == 1  # one line to copy


def test_that_setting_up_and_starting_is_one_line_on_each_system() -> None:
    section = read("README.md").split("## Run\n")[1].split("\n## ")[0]
    (windows,) = blocks(section, "bat")
    linux = blocks(section, "sh")[0]
    for command in (linux, windows):
        assert command.count("\n") == 1
        assert "pip install -q -e ." in command
        assert command.strip().endswith("main.py")


def debian_packages(text: str) -> set[str]:
    return set(shlex.split(text))


def test_that_readme_ci_and_program_name_the_same_debian_packages() -> None:
    (line,) = [joined(block) for block in blocks(read("README.md"), "sh") if "apt-get install" in block]
    told = debian_packages(line) - {"sudo", "apt-get", "install", "-y"}
    (listed,) = re.findall(r"^packages=\((.*?)\)$", read(".ci/run"), re.MULTILINE | re.DOTALL)
    in_ci = debian_packages(listed)
    assert in_ci - told == {"gcc", "libc6-dev", "xvfb"}  # for the tests
    assert told <= in_ci
    by_program = {*preflight._QT_LIBRARIES.values(), *preflight._X11_LIBRARIES.values()}
    assert by_program - told == {"libxcb-render0"}  # libxcb-render-util0 brings it along
    assert told - by_program == {"python3-venv", "fonts-dejavu-core"}


def test_that_the_commands_shown_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    from gui import cli

    shown = [line for block in blocks(read("README.md"), "sh") for line in joined(block).splitlines()]
    commands = [line.split("main.py", 1)[1] for line in shown if "python main.py" in line]
    assert len(commands) >= 3
    for command in commands:
        cli.read_arguments(shlex.split(command))


# ---- Facts ----


def test_that_the_oldest_onnxruntime_is_the_same_everywhere() -> None:
    oldest = ".".join(map(str, preflight._OLDEST_ORT)).removesuffix(".0")
    dependencies = tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]
    (ort,) = [entry for entry in dependencies if entry.startswith("onnxruntime")]
    assert ort in (f"onnxruntime>={oldest}", f"onnxruntime>={oldest}.0")
    assert f"onnxruntime {oldest}" in read("README.md")


def test_that_the_readme_counts_the_policies() -> None:
    assert len(Policy) == 7
    assert "seven selection policies" in read("README.md")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_that_relative_links_lead_to_files(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link and not link.startswith("#")]
    gone = [link for link in links if not (document.parent / link.partition("#")[0]).exists()]
    assert gone == []


def test_that_the_readme_shows_pictures_and_leads_to_the_other_documents() -> None:
    text = read("README.md")
    assert re.search(r"!\[[^\]]+\]\(docs/[\w-]+\.png\)", text)  # with a text for those who cannot see it
    for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "docs/failures.md", "LICENSE"):
        assert f"({name})" in text


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"])
def test_that_files_and_folders_named_in_the_documents_are_there(document: str) -> None:
    named = re.findall(r"`((?:gui|tests|docs|resources|\.ci)/[\w./*-]*)`", read(document))
    assert [path for path in named if not list(ROOT.glob(path.rstrip("/")))] == []
