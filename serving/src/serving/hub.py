"""Downloads a model's files from the hub, by its own client; no other file imports it."""

import errno
import os
import sys
from pathlib import Path

from serving.errors import FetchError

# Weights that are pickled or for other engines, and what is not a model's file
LEFT_OUT = ["*.bin", "*.pt", "*.pth", "*.h5", "*.msgpack", "*.ot", "*.onnx", "*.gguf"]
LEFT_OUT += ["onnx/*", "openvino/*", "original/*", "metal/*"]


def download_snapshot(hub: str, revision: str | None, folder: Path) -> str:
    """Download the files of `hub` (owner/name) into `folder`, and return their commit.

    What lies in `folder` already and has not changed is not downloaded again. Raises FetchError.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    wanted = f"{hub}@{revision}" if revision else hub
    endpoint = os.environ.get("HF_ENDPOINT") or None
    try:
        from huggingface_hub import HfApi, snapshot_download
    except ImportError as error:
        raise FetchError(
            f"Downloading {wanted} from the hub needs {error.name}: run this command in the llm "
            "or the embed environment."
        ) from error
    try:
        commit = HfApi(endpoint=endpoint).model_info(hub, revision=revision, timeout=20).sha
        snapshot_download(
            hub,
            revision=commit,
            local_dir=folder,
            ignore_patterns=LEFT_OUT,
            max_workers=4,
            endpoint=endpoint,
        )
    except Exception as error:  # its HTTP library's own errors are among them, by version
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EACCES):
            raise
        raise FetchError(_sentence(wanted, error)) from error
    if not list(folder.glob("*.safetensors")):
        raise FetchError(f"{wanted} holds no safetensors: choose a model on the hub that has them.")
    return str(commit)


def _sentence(wanted: str, error: Exception) -> str:
    names = {kind.__name__ for kind in type(error).__mro__}
    if "GatedRepoError" in names:
        return f"The hub gives {wanted} to members only: accept its terms there and set HF_TOKEN."
    if "RevisionNotFoundError" in names:
        return f"The hub has no revision {wanted}: name a branch, a tag or a commit that exists."
    if "RepositoryNotFoundError" in names:
        return f"The hub has no model {wanted}, or a private one: check its id, or set HF_TOKEN."
    if "OfflineModeIsEnabled" in names:
        reason, mend = "HF_HUB_OFFLINE is set", "unset it"
    else:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        mend = "check the network or HF_ENDPOINT"
    return (
        f"{wanted} could not be downloaded from the hub ({reason}): {mend}, or set MODEL to a "
        "folder or to a name that `serving models` lists."
    )
