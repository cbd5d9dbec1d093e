"""A campaign whose policy is trained here and served by real vLLM, under a LoRA adapter for every version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evoengine import Campaign
from evoengine.plugins import build
from evoengine.rl.gathering import exchange_of
from plugins.generators.replay import Replay
from tests.models import needs
from tests.motif import Motif, SetBlock, novice

STEPS, STEP = 4, 32
TRAINER = {"use": "lora", "rank": 8, "learning_rate": 1e-2, "group": 8, "groups": 4, "control": 0.25, "keep": 8,
           "advantage": "grpo", "max_staleness": 1, "guard": {"probes": 4, "every": 2}}  # fmt: skip


def campaign_of(folder: Path, generator: Any, name: str, **settings: Any) -> Campaign:
    return Campaign(
        Motif(), name=name, store=f"sqlite:///{folder}/{name}.db", operators=[SetBlock()], generator=generator,
        trainer=TRAINER, islands=2, inspirations=0, gates=[], guidance=False, lessons=False, **settings,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_version_that_vllm_serves_is_the_one_that_was_trained(tmp_path: Path) -> None:
    needs("torch", "transformers", "peft", "vllm")
    served = {"use": "vllm", "model": novice(), "dtype": "float32", "max_model_len": 64,
              "kv_cache_memory_bytes": 64_000_000}  # fmt: skip
    with campaign_of(tmp_path, served, "motif") as campaign:
        campaign.run(evaluations=1 + STEPS * STEP)
        row = campaign.store.campaign("motif")
        assert row is not None
        records, updates, digest = list(campaign.store.replay(row)), campaign.store.updates(row), campaign.digest()
    assert [one.number for one in updates] == [1, 2, 3, 4]
    assert any(not one.facts["skipped"] for one in updates)
    answers = [record.candidate.turns[0].completion for record in records[1:]]
    assert {answer.policy for answer in answers} == {novice(), "motif-v1", "motif-v2"}
    trainer = build("trainers", TRAINER)
    trainer.open(novice(), None)
    try:
        for version in (1, 2):
            trainer.restore(tmp_path / "motif.db-policies" / "motif" / f"v{version}")
            said = [exchange_of(answer) for answer in answers if answer.policy == f"motif-v{version}"]
            assert said
            for exchange, own in zip(said, trainer.logprobs(said), strict=True):
                assert list(exchange.logprobs) == pytest.approx(own, abs=1e-3)
    finally:
        trainer.close()
    with campaign_of(tmp_path, Replay(store=f"{tmp_path}/motif.db"), "again", workers=1) as campaign:
        campaign.run(evaluations=1 + STEPS * STEP)
        assert campaign.digest() == digest
