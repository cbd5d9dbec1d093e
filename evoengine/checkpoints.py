"""Checkpoints of training: the policy and the trainer's state, paired with the record that they belong to."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from evoengine.errors import TrainerError
from evoengine.types import Failed, Record

_STATE, _POLICIES = "state.json", "policies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A checkpoint.

    Attributes:
        update: from 1.
        folder: what the trainer saved is in it; the policy in its folder `policy`.
        state: all else, as JSON values.
    """

    update: int
    folder: Path
    state: Mapping[str, Any]

    @property
    def policy(self) -> Path:
        """The folder that `Generator.load` reads."""
        return (self.folder / "policy").resolve()


class Checkpoints:
    """The checkpoints of one campaign in a folder, one in each folder `vN`.

    A checkpoint is written beside its place and moved there when it is whole, so a process that dies leaves none
    half made. Policies lie apart, each in a folder of its name under `policies`, which never moves: whoever serves them
    may have to read them again.

    Args:
        folder: made when the first checkpoint is written.
        identity: what a checkpoint must have been made with to be taken up, as JSON values.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        self.folder, self._identity = folder, json.loads(json.dumps(dict(identity)))

    def newest(self) -> Kept | None:
        """The newest checkpoint.

        Raises:
            TrainerError: it belongs to something else.
        """
        found = self._all()
        return self.read(found[-1]) if found else None

    def read(self, update: int) -> Kept:
        """The checkpoint of an update.

        Raises:
            TrainerError: there is none, or it belongs to something else.
        """
        folder = self.folder / f"v{update}"
        try:
            state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TrainerError(
                f"the checkpoint {folder} cannot be read ({error}): bring it back, or start the campaign under "
                f"another --name."
            ) from None
        for key, value in self._identity.items():
            if state["identity"].get(key) != value:
                raise TrainerError(
                    f"the checkpoint {folder} was made with {key} = {json.dumps(state['identity'].get(key))}, and now "
                    f"it is {json.dumps(value)}: go on as it was, or start the campaign under another --name."
                )
        return Kept(update=update, folder=folder, state=state)

    def staged(self, update: int, name: str, save: Callable[[Path], None]) -> Path:
        """A folder that `save` has filled, its policy where it will stay: it can be loaded before it is settled.

        Raises:
            TrainerError: the disk does not take it.
        """
        made, policy = self.folder / f".v{update}", self.folder / _POLICIES / name
        with self._explained(update):
            for path in (made, policy):
                shutil.rmtree(path, ignore_errors=True)
            made.mkdir(parents=True)
            policy.parent.mkdir(exist_ok=True)
            save(made)
            (made / "policy").rename(policy)
            (made / "policy").symlink_to(Path("..") / _POLICIES / name)
            for path in [*policy.rglob("*"), *made.rglob("*"), policy.parent]:
                _synced(path)
        return policy

    def settle(self, update: int, state: Mapping[str, Any]) -> Kept:
        """Makes what was staged a checkpoint.

        Raises:
            TrainerError: the disk does not take it.
        """
        made, place = self.folder / f".v{update}", self.folder / f"v{update}"
        text = json.dumps({**state, "identity": self._identity})
        with self._explained(update):
            (made / _STATE).write_text(text, encoding="utf-8")
            _synced(made / _STATE)
            _synced(made)
            shutil.rmtree(place, ignore_errors=True)
            made.rename(place)
            _synced(self.folder)
        return Kept(update=update, folder=place, state=json.loads(text))

    @contextmanager
    def _explained(self, update: int) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TrainerError(
                f"the checkpoint of update {update} cannot be written in {self.folder}: {error.strerror or error}; "
                f"make room, or give another folder, then start the same run again: it goes on from the one before."
            ) from error

    def prune(self, kept: Collection[int]) -> None:
        """Removes all but the checkpoints of these updates, and all policies but theirs."""
        names = set()
        for update in self._all():
            folder = self.folder / f"v{update}"
            if update in kept:
                names.add((folder / "policy").resolve().name)
            else:
                shutil.rmtree(folder, ignore_errors=True)
        for policy in (self.folder / _POLICIES).iterdir():
            if policy.name not in names:
                shutil.rmtree(policy, ignore_errors=True)

    def _all(self) -> list[int]:
        found = [path.name[1:] for path in self.folder.glob("v*") if (path / _STATE).is_file()]
        return sorted(int(name) for name in found if name.isdecimal())


def trail_of(records: Sequence[Record]) -> str:
    """A hash of what an update learnt from: contents, scores and sampled tokens of records."""
    seen = blake2b(digest_size=16)
    for record in records:
        content, evaluation = record.candidate.content, record.evaluation
        told = [
            record.number,
            None if content is None else content.digest,
            str(evaluation.cause) if isinstance(evaluation, Failed) else evaluation.score,
            [turn.completion.token_ids for turn in record.candidate.turns],
        ]
        seen.update(json.dumps(told).encode())
    return seen.hexdigest()


def _synced(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
