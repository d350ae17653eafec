"""Generate the typed stubs of every proto below this folder into a target folder.

Usage: python protos/generate.py TARGET
"""

from __future__ import annotations

import os
import pathlib
import sys

import grpc_tools
from grpc_tools import protoc


def main(target: pathlib.Path) -> int:
    """Run protoc for all protos and make each generated folder a package.

    Args:
        target: Folder that receives `garim/api/...`.
    """
    source = pathlib.Path(__file__).parent
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    # protoc looks for the mypy plugins on PATH; they are installed beside this interpreter.
    os.environ["PATH"] = str(pathlib.Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    protos = sorted(str(path.relative_to(source)) for path in source.rglob("*.proto"))
    status = protoc.main(
        [
            "protoc",
            f"-I{source}",
            f"-I{well_known}",
            f"--python_out={target}",
            f"--grpc_python_out={target}",
            f"--mypy_out=quiet:{target}",
            f"--mypy_grpc_out=quiet:{target}",
            *protos,
        ]
    )
    if status:
        return int(status)
    for folder in [target / "garim" / "api", *(target / "garim" / "api").rglob("*/")]:
        (folder / "__init__.py").write_text('"""Generated stubs; `make proto` writes them anew."""\n')
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
