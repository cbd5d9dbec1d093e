"""The contract of losses, and their values and gradients against the formulas, typed in token by token in plain Python.

The oracle, `expected`, knows neither tensors nor automatic differentiation: it is given what counts as a constant, and
gradients are its central differences.
"""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import pytest

from evoengine.errors import SettingError
from evoengine.plugins import build, plugins
from evoengine.rl.loss import Loss, Micro, Whole
from evoengine.testing import LossContract, micro_of, part_of, whole_of
from tests.models import needs

pytestmark = pytest.mark.slow

NAMES = ["grpo", "dapo", "dr_grpo", "cispo", "reinforce_is", "gspo"]
ADDED = [
    {},
    {"importance_sampling_level": "token"},
    {"importance_sampling_level": "sequence"},
    {"importance_sampling_level": "min_prefix"},
    {"beta": 0.3, "kl_estimator": "k1"},
    {"beta": 0.3, "kl_estimator": "k2"},
    {"beta": 0.3, "kl_estimator": "k3"},
    {"entropy_coef": 0.2},
    {"entropy_coef": 0.2, "entropy_floor": 0.8},
    {"tis_clip": 1.1},
    {"tis_clip": 1.1, "tis_level": "sequence"},
    {"tis_clip": 1.1, "importance_sampling_level": "min_prefix", "beta": 0.1, "entropy_coef": 0.1},
]
VARIANTS = [{"use": name, **added} for name in NAMES for added in ADDED] + [
    {"use": "grpo", "delta": 1.3, "epsilon": 0.1, "epsilon_high": 0.15},
    {"use": "dapo", "delta": 1.4},
    {"use": "cispo", "epsilon_high": 1.1},
]


def test_every_loss_that_ships_is_among_the_variants() -> None:
    assert {plugin.name for plugin in plugins("losses")} == set(NAMES)


class TestEveryLoss(LossContract):
    # k1 has a gradient at the base itself, too; it must not turn the signs that the contract looks at
    @pytest.fixture(params=[one | {"beta": 1e-9} if "k1" in one.values() else one for one in VARIANTS], ids=str)
    def loss(self, request: pytest.FixtureRequest) -> Loss:
        needs("torch")
        made = build("losses", request.param)
        assert isinstance(made, Loss)
        return made


DEFAULTS = {"epsilon": 0.2, "epsilon_high": 0.2, "delta": None, "importance_sampling_level": "token", "beta": 0.0}
DEFAULTS |= {"kl_estimator": "k3", "entropy_coef": 0.0, "entropy_floor": None, "tis_clip": None, "tis_level": "token"}
OWN = {
    "dapo": {"epsilon_high": 0.28},
    "cispo": {"epsilon_high": 5.0},
    "gspo": {"epsilon": 3e-4, "epsilon_high": 4e-4, "importance_sampling_level": "sequence"},
}


def expected(variant, logprobs, entropy, micro: Micro, whole: Whole, constant):
    """The loss by its formula; `constant` are the log-probabilities where no gradient flows."""
    s = DEFAULTS | OWN.get(variant["use"], {}) | variant
    name = s["use"]
    total = 0.0
    for b, mask in enumerate(micro.mask.tolist()):
        steps = [t for t, one in enumerate(mask) if one]
        advantage = float(micro.advantages[b])
        behaviour = micro.behaviour[b].tolist()
        began = behaviour
        if s["tis_clip"] is not None:
            began = constant[b] if micro.proximal is None else micro.proximal[b].tolist()
        mean = sum(logprobs[b][t] - began[t] for t in steps) / len(steps)
        frozen_mean = sum(constant[b][t] - began[t] for t in steps) / len(steps)
        losses = []
        for t in steps:
            sequence = s["importance_sampling_level"] == "sequence"
            rho = math.exp(mean if sequence else logprobs[b][t] - began[t])
            frozen = math.exp(frozen_mean if sequence else constant[b][t] - began[t])
            if name == "cispo":
                gain = min(frozen, s["epsilon_high"]) * advantage * logprobs[b][t]
            elif name == "reinforce_is":
                gain = rho * advantage
            else:
                clipped = min(max(rho, 1 - s["epsilon"]), 1 + s["epsilon_high"])
                gain = min((rho if s["delta"] is None else min(rho, s["delta"])) * advantage, clipped * advantage)
            one = -gain
            if s["importance_sampling_level"] == "min_prefix":
                one *= min([1.0, *(math.exp(constant[b][i] - began[i]) for i in steps if i < t)])
            if s["tis_clip"] is not None:
                at = steps if s["tis_level"] == "sequence" else [t]
                one *= min(math.prod(math.exp(began[i] - behaviour[i]) for i in at), s["tis_clip"])
            d = logprobs[b][t] - float(micro.reference[b][t])
            one += s["beta"] * {"k1": d, "k2": d * d / 2, "k3": math.exp(-d) - 1 + d}[s["kl_estimator"]]
            losses.append(one)
        if name in ("grpo", "gspo"):
            total += sum(losses) / len(losses) / whole.sequences
        elif name in ("dapo", "cispo"):
            total += sum(losses) / whole.tokens
        elif name == "dr_grpo":
            total += sum(losses) / (whole.sequences * whole.longest)
        else:
            total += sum(losses) / whole.sequences
        level = sum(entropy[b][t] for t in steps) / len(steps)
        if s["entropy_floor"] is not None:
            level = min(level, s["entropy_floor"])
        total -= s["entropy_coef"] * level / whole.sequences
    return total


def bigger(micro: Micro) -> Whole:
    """A batch that this is only a part of."""
    whole = whole_of(micro)
    return Whole(sequences=whole.sequences + 3, tokens=whole.tokens + 11, longest=whole.longest + 2)


@pytest.mark.parametrize("proximal", [True, False], ids=["later step", "first step"])
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_values_and_gradients_follow_the_formula(variant, proximal) -> None:
    needs("torch")
    if not proximal and "tis_clip" not in variant:
        proximal = True  # nothing looks at it
    step = 1e-6
    for seed in range(3):
        micro = micro_of(seed)
        if not proximal:
            micro = replace(micro, proximal=None)
        whole = bigger(micro)
        value, _ = build("losses", variant).of(micro, whole)
        value.backward()
        constant, entropy = micro.logprobs.tolist(), micro.entropy.tolist()

        def at(logprobs, entropies, micro=micro, whole=whole, constant=constant):
            return expected(variant, logprobs, entropies, micro, whole, constant)

        assert float(value.detach()) == pytest.approx(at(constant, entropy), rel=1e-10, abs=1e-13)
        for b in range(len(constant)):
            for t in range(0, len(constant[b]), 2 if seed else 1):
                for tensor, move in ((micro.logprobs, 0), (micro.entropy, 1)):
                    ends = []
                    for sign in (1, -1):
                        both = [[row[:] for row in constant], [row[:] for row in entropy]]
                        both[move][b][t] += sign * step
                        ends.append(at(*both))
                    found = 0.0 if tensor.grad is None else float(tensor.grad[b, t])
                    assert found == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5, abs=1e-8), (seed, b, t)


# by hand


def tiny(ratios, advantages, **rest) -> Micro:
    """Answers with these ratios of the policy that is trained to the one that sampled; None is padding."""
    torch = pytest.importorskip("torch")
    logs = [[0.0 if ratio is None else math.log(ratio) for ratio in row] for row in ratios]
    behaviour = torch.full((len(logs), len(logs[0])), -2.0, dtype=torch.float64)
    return Micro(
        logprobs=(behaviour + torch.tensor(logs, dtype=torch.float64)).requires_grad_(),
        behaviour=behaviour,
        advantages=torch.tensor(advantages, dtype=torch.float64),
        mask=torch.tensor([[0.0 if ratio is None else 1.0 for ratio in row] for row in ratios], dtype=torch.float64),
        **rest,
    )


def value_of(variant, micro: Micro) -> float:
    needs("torch")
    whole = Whole(sequences=2, tokens=3, longest=4)
    return float(build("losses", variant).of(micro, whole)[0].detach())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # tokens -1.2 * 2, -0.5 * 2 of the first answer (the 2.0 is clipped), and 1.5 of the second (which is not)
        ("grpo", ((-2.4 - 1.0) / 2 + 1.5) / 2),
        ("dapo", (-2.56 - 1.0 + 1.5) / 3),  # clipped at 1.28
        ("dr_grpo", (-2.4 - 1.0 + 1.5) / (2 * 4)),
        ("reinforce_is", (-4.0 - 1.0 + 1.5) / 2),
    ],
)
def test_the_loss_of_three_tokens(name: str, value: float) -> None:
    needs("torch")
    assert value_of(name, tiny([[2.0, 0.5], [1.5, None]], [2.0, -1.0])) == pytest.approx(value)


def test_gspo_clips_whole_answers() -> None:
    needs("torch")
    # 4.0 and 0.25 have the geometric mean 1, which is not clipped; 1.5 is cut at neither end when A is negative
    assert value_of("gspo", tiny([[4.0, 0.25], [1.5, None]], [2.0, -1.0])) == pytest.approx((-2.0 + 1.5) / 2)
    assert value_of("gspo", tiny([[4.0, 1.0], [1.0, None]], [2.0, -1.0])) == pytest.approx((-2.0 * 1.0004 + 1.0) / 2)


def test_cispo_keeps_the_gradient_of_a_clipped_token() -> None:
    needs("torch")
    micro = tiny([[9.0, 0.5], [1.5, None]], [2.0, -1.0])
    value, _ = build("losses", "cispo").of(micro, Whole(sequences=2, tokens=3, longest=4))
    value.backward()
    assert micro.logprobs.grad.tolist() == [pytest.approx([-10 / 3, -1 / 3]), pytest.approx([1.5 / 3, 0.0])]


def test_clipped_tokens_have_no_gradient_and_two_sided_clipping_stops_the_others() -> None:
    needs("torch")
    ratios, advantages = [[2.0, 0.5], [0.5, 4.0]], [1.0, -1.0]
    for delta, last in ((None, 4.0 / 3), (2.0, 0.0)):
        micro = tiny(ratios, advantages)
        made = build("losses", {"use": "dapo", "delta": delta})
        made.of(micro, Whole(sequences=2, tokens=3, longest=4))[0].backward()
        assert micro.logprobs.grad.tolist() == [pytest.approx([0.0, -0.5 / 3]), pytest.approx([0.0, last])]


def test_the_smallest_ratio_before_a_token_weighs_it() -> None:
    needs("torch")
    # 2 * 1 (nothing is before it), 0.5 * 1 (2 is above 1), 3 * 0.5, and 1 * 0.5
    variant = {"use": "reinforce_is", "importance_sampling_level": "min_prefix"}
    value = value_of(variant, tiny([[2.0, 0.5, 3.0, 1.0], [1.0, None, None, None]], [1.0, 0.0]))
    assert value == pytest.approx(-(2.0 + 0.5 + 1.5 + 0.5) / 2)


def test_facts_are_sums_over_tokens() -> None:
    needs("torch")
    torch = pytest.importorskip("torch")
    base = torch.full((2, 2), -2.0, dtype=torch.float64)
    micro = tiny([[2.0, 0.5], [0.5, None]], [2.0, -1.0], reference=base, entropy=base * -0.5)
    _, facts = build("losses", "grpo").of(micro, Whole(sequences=2, tokens=3, longest=4))
    gap = math.log(2)
    assert {name: float(fact) for name, fact in facts.items()} == pytest.approx(
        {
            "kl": (0.5 - 1 + gap) + 2 * (2 - 1 - gap),
            "entropy": 3.0,
            "clip_ratio/low": 1.0,  # the last, whose advantage is negative; not the 0.5 before it
            "clip_ratio/high": 1.0,
            "clip_ratio/region": 2.0,
            "ratio": 3.0,
            "ratio_max": 2.0,
            "sampling/sampling_logp_difference": 3 * gap,
            "sampling/sampling_logp_difference_max": gap,
        }
    )
    _, facts = build("losses", {"use": "cispo", "epsilon_high": 1.5}).of(micro, Whole(sequences=2, tokens=3, longest=4))
    assert (float(facts["clip_ratio/low"]), float(facts["clip_ratio/high"])) == (0.0, 1.0)
    _, facts = build("losses", {"use": "grpo", "tis_clip": 1.5}).of(micro, Whole(sequences=2, tokens=3, longest=4))
    assert float(facts["sampling/importance_sampling_ratio"]) == pytest.approx(1.5 + 0.5 + 0.5)
    assert float(facts["ratio"]) == pytest.approx(3.0)  # to the policy that the update began with


def test_an_entropy_above_the_floor_is_left_alone() -> None:
    needs("torch")
    torch = pytest.importorskip("torch")
    micro = part_of(micro_of(3, sequences=2), slice(None))
    entropy = torch.tensor([[0.2] * 7, [0.9] * 7], dtype=torch.float64).requires_grad_()
    made = build("losses", {"use": "dr_grpo", "entropy_coef": 0.1, "entropy_floor": 0.5})
    made.of(replace(micro, entropy=entropy), whole_of(micro))[0].backward()
    assert (entropy.grad[0] * micro.mask[0]).sum() == pytest.approx(-0.1 / 2)
    assert not entropy.grad[1].any()


@pytest.mark.parametrize(("estimator", "gradient"), [("k1", 1.0), ("k2", math.log(2)), ("k3", 0.5)])
def test_the_divergence_pulls_towards_the_base(estimator: str, gradient: float) -> None:
    needs("torch")
    torch = pytest.importorskip("torch")
    base = torch.full((1, 1), -2.0, dtype=torch.float64)  # the policy gives the token twice the probability
    micro = tiny([[2.0]], [0.0], reference=base)
    made = build("losses", {"use": "dapo", "beta": 0.5, "kl_estimator": estimator})
    made.of(micro, Whole(sequences=1, tokens=1, longest=1))[0].backward()
    assert float(micro.logprobs.grad) == pytest.approx(0.5 * gradient)


def test_a_ratio_that_float32_cannot_hold_is_cut() -> None:
    needs("torch")
    torch = pytest.importorskip("torch")
    micro = Micro(
        logprobs=torch.tensor([[-0.5]]).requires_grad_(),
        behaviour=torch.tensor([[-200.0]]),
        advantages=torch.tensor([-1.0]),
        mask=torch.ones(1, 1),
    )
    value, facts = build("losses", "reinforce_is").of(micro, Whole(sequences=1, tokens=1, longest=1))
    assert float(value.detach()) == float(facts["ratio_max"]) == pytest.approx(math.exp(20), rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"use": "grpo", "delta": 1.2}, "delta above"),
        ({"use": "grpo", "entropy_floor": 1.0}, "entropy_coef"),
        ({"use": "grpo", "tis_level": "sequence"}, "tis_clip"),
        ({"use": "grpo", "epsilon": 1.0}, "epsilon"),
        ({"use": "grpo", "beta": -0.1}, "beta"),
        ({"use": "grpo", "beta": math.nan}, "beta"),
        ({"use": "reinforce_is", "epsilon": 0.2}, "no setting 'epsilon'"),
        ({"use": "grpo", "kl_estimator": "k4"}, "kl_estimator"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, told: str) -> None:
    with pytest.raises(SettingError, match=told):
        build("losses", settings)


def test_what_is_needed_follows_from_the_settings() -> None:
    for name in NAMES:
        plain = build("losses", name)
        both = build("losses", {"use": name, "beta": 0.1, "entropy_coef": 0.1})
        assert (plain.needs_reference, plain.needs_entropy) == (False, False)
        assert (both.needs_reference, both.needs_entropy) == (True, True)


def test_building_all_of_them_imports_no_torch() -> None:
    program = (
        "import sys\nfrom evoengine.plugins import build, plugins\nimport evoengine.rl.ladder\n"
        "for kind in ('losses', 'advantages', 'rewards', 'allocations'):\n"
        "    for plugin in plugins(kind): build(kind, plugin.name)\n"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
