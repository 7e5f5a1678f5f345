"""Writes docs/compatibility.md: which public names of PyTorch lamina has, from its real namespaces.

Run ``python docs/compatibility/generate.py`` after names have come or gone; a test compares the page. It reads
pytorch_names.txt (PyTorch's names), differs.txt (what is there but not the same, and how) and left_out.txt (PyTorch's
own tests that do not pass, and why).
"""

from __future__ import annotations

import textwrap
from importlib import import_module
from pathlib import Path

import lamina

__all__ = ["PAGE", "differences", "page"]

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "compatibility.md"

_HEAD = """# Compatibility with PyTorch

Which of PyTorch 2.13's public, documented names lamina has. Written by
[compatibility/generate.py](compatibility/generate.py) from lamina's real namespaces, and checked by
[test_compatibility.py](../tests/python/test_compatibility.py).

- **yes**: the name is there and means what it means in PyTorch.
- **differs**: the name is there; the table says what is not the same.
- **absent**: the name is not there at all, so that using it is an `AttributeError` at the user's line.

What holds everywhere: there is one device, the CPU; the types are `float64`, `float32`, `float16`, `bfloat16`, `int64`,
`int32`, `int16`, `int8`, `uint8` and `bool`, of which the narrow floats and integers are computed with in float32 and
int32; tensors are dense. There is one process: `distributed` has `is_available()` and `is_initialized()`, both False.
Operations are recorded and run when numbers are looked at, so `data_ptr()` and timings of single lines say little, and
what a dead tensor held is let go when the tape runs. Texts are PyTorch's ([ADR 10](adr/0010-printed-names.md)): a shape
prints as `torch.Size([2])`; classes are lamina's (`type(x).__module__`).

## Libraries written for PyTorch

A library says `import torch`. `lamina.as_torch` makes that statement give lamina, for one process:

```sh
python -m lamina.as_torch script.py
python -m lamina.as_torch -m pytest tests
```

or, before anything imports torch, in notebooks and in programs of one's own:

```python
import lamina.as_torch

lamina.as_torch.install()
import torch  # lamina
```

- Every `torch.x.y` is the module `lamina.x.y` itself, so both names can be mixed. What lamina lacks is absent, an
  `AttributeError` or a `ModuleNotFoundError` where the library asks for it. Only in this place there are a few things
  to be asked about: classes without instances (`fx.Proxy`, `distributed.tensor.DTensor`, `SymInt`), and types that no
  tensor has (`uint16`, `float8_e4m3fn`), so that a table of types can be written. Who makes a tensor of one gets an
  error.
- `torch.__version__` is `2.13.0+lamina.` and lamina's version, by which libraries choose what to call;
  `lamina.__version__` stays what it is ([ADR 19](adr/0019-in-pytorchs-place.md)).
- PyTorch may be installed, too. If it has been imported already, `install` refuses.
- A package manager does not count lamina as PyTorch: `pip install --no-deps` installs a library without it.
- Processes that are started by `spawn` or `forkserver` begin anew: they need `install()` at the top of the script.

Run in this way beside PyTorch 2.13, with the same parameters and inputs: losses of a few steps, or what a library
computes, agree within 2e-5, relative; Pyro and Stable-Baselines3 draw their own numbers, and their results are alike.

| library | what was run |
|---|---|
| captum 0.9.0 | integrated gradients, saliency, DeepLift, guided backpropagation, occlusion, Grad-CAM |
| deepxde 1.15.0 | a Poisson equation with second derivatives |
| einops 0.8.2 | `rearrange`, `reduce`, `repeat`, `EinMix` |
| entmax 1.3 | sparsemax, entmax and their gradients |
| gpytorch 1.15.2 | an exact and a variational Gaussian process, predictions |
| lion-pytorch 0.2.5, schedulefree 1.4.1, torch-optimizer 0.3.0 | nine optimizers |
| pyro-ppl 1.9.2 | stochastic variational inference, NUTS |
| pytorch-metric-learning 2.9.0 | eight losses behind a miner |
| pytorch-tabnet 4.1.0 | training its network |
| skorch 1.4.0 | a classifier of scikit-learn's kind |
| stable-baselines3 2.9.2 | PPO, A2C, DQN, SAC, TD3; `save` and `load` |
| torchdiffeq 0.2.5, torchsde 0.2.6 | neural ODEs, with the adjoint, too; an SDE |
| torchmetrics 1.9.0 | 14 metrics of classification, regression, correlation |
| x-transformers 2.31.10 | decoders with three kinds of positions |
| zuko 1.6.0 | five kinds of normalizing flows |

Those that ask for functions of `torch.distributed` or for `torch.overrides` when they are imported do not run: PyTorch
Lightning is one.
"""

_LEFT_OUT = """## PyTorch's own tests that do not pass

The lists of PyTorch's tests that are run against lamina, and what is left of each.
"""


def _rows(name: str) -> list[str]:
    lines = (FOLDER / name).read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _names() -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    for line in _rows("pytorch_names.txt"):
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), [])
        else:
            current += line.split()
    return sections


def differences() -> dict[str, str]:
    """How names differ, by PyTorch's full name."""
    rows = (line.partition(" | ") for line in _rows("differs.txt"))
    return {name.strip(): how.strip() for name, _, how in rows}


def _find(path: str) -> object:
    """lamina's counterpart of a dotted name below torch, or None."""
    found: object = lamina
    dotted = "lamina"
    for part in path.split(".")[1:]:
        dotted += f".{part}"
        if not hasattr(found, part):
            try:
                found = import_module(dotted)
            except ImportError:
                return None
        else:
            found = getattr(found, part)
    return found


def _filled(names: list[str]) -> str:
    text = " ".join(f"`{name}`" for name in names)
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _section(path: str, names: list[str], differs: dict[str, str]) -> str:
    owner = _find(path)
    there = [name for name in names if owner is not None and (hasattr(owner, name) or _find(f"{path}.{name}"))]
    different = [name for name in there if f"{path}.{name}" in differs]
    same = [name for name in there if name not in different]
    absent = [name for name in names if name not in there]
    parts = [f"## {path}\n\n{len(same)} yes, {len(different)} differ, {len(absent)} absent, of {len(names)}."]
    if same:
        parts.append(f"**yes**\n\n{_filled(same)}")
    if different:
        table = "\n".join(f"| `{name}` | {differs[f'{path}.{name}']} |" for name in different)
        parts.append(f"**differs**\n\n| name | how |\n|---|---|\n{table}")
    if absent:
        parts.append(f"**absent**\n\n{_filled(absent)}")
    return "\n\n".join(parts)


def _left_out() -> str:
    lists: dict[str, list[str]] = {}
    for line in _rows("left_out.txt"):
        where, test, reason = (part.strip() for part in line.split(" | ", 2))
        lists.setdefault(where, []).append(f"| `{test}` | {reason} |")
    tables = [
        f"### {where}\n\n| test | reason |\n|---|---|\n" + "\n".join(sorted(rows))
        for where, rows in sorted(lists.items())
    ]
    return "\n\n".join([_LEFT_OUT.strip(), *tables])


def page() -> str:
    """The page's text."""
    differs = differences()
    sections = [_section(path, names, differs) for path, names in _names().items()]
    return "\n\n".join([_HEAD.strip(), *sections, _left_out()]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
