"""What the commands share: recipe → typed config, one-line errors, exit codes, logging."""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import re
import runpy
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from facenet_tf.errors import InputError, Interrupted

OK, FAILED, BAD_INPUT, RESUMABLE = 0, 1, 2, 75

Config = TypeVar("Config")

_SHARED_OPTIONS = (
    "Every command also takes --config FILE (a recipe such as configs/pubfig83.py, whose fields "
    "the options override) and --debug (tracebacks and debug messages)."
)


def load(
    config_class: type[Config],
    part: str,
    argv: Sequence[str],
    description: str = "",
    defaults_for: Callable[[Config, Config], Config] = lambda default, chosen: default,
) -> Config:
    """Return the config for one command: recipe (or class defaults) with options on top.

    Args:
        config_class: a frozen dataclass whose defaults are the demonstration.
        part: the recipe's module-level name: ``"build"``, ``"train"`` or ``"evaluate"``.
        argv: the command line without the program's name.
        description: what ``--help`` says about the command.
        defaults_for: what becomes of the defaults where the options choose something that they were
            not meant for; the command line is then read once more, on top of these.

    Raises:
        InputError: unknown option, bad value, or a recipe that cannot be read.
        SystemExit: with 0 after ``--help``.
    """
    recipe, rest = split_off_recipe(argv)
    default = _from_recipe(Path(recipe), part, config_class) if recipe else config_class()
    about = f"{description}\n\n{_SHARED_OPTIONS}"
    chosen = _parsed(rest, config_class, default, about)
    fitting = defaults_for(default, chosen)
    return chosen if fitting == default else _parsed(rest, config_class, fitting, about)


def run(command: Callable[[Sequence[str]], None], argv: Sequence[str] | None = None) -> NoReturn:
    """Run a command and leave the process with its exit code.

    Exit codes: 0 all done; 2 bad usage or input; 75 interrupted and resumable; 1 anything else.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in argv
    # TensorFlow's own chatter would bury the one line that says what is wrong.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0" if debug else "2")
    arguments = [argument for argument in argv if argument != "--debug"]
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
    )
    for chatty in ("matplotlib", "h5py", "PIL", "absl", "tensorflow"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    with contextlib.suppress(ValueError):  # only the main thread may; elsewhere the caller decides
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        command(arguments)
    except InputError as error:
        _fail(str(error), BAD_INPUT, debug)
    except Interrupted as error:
        _fail(str(error), RESUMABLE, debug)
    except KeyboardInterrupt:
        _fail("interrupted", FAILED, debug)
    except Exception as error:
        _fail(f"{type(error).__name__}: {error} (--debug shows where)", FAILED, debug)
    sys.exit(OK)


def split_off_recipe(argv: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the value of ``--config``, if it is given, and the other arguments.

    Raises:
        InputError: it names no file, or is given more than once.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--config", action="append", default=[])
    try:
        known, rest = parser.parse_known_args(list(argv))
    except argparse.ArgumentError as error:
        raise InputError(f"--config: {error.message}; name a file such as configs/att.py") from None
    if "" in known.config:
        raise InputError("--config: it is empty; name a file such as configs/att.py")
    if len(known.config) > 1:
        raise InputError(f"--config is given more than once ({', '.join(known.config)}): name one")
    return (known.config or [None])[0], rest


def _from_recipe(path: Path, part: str, config_class: type[Config]) -> Config:
    if not path.is_file():
        raise InputError(f"--config {path}: no such file; the recipes are in configs/")
    try:
        found = runpy.run_path(str(path)).get(part)
    except Exception as error:
        raise InputError(f"--config {path}: {type(error).__name__}: {error}") from error
    if not isinstance(found, config_class):
        raise InputError(
            f"--config {path}: it defines no {part} = {config_class.__name__}(...); add one"
        )
    return found


def _parsed(
    argv: Sequence[str], config_class: type[Config], default: Config, description: str
) -> Config:
    import tyro

    def parse(arguments: Sequence[str]) -> tuple[Config, list[str]]:
        return tyro.cli(
            config_class,
            args=arguments,
            default=default,
            description=description,
            return_unknown_args=True,
        )

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            config, unknown = parse(argv)
    except SystemExit as stop:
        if stop.code in (None, 0):
            raise
        # Tyro may take the value of an unknown option for a directory and complain of that.
        unknown = _unknown_options(argv, parse)
        if not unknown:
            raise InputError(_one_line(said.getvalue())) from None
    if unknown:
        raise InputError(f"unknown option {unknown[0]!r}: --help lists the options")
    return config


def _unknown_options(argv: Sequence[str], parse: Callable[[Sequence[str]], object]) -> list[str]:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        parse(["--help"])
    known = set(re.findall(r"--[\w.-]+", said.getvalue()))
    options = [token.partition("=")[0] for token in argv if token.startswith("--")]
    return [option for option in options if option.replace("_", "-") not in known]


def _one_line(box: str) -> str:
    """Tyro's boxed message as one line, without its heading and the help."""
    text = re.sub(r"[\u2500-\u257f]+", " ", re.sub(r"\x1b\[[0-9;]*m", "", box))
    line = re.sub(r"\s+", " ", text).strip()
    return line.partition(" Argument helptext:")[0].removeprefix("Value error ")


def _fail(message: str, code: int, debug: bool) -> NoReturn:
    if debug:
        logging.getLogger(__name__).exception("%s", message)
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)
