"""That a mutator learns, and that its controls do not, on whole campaigns with a tiny model (see tests/motif.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.learning import ARMS, SIZE, TRAINER, run
from evoengine import Campaign
from tests.models import needs
from tests.motif import Motif, SetBlock, novice

UPDATES = 60


@pytest.fixture(scope="module", autouse=True)
def _there() -> None:
    needs("torch", "transformers", "peft")


def campaign_of(folder: Path, **trainer: Any) -> Campaign:
    return Campaign(
        Motif(),
        name="motif",
        store=f"sqlite:///{folder}/motif.db",
        operators=[SetBlock()],
        generator={"use": "transformers", "model": novice(), "dtype": "float32"},
        trainer={"group": 6, "groups": 4, "control": 0.0, "guard": {"probes": 0}, **trainer},
        selector="uniform",
        islands=1,
        inspirations=0,
        gates=[],
        guidance=False,
        lessons=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_learns_to_improve_programs_it_never_saw_and_does_not_from_shuffled_rewards() -> None:
    learnt, control = run("grpo", 1, UPDATES), run("shuffled", 1, UPDATES)
    before = learnt["held_out_before"]
    assert control["held_out_before"] == before
    assert learnt["held_out"] >= 0.25
    assert learnt["held_out"] >= 3 * before
    assert control["held_out"] < 2 * before
    assert learnt["valid"] >= 0.9
    assert learnt["best"] > 0.6


@pytest.mark.slow
def test_at_a_learning_rate_of_0_the_weights_stay_what_they_were_to_the_bit(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    with campaign_of(tmp_path, use="full", learning_rate=0.0, loss={"use": "dapo", "beta": 0.1}) as campaign:
        campaign.run(evaluations=1 + 3 * 24)
        row = campaign.store.campaign("motif")
        assert row is not None
        updates = campaign.store.updates(row)
    assert [one.facts["skipped"] for one in updates] == [0.0] * 3
    made = load_file(tmp_path / "motif.db-policies" / "motif" / "policies" / "motif-v3" / "model.safetensors")
    first = load_file(Path(novice()) / "model.safetensors")
    assert made.keys() == first.keys()
    assert all(made[name].equal(first[name]) for name in first)


@pytest.mark.slow
def test_a_population_of_adapters_answers_each_under_its_own_weights(tmp_path: Path) -> None:
    with campaign_of(tmp_path, use="eggroll", rank=4, sigma=0.02, reward="rank", advantage="dr_grpo") as campaign:
        campaign.run(evaluations=1 + 3 * 24)
        row = campaign.store.campaign("motif")
        assert row is not None
        updates, records = campaign.store.updates(row), list(campaign.store.replay(row))
    assert [one.number for one in updates] == [1, 2, 3]
    assert any((one.facts["update_norm"] or 0) > 0 for one in updates if not one.facts["skipped"])
    groups: dict[int | None, set[str]] = {}
    for record in records[1:]:
        groups.setdefault(record.candidate.group, set()).add(record.candidate.turns[0].completion.policy)
    assert all(policies == {f"motif-v{(number - 2) // 24}-m{member}" for member in range(6)}
               for number, policies in groups.items() if number is not None)  # fmt: skip


def test_the_arms_of_the_benchmark_are_those_that_are_compared() -> None:
    assert {"frozen", "grpo", "mc_grpo", "entropic", "parent", "shuffled"} == set(ARMS)
    assert TRAINER["group"] * TRAINER["groups"] == SIZE
