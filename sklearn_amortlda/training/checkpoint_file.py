"""The file of a checkpoint: an .npz archive that is replaced completely or not at all.

Input: a dict for JSON and named arrays. Output: a file of them, and both read from it.
Nothing is pickled. The zip format has a checksum of each array.
"""

from __future__ import annotations

import errno
import glob
import json
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import numpy as np

try:
    import fcntl
# Only POSIX has locks of files that end with the process.
except ImportError:
    fcntl = None

# Flags that only some systems have. A FIFO would block without the first.
_NO_WAIT, _BINARY = getattr(os, "O_NONBLOCK", 0), getattr(os, "O_BINARY", 0)


class CheckpointFile:
    """A file that one process at a time replaces.

    Parameters
    ----------
    path : str or os.PathLike
        If it is a symbolic link, its target is replaced.
    """

    def __init__(self, path):
        self.path = os.path.realpath(os.fspath(path))
        self._latest = None

    def read(self):
        """The dict and the arrays, or None if there is no file.

        Raises
        ------
        OSError
            If the file cannot be opened, or is no regular file.
        Exception
            Of any type, if the content is damaged.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | _NO_WAIT | _BINARY)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "it is no regular file")
            self._latest = _identity(status)
            return _read(file, status.st_size)

    def write(self, meta: dict, arrays: dict) -> None:
        """Replace the file.

        Raises
        ------
        OSError
            If the file cannot be written, or another process has replaced it since this
            object read or wrote it. The file is unchanged.
        """
        folder, name = os.path.split(self.path)
        partial = os.path.join(folder, f".{name}.{secrets.token_hex(8)}.partial")
        try:
            # Exclusive, so that no file of the user is overwritten.
            with open(partial, "xb") as file:
                with suppress(OSError):
                    _lock(file)
                _write(file, meta, arrays)
                file.flush()
                os.fsync(file.fileno())
            latest = _identity(os.stat(partial))
            self._check_owner()
            os.replace(partial, self.path)
        except BaseException:
            _remove(partial)
            raise
        self._latest = latest
        _sync_folder(folder)

    def remove(self) -> None:
        """Remove the file, unless another process has replaced it."""
        if self._present() == self._latest:
            _remove(self.path)

    def remove_leftovers(self) -> None:
        """Remove the unfinished files that killed processes have left."""
        folder, name = os.path.split(self.path)
        if fcntl is None:
            return
        for path in Path(folder).glob(f".{glob.escape(name)}.*.partial"):
            # An error means that a living process writes the file, or removed it.
            with suppress(OSError), open(path, "rb") as file:
                _lock(file)
                _remove(path)

    def _check_owner(self):
        present = self._present()
        if present is not None and present != self._latest:
            raise OSError(
                errno.EBUSY,
                "another process writes this file; choose another path for one of them",
            )

    def _present(self):
        try:
            return _identity(os.stat(self.path))
        except FileNotFoundError:
            return None


def _identity(status):
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


def _lock(file):
    """Lock a file until it is closed; raises an OSError if another process did."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _write(file, meta, arrays):
    text = np.array(json.dumps(meta))
    # Not np.savez, which pickles objects and leaves the archive open after errors.
    with ZipFile(file, "w", ZIP_STORED) as archive:
        for name, array in {"meta": text, **arrays}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _read(file, size):
    with ZipFile(file) as archive:
        members = archive.infolist()
        # A small file could otherwise expand to any size.
        stored = all(member.compress_type == ZIP_STORED for member in members)
        if not stored or sum(member.file_size for member in members) > size:
            raise ValueError("The archive is compressed.")
    file.seek(0)
    with np.load(file, allow_pickle=False) as archive:
        arrays = dict(archive)
    return json.loads(arrays.pop("meta").item()), arrays


def _remove(path):
    # The file does not exist, or the folder is not accessible.
    with suppress(OSError):
        os.remove(path)


def _sync_folder(folder):
    # Only POSIX opens folders.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
