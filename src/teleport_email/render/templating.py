"""The templates: built in, or the operator's own in a sandbox. The only module that imports Jinja.

Own templates are read once, when the :class:`Templates` are made, so that rendering does no I/O and a file
that is being edited cannot end up in a mail; a reload makes new ones.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from types import FunctionType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from markupsafe import Markup, escape

from teleport_email.core.errors import Fault
from teleport_email.render import _compiled

BUILTIN_PREFIX = "builtin/"
"""``{% extends "builtin/layout.html" %}`` in an own template means ours, whatever stands in its directory."""
SUFFIXES = (".txt", ".html", ".jinja")
OUTPUT_LIMIT = 200_000
"""Characters of one rendered part. Ours are below 30,000; Gmail clips above about 100,000."""
_STEPS_LIMIT = 20_000  # rounds of all loops of one rendering: far above need, milliseconds of work
_SOURCE_LIMIT = 500_000  # bytes of one template file
# They make markup out of what they are given: the one way around autoescape.
_UNSAFE_FILTERS = ("safe", "urlize")


class _Loader(jinja2.BaseLoader):
    """Own templates first, then the built-in ones."""

    def __init__(self, own: Mapping[str, str], directory: Path | None) -> None:
        self._own = own
        self._directory = directory

    def get_source(
        self,
        environment: jinja2.Environment,  # noqa: ARG002 - Jinja's interface
        template: str,
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        if self._directory is not None and template in self._own:
            return self._own[template], str(self._directory / template), None
        name = template.removeprefix(BUILTIN_PREFIX)
        source = builtin_sources().get(name)
        if source is None:
            raise jinja2.TemplateNotFound(template)
        return source, BUILTIN_PREFIX + name, None


class _Compiled(_Loader):
    """The built-in ones as they were compiled; for another Jinja, whose runtime may differ, the sources."""

    def __init__(self) -> None:
        super().__init__({}, None)

    def load(
        self,
        environment: jinja2.Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja's interface
    ) -> jinja2.Template:
        own = name.removeprefix(BUILTIN_PREFIX)
        if jinja2.__version__ == _compiled.JINJA:
            with suppress(ModuleNotFoundError):
                module = importlib.import_module(f"{_compiled.__name__}.{_compiled.module_name(own)}")
                # Jinja's own map of maps is asked and copied several times a rendering.
                globals = dict(globals or {})  # noqa: A001
                return environment.template_class.from_module_dict(environment, vars(module), globals)
        return super().load(environment, name, globals)


_OPTIONS: Mapping[str, Any] = {
    "undefined": jinja2.StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
    "auto_reload": False,
}


class _Sandbox(ImmutableSandboxedEnvironment):
    """For own templates, with loops that end: every round is counted, also those of macros and includes."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, loader: jinja2.BaseLoader, *, html: bool) -> None:
        super().__init__(loader=loader, autoescape=html, **_OPTIONS)
        for name in _UNSAFE_FILTERS:
            del self.filters[name]
        self.filters["_counted"] = _counted

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "**" or not numbers:
            raise SecurityError(
                f"{operator!r} of {type(left).__name__} and {type(right).__name__} is not available here"
            )
        return left * right

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        for loop in list(source.find_all(nodes.For)):
            loop.iter = nodes.Filter(loop.iter, "_counted", [], [], None, None, lineno=loop.lineno)
        return super()._generate(source, *args, **kwargs)


def _escaped(value: object) -> str:
    """For output: what is markup already stays as it is."""
    return value if type(value) is Markup else escape(value)


class _Trusted(jinja2.Environment):
    """For the built-in templates; what the compiled ones call in place of Jinja's own."""

    def __init__(self, *, html: bool) -> None:
        super().__init__(loader=_Compiled(), autoescape=html, cache_size=-1, **_OPTIONS)
        self.output = (_escaped, Markup, markup_join) if html else (str, str, str_join)
        """What escapes a value, what says that a text is escaped, and what joins values (``~``)."""

    @staticmethod
    def macro(function: FunctionType) -> FunctionType:
        """A macro is its function: arguments that are left out are those that it takes for missing."""
        function.__defaults__ = (missing,) * function.__code__.co_argcount
        return function


@functools.cache
def trusted(*, html: bool) -> jinja2.Environment:
    """For sets with none but ours, which need no sandbox: that takes a third of rendering's time.

    One for the process: they have nothing of a configuration, and keep what they loaded.
    """
    return _Trusted(html=html)


class _Steps:
    """Rounds left for one rendering."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = _STEPS_LIMIT


@jinja2.pass_context
def _counted(context: jinja2.runtime.Context, items: Iterable[Any]) -> Iterable[Any]:
    steps = context.get("_steps")
    for each in items:
        if isinstance(steps, _Steps):
            steps.left -= 1
            if steps.left < 0:
                raise SecurityError(f"the loops of this template take more than {_STEPS_LIMIT} rounds")
        yield each


class Templates:
    """A set of templates. ``directory``: the operator's own, which take precedence; None: only ours.

    Reads the directory now; what is wrong with it is told by :meth:`faults`.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._own, self._faults = _read(directory) if directory is not None else ({}, [])
        loader = _Loader(self._own, directory)
        # Two environments, not autoescape by file name: a macro of words.jinja that HTML calls would hand out
        # unescaped text that Jinja takes for markup.
        self._text = trusted(html=False) if directory is None else _Sandbox(loader, html=False)
        self._html = trusted(html=True) if directory is None else _Sandbox(loader, html=True)

    def faults(self) -> list[Fault]:
        """What is wrong with the files as such: unreadable, misnamed, or not Jinja."""
        faults = list(self._faults)
        for name in sorted(self._own):
            try:
                self._environment(name).get_template(name)
            except Exception as error:  # noqa: BLE001 - Jinja's compiler may fail in any way
                faults.append(self.explain(error, name))
        return faults

    def render(self, name: str, variables: Mapping[str, object]) -> str:
        """The template's output. Raises whatever the template does: hand it to :meth:`explain`."""
        template = self._environment(name).get_template(name)
        parts: list[str] = []
        length = 0
        for part in template.generate({**variables, "_steps": _Steps()}):
            length += len(part)
            if length > OUTPUT_LIMIT:
                raise SecurityError(f"its output is longer than {OUTPUT_LIMIT} characters")
            parts.append(part)
        return "".join(parts)

    def explain(self, error: Exception, name: str) -> Fault:
        """Where and what: the file with its line, and a sentence."""
        where, line = self._place(error, name)
        if isinstance(error, jinja2.TemplateNotFound):
            what = f"there is no template {str(error.message or error.name)!r}"
        elif isinstance(error, RecursionError):
            what = "a macro or template uses itself without end"
        else:
            what = str(error) or type(error).__name__
            if isinstance(error, jinja2.TemplateAssertionError) and any(
                f"'{f}'" in what for f in _UNSAFE_FILTERS
            ):
                what += " (users' text must stay escaped; markup belongs into the template itself)"
        return Fault(f"{where}:{line}" if line else where, what)

    def _environment(self, name: str) -> jinja2.Environment:
        return self._html if name.endswith(".html") else self._text

    def _place(self, error: Exception, name: str) -> tuple[str, int]:
        if isinstance(error, jinja2.TemplateSyntaxError):
            return error.filename or self._path(name), error.lineno
        ours = {self._path(own) for own in self._own} | {BUILTIN_PREFIX + n for n in builtin_sources()}
        place = (self._path(name), 0)
        trace = error.__traceback__
        while (
            trace is not None
        ):  # Jinja rewrites its frames to the templates' own lines; the innermost counts
            if trace.tb_frame.f_code.co_filename in ours:
                place = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
            trace = trace.tb_next
        return place

    def _path(self, name: str) -> str:
        return (
            str(self._directory / name)
            if self._directory is not None and name in self._own
            else BUILTIN_PREFIX + name
        )


@functools.cache
def builtin_sources() -> Mapping[str, str]:
    """Name -> text of the built-in templates."""
    files = Path(__file__).with_name("templates").iterdir()
    return {file.name: file.read_text("utf-8") for file in files if file.name.endswith(SUFFIXES)}


def _read(directory: Path) -> tuple[dict[str, str], list[Fault]]:
    own: dict[str, str] = {}
    faults: list[Fault] = []
    try:
        files = sorted(path for path in directory.iterdir() if path.name.endswith(SUFFIXES))
    except OSError as error:
        what = f"cannot be read ({error.strerror or error}); the built-in templates are used"
        return own, [Fault(str(directory), what)]
    import difflib  # only for own templates

    for path in files:
        try:
            data = path.read_bytes()
            if len(data) > _SOURCE_LIMIT:
                faults.append(Fault(str(path), f"is longer than {_SOURCE_LIMIT} bytes"))
                continue
            own[path.name] = data.decode("utf-8-sig")
        except OSError as error:
            faults.append(Fault(str(path), f"cannot be read ({error.strerror or error})"))
        except UnicodeDecodeError as error:
            faults.append(Fault(str(path), f"is not UTF-8 (at byte {error.start})"))
        close = difflib.get_close_matches(path.name, builtin_sources(), n=1, cutoff=0.8)
        if path.name not in builtin_sources() and close:
            faults.append(Fault(str(path), f"replaces nothing; did you mean {close[0]}?"))
    return own, faults
