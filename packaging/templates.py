"""Compile the built-in templates into ``teleport_email.render._compiled``.

    python packaging/templates.py            write the compiled modules
    python packaging/templates.py --check    say which of them are out of date; exit code 1 if any is

Another version of Jinja than the one named there is refused: to change it is a change of that line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, MacroRef

from teleport_email.render import _compiled
from teleport_email.render.templating import builtin_sources, trusted

TARGET = Path(_compiled.__file__).parent
MARK = "# Made of templates/ by packaging/templates.py. Do not edit.\n"


class _Code(CodeGenerator):
    """For the built-in templates, of which is known: attributes are attributes, items are items, and what is
    called is a macro or a method, with all that it gets by position. So they say it in plain Python, where
    Jinja finds out anew each time: a third of rendering's time.

    What is written escapes; the environment that renders says what that is. So one module serves both, with
    HTML and without.
    """

    def write_commons(self) -> None:
        self.writeline("environment = context.environment")
        super().write_commons()
        self.writeline("escape, Markup, markup_join = environment.output")

    def _output_child_to_const(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> str:
        if isinstance(node, nodes.TemplateData):
            return super()._output_child_to_const(node, frame, finalize)
        raise nodes.Impossible  # escaped here, it would be in text, too

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 - Jinja's interface
        self.visit(node.node, frame)
        self.write(f".{node.attr}")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802
        self.visit(node.node, frame)
        self.write("[")
        self.visit(node.arg, frame)
        self.write("]")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            self.fail("arguments go by position in built-in templates", node.lineno)
        self.visit(node.node, frame)
        self.write("(")
        for argument in node.args:
            self.visit(argument, frame)
            self.write(", ")
        self.write("caller)" if forward_caller else ")")

    def macro_def(self, macro_ref: MacroRef, frame: Frame) -> None:  # noqa: ARG002
        self.write("environment.macro(macro)" if macro_ref.node.defaults else "macro")

    def return_buffer_contents(self, frame: Frame, force_unescaped: bool = False) -> None:  # noqa: ARG002
        super().return_buffer_contents(frame)  # what Jinja does around a macro


def compiled() -> dict[str, str]:
    """The modules' texts by file name."""
    environment = trusted(html=True)
    environment.code_generator_class = _Code
    return {
        f"{_compiled.module_name(name)}.py": (
            f"{MARK}{environment.compile(source, name, raw=True, defer_init=True)}\n"
        )
        for name, source in builtin_sources().items()
    }


def main(arguments: Sequence[str]) -> int:
    """Write the files, or compare them with ``--check``."""
    parser = argparse.ArgumentParser(description="Compile the built-in templates.")
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    options = parser.parse_args(arguments)
    if jinja2.__version__ != _compiled.JINJA:
        print(
            f"Jinja is {jinja2.__version__}, but {_compiled.JINJA} compiled the templates.", file=sys.stderr
        )
        return 1
    wanted = compiled()
    present = {
        path.name: path.read_text("utf-8") for path in TARGET.glob("*.py") if path.name != "__init__.py"
    }
    differing = sorted(
        name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)
    )
    if options.check:
        for name in differing:
            print(f"out of date: {TARGET / name} (run `make templates`)", file=sys.stderr)
        return 1 if differing else 0
    for name in differing:
        if name in wanted:
            (TARGET / name).write_text(wanted[name], "utf-8")
        else:
            (TARGET / name).unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
