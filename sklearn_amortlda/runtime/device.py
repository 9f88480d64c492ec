"""Resolution of the `device` parameter.

Input: the parameter. Output: a torch device that is available on this machine, or an
error that lists the available devices.
"""

from __future__ import annotations

import torch


def resolve_device(device) -> torch.device:
    """The torch device of the parameter `device`.

    Parameters
    ----------
    device : str or torch.device
        'auto' is 'cuda' if a GPU is available, else 'cpu'.

    Raises
    ------
    ValueError
        If the device is unknown to torch or not available.
    """
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    available = _available_devices()
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(_message(device, "is unknown to torch", available)) from error
    name = resolved.type
    if resolved.index is not None and resolved.type != "cpu":
        name = f"{resolved.type}:{resolved.index}"
    if name not in available:
        raise ValueError(_message(device, "is not available here", available))
    return resolved


def _available_devices() -> list[str]:
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices += ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        devices += ["mps", "mps:0"]
    return devices


def _message(device, problem, available):
    choices = ", ".join(available)
    return f"device={device!r} {problem}; choose 'auto' or one of {choices}."
