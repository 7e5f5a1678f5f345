"""``torch.hub``: files of weights are fetched once, and kept where PyTorch keeps them."""

from __future__ import annotations

import os
import re
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import urlopen

from .serialization import load

__all__ = ["HASH_REGEX", "download_url_to_file", "get_dir", "load_state_dict_from_url", "set_dir"]

HASH_REGEX = re.compile(r"-([0-9a-f]+)\.")  # how a file's name says how its hash begins
_chosen: str | None = None


def get_dir() -> str:
    """The folder of what is fetched: that of `set_dir`, or ``hub`` in $TORCH_HOME, by default ~/.cache/torch."""
    if _chosen is not None:
        return _chosen
    cache = os.path.join(os.getenv("XDG_CACHE_HOME", os.path.join("~", ".cache")), "torch")
    return os.path.join(os.path.expanduser(os.getenv("TORCH_HOME", cache)), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Keep what is fetched in the folder `d`."""
    global _chosen
    _chosen = os.path.expanduser(d)


def download_url_to_file(
    url: str, dst: str | os.PathLike[str], hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Fetch `url` into the file `dst`, which is there whole or not at all.

    `progress` is without effect. RuntimeError if the file's SHA-256 does not begin with `hash_prefix`.
    """
    path = Path(dst).expanduser()
    digest = sha256()
    with urlopen(url) as source, tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
        try:
            while block := source.read(1 << 20):
                part.write(block)
                digest.update(block)
            if hash_prefix and not digest.hexdigest().startswith(hash_prefix):
                raise RuntimeError(
                    f'invalid hash value (expected "{hash_prefix}", got "{digest.hexdigest()}") of {url}'
                )
            part.close()
            os.replace(part.name, path)
        finally:
            Path(part.name).unlink(missing_ok=True)


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> Any:
    """What the file at `url` holds, as `lamina.load` reads it; it is fetched if it is not in `model_dir` yet.

    `model_dir` is ``checkpoints`` in `get_dir()` by default, `file_name` the last part of `url`. With `check_hash` the
    name says how the file's SHA-256 begins: ``net-0123abcd.pth``.
    """
    folder = Path(model_dir or os.path.join(get_dir(), "checkpoints"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (file_name or os.path.basename(urlparse(url).path))
    if not path.exists():
        named = HASH_REGEX.search(path.name) if check_hash else None
        download_url_to_file(url, path, named.group(1) if named else None)
    return load(path, map_location=map_location, weights_only=weights_only)
