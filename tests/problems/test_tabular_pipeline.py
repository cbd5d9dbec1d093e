from __future__ import annotations

import json
import math

import numpy as np
import pytest

from evoengine.problem import Reject
from evoengine.testing import InProcess, ProblemContract
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("tabular_pipeline")
TabularPipeline, TABLES, HIDDEN = module.TabularPipeline, module.TABLES, module.HIDDEN


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return TabularPipeline()


def constant(train_x, train_y, test_x, kind):
    return [sum(train_y) / len(train_y)] * len(test_x)


class Told(InProcess):
    """Knows what the judge knows, and answers with it."""

    def __init__(self, answers):
        self.left = iter(answers)
        super().__init__(lambda *_: next(self.left))


@pytest.mark.parametrize("stage", TABLES)
def test_a_constant_explains_nothing_and_the_targets_themselves_everything(stage):
    tables = module.made(stage).values()
    assert TabularPipeline().play(InProcess(constant), stage).value == pytest.approx(0.0, abs=0.05)
    assert TabularPipeline().play(Told([one.target[-HIDDEN:] for one in tables]), stage).value == 1.0


def test_the_means_behind_the_targets_score_the_anchor():
    score = TabularPipeline().play(Told([one.mean[-HIDDEN:] for one in module.made("train").values()]))
    assert score.value == pytest.approx(TabularPipeline.best_known.value, abs=1e-9)


@pytest.mark.parametrize("stage", TABLES)
def test_nothing_that_is_sent_holds_a_hidden_target(stage):
    for name, table in module.made(stage).items():
        rows, target, asked, kind = module.task(name, stage)
        assert len(asked) == HIDDEN
        assert len(rows) == len(target) == TABLES[stage][name].rows
        sent = json.dumps([rows, target, asked, kind])
        if kind == "regression":
            assert not [value for value in table.target[-HIDDEN:].tolist() if repr(value) in sent]
        assert {len(row) for row in rows + asked} == {table.columns.shape[1]}


def test_a_candidate_that_writes_into_its_arguments_does_not_change_the_tables():
    def vandal(train_x, train_y, test_x, kind):
        answer = constant(train_x, train_y, test_x, kind)
        for row in train_x + test_x:
            row.clear()
        train_y.clear()
        return answer

    first = TabularPipeline().play(InProcess(constant)).instances
    TabularPipeline().play(InProcess(vandal))
    assert TabularPipeline().play(InProcess(constant)).instances == first


def test_missing_values_and_outliers_and_few_ones_are_where_they_should_be():
    tables = module.made("train")
    missing = {name: float(np.isnan(table.columns).mean()) for name, table in tables.items()}
    assert missing["linear_missing"] == pytest.approx(0.15, abs=0.03)
    assert missing["friedman"] == 0.0
    groups = tables["groups_outliers"]
    off = np.abs(groups.target - groups.mean) > 5.0
    assert 3 <= off[:-HIDDEN].sum() <= 25
    assert not off[-HIDDEN:].any()
    assert 0.03 < tables["rare_missing"].target.mean() < 0.2


def test_tables_of_the_two_stages_share_no_row():
    rows = [
        {tuple(row) for table in module.made(stage).values() for row in table.columns.tolist()} for stage in TABLES
    ]  # fmt: skip
    assert not rows[0] & rows[1]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer[:-1],
        lambda answer: [*answer, 0.0],
        lambda answer: [math.nan, *answer[1:]],
        lambda answer: [math.inf, *answer[1:]],
        lambda answer: [True, *answer[1:]],
        lambda answer: ["0.5", *answer[1:]],
        lambda answer: [None, *answer[1:]],
        lambda answer: [[one] for one in answer],
        lambda answer: {"skill": 1.0},
        lambda answer: [10**20, *answer[1:]],
    ],
)
@pytest.mark.parametrize("kind", ["regression", "probability"])
def test_predictions_that_are_no_numbers_are_refused(spoil, kind):
    class Spoiler(InProcess):
        def __call__(self, *call):
            answer = constant(*call)
            return spoil(answer) if call[3] == kind else answer

    with pytest.raises(Reject):
        TabularPipeline().play(Spoiler(constant))


@pytest.mark.parametrize("value", [-0.01, 1.01, 1e308])
def test_a_probability_has_to_be_one(value):
    def predict(train_x, train_y, test_x, kind):
        return [value if kind == "probability" else 0.0] * len(test_x)

    with pytest.raises(Reject, match="probabilities"):
        TabularPipeline().play(InProcess(predict))


def test_predictions_that_are_far_off_cost_a_table_no_more_than_the_worst():
    def predict(train_x, train_y, test_x, kind):
        return [1.7e308 if kind == "regression" else 0.5] * len(test_x)

    score = TabularPipeline().play(InProcess(predict))
    assert score.instances["friedman"] == -1.0
    assert math.isfinite(score.value)
