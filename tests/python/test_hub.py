"""torch.hub's files of weights: fetched once, whole or not at all."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

import lamina
from lamina import hub, nn


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Of a state dict, in a file whose name says how its hash begins."""
    file = tmp_path / "there.pth"
    lamina.save(nn.Linear(2, 3).state_dict(), file)
    named = file.with_name(f"net-{sha256(file.read_bytes()).hexdigest()[:8]}.pth")
    return file.rename(named).as_uri()


def test_weights_are_fetched_once(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_chosen", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    assert hub.get_dir() == str(tmp_path / "cache" / "hub")
    state = hub.load_state_dict_from_url(url, check_hash=True, weights_only=True)
    nn.Linear(2, 3).load_state_dict(state)
    kept = tmp_path / "cache" / "hub" / "checkpoints"
    assert [file.name for file in kept.iterdir()] == [url.rpartition("/")[2]]
    Path(url.removeprefix("file://")).unlink()
    assert hub.load_state_dict_from_url(url)["weight"].equal(state["weight"])


def test_folders_and_names_can_be_chosen(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_chosen", None)
    hub.set_dir(tmp_path / "mine")
    assert hub.get_dir() == str(tmp_path / "mine")
    hub.load_state_dict_from_url(url, file_name="other.pth")
    hub.load_state_dict_from_url(url, model_dir=str(tmp_path / "models"), file_name="third.pth", map_location="cpu")
    assert (tmp_path / "mine" / "checkpoints" / "other.pth").is_file()
    assert (tmp_path / "models" / "third.pth").is_file()


def test_what_has_another_hash_is_not_kept(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    with pytest.raises(RuntimeError, match='invalid hash value \\(expected "0000", got '):
        hub.download_url_to_file(url, folder / "net.pth", "0000")
    assert list(folder.iterdir()) == []
