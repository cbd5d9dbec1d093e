"""What the settings of another engine come to here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evoengine.compat.tasks import Task
from evoengine.errors import SettingError
from evoengine.types import Feature, Limits

_SECONDS, _MEMORY_MIB, _SCRATCH_MIB, _PROCESSES, _DESCRIPTORS = 300.0, 4096, 512, 64, 256
_SLOWER = 2.0
"""How much more time by the clock than of computing is given, where the other engine knows only the clock."""
_OPENAI = "https://api.openai.com/v1"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_STAGE = re.compile(r"^(?:async )?def (evaluate_stage[123])\b", re.MULTILINE)
_LOCAL = re.compile(r"local/(?P<model>[^@]+)@(?P<url>[^?]+)(?:\?api_key_env=(?P<key>\w+))?")
_LENGTH = Feature(name="length", low=0, high=4000, bins=20)


@dataclass(slots=True, kw_only=True)
class Mapped:
    """What a task's settings come to.

    Attributes:
        campaign: settings of a campaign, as in a TOML file.
        message: what models are told.
        features, limits: of the problem.
        options: what the engine's evaluator has to be given (`sandbox/foreign/harness.py`).
        fitness: the metric that is the score; None for the combined score, or the mean of metrics.
        apart: metrics that the mean leaves out.
        left: settings without a counterpart here, by their path.
    """

    campaign: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    features: tuple[Feature, ...] = (_LENGTH,)
    limits: Limits = field(default_factory=Limits)
    options: dict[str, Any] = field(default_factory=dict)
    fitness: str | None = None
    apart: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @classmethod
    def of(cls, task: Task) -> Mapped:
        """What the config of a task comes to.

        Raises:
            SettingError: it cannot be read, or a setting has a value that cannot be meant.
            MissingExtra: there is nothing to read it with.
        """
        given = _Given(task.settings())
        try:
            mapped = _ENGINES[task.engine](given, task)
        except (TypeError, ValueError, OverflowError) as error:
            raise SettingError(f"{task.config}: a setting has a value that cannot be used: {error}.") from None
        mapped.left = tuple(given.rest())
        return mapped


class _Given:
    """Settings in tables, of which each is taken once."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._taken: set[str] = set()

    def take(self, *paths: str) -> Any:
        """The first of some settings that is there and not null; all of them count as taken."""
        found = None
        for path in paths:
            value: Any = self._settings
            for part in path.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
            self._taken.add(path)
            found = value if found is None else found
        return found

    def number(self, path: str, *others: str) -> float | None:
        """A setting that is a number."""
        found = self.take(path, *others)
        return None if found is None else float(found)

    def leave(self, path: str) -> None:
        """Counts a setting as not taken after all."""
        self._taken.discard(path)

    def rest(self) -> Iterator[str]:
        """The paths of what was not taken and says something."""
        yield from self._rest(self._settings, "")

    def _rest(self, table: Mapping[str, Any], above: str) -> Iterator[str]:
        for key, value in table.items():
            path = f"{above}{key}"
            if path in self._taken or value is None:
                continue
            if isinstance(value, Mapping) and value:
                yield from self._rest(value, f"{path}.")
            else:
                yield path


def _openevolve(given: _Given, task: Task) -> Mapped:
    mapped = Mapped(message=_text(given.take("prompt.system_message", "llm.system_message", "system_message")))
    islands = int(given.number("database.num_islands") or 5)
    interval = given.number("database.migration_interval")
    mapped.campaign = _campaign(
        evaluations=given.number("max_iterations"),
        seed=given.number("random_seed"),
        workers=given.number("evaluator.parallel_evaluations"),
        islands=islands,
        # theirs counts what one island made, ours what all of them did
        interval=None if interval is None else interval * islands,
        rate=given.number("database.migration_rate"),
        inspirations=_sum(given.number("prompt.num_top_programs"), given.number("prompt.num_diverse_programs")),
    )
    given.take("database.random_seed", "file_suffix", "language", "log_level", "checkpoint_interval")
    generator = _openevolve_models(given)
    if generator is not None:
        mapped.campaign["generator"] = generator
    cascade = given.take("evaluator.cascade_evaluation")
    thresholds = given.take("evaluator.cascade_thresholds")
    mapped.options = {
        "cascade": True if cascade is None else bool(cascade),
        "thresholds": [0.5, 0.75, 0.9] if thresholds is None else [float(one) for one in thresholds],
    }
    seconds = _or(given.number("evaluator.timeout"), _SECONDS)
    if mapped.options["cascade"]:  # each stage may take that long
        judge = (task.folder / task.evaluator).read_text(encoding="utf-8", errors="replace")
        seconds *= max(1, len(set(_STAGE.findall(judge))))
    mapped.limits = _limits(seconds, given.number("evaluator.memory_limit_mb"))
    mapped.apart, mapped.features = _openevolve_features(given)
    return mapped


def _openevolve_models(given: _Given) -> dict[str, Any] | None:
    """Its models as one generator, or several by weight; None where it names none."""
    common = {name: given.take(f"llm.{name}") for name in ("api_base", "api_key", "temperature", "top_p", "max_tokens")}
    common["timeout"] = given.take("llm.timeout")
    if common["api_key"] and _key_variable(common["api_key"]) is None:
        given.leave("llm.api_key")  # a key that is written out would be stored with the campaign
    listed = given.take("llm.models") or []
    if not listed:
        for which in ("primary", "secondary"):
            name, weight = given.take(f"llm.{which}_model"), given.take(f"llm.{which}_model_weight")
            if name and weight != 0:
                listed = [*listed, {"name": name, "weight": weight}]
    if not listed and (single := given.take("llm.name")):
        listed = [{"name": single}]
    members, weights = dict[str, Any](), dict[str, float]()
    for one in listed:
        if isinstance(one, Mapping) and one.get("name"):
            own = {**common, **{key: value for key, value in one.items() if value is not None}}
            name = str(own["name"])
            members[name] = _model(name, own.get("api_base"), _key_variable(own.get("api_key")), own)
            weights[name] = 1.0 if own.get("weight") is None else float(own["weight"])
    if len(members) < 2:
        return next(iter(members.values()), None)
    return {"use": "ensemble", "members": members, "weights": weights}


def _openevolve_features(given: _Given) -> tuple[tuple[str, ...], tuple[Feature, ...]]:
    """Its dimensions, and the same here: theirs move their bounds, ours are wide and fixed."""
    named = given.take("database.feature_dimensions")
    dimensions = [str(one) for one in (["complexity", "diversity"] if named is None else named)]
    bins = given.take("database.feature_bins")
    features = []
    for name in dimensions:
        count = int((bins.get(name) if isinstance(bins, Mapping) else bins) or 10)
        match name:
            case "complexity":
                features.append(Feature(name="length", low=0, high=10_000, bins=count))
            case "diversity":
                features.append(Feature(name="novelty", low=0, high=1, bins=count))
            case _:
                features.append(Feature(name=name, low=0, high=1, bins=count))
    return tuple(dimensions), tuple(features) or (_LENGTH,)


def _shinka(given: _Given, task: Task) -> Mapped:  # noqa: ARG001
    def evo(name: str) -> Any:
        return given.take(f"evo_config.{name}", f"evo.{name}", f"evolution.{name}")

    def database(name: str) -> float | None:
        return given.number(f"db_config.{name}", f"db.{name}", f"database.{name}")

    def job(name: str) -> Any:
        return given.take(f"job_config.{name}", f"job.{name}")

    mapped = Mapped(message=_text(evo("task_sys_msg")))
    interval, rate = database("migration_interval"), database("migration_rate")
    mapped.campaign = _campaign(
        evaluations=_real(evo("num_generations")),
        workers=given.number("max_evaluation_jobs"),
        islands=int(database("num_islands") or 2),
        interval=0.0 if rate == 0 else interval,
        rate=rate or None,
        inspirations=_sum(database("num_archive_inspirations"), database("num_top_k_inspirations")),
    )
    if (money := _real(evo("max_api_costs"))) is not None:
        mapped.campaign["money"] = money
    sampling = evo("llm_kwargs") or {}
    temperatures = sampling.get("temperatures") if isinstance(sampling, Mapping) else None
    told = {
        "temperature": temperatures[0] if isinstance(temperatures, list) and temperatures else temperatures,
        "max_tokens": sampling.get("max_tokens") if isinstance(sampling, Mapping) else None,
    }
    members = {}
    for name in evo("llm_models") or []:
        local = _LOCAL.fullmatch(str(name))
        model, url, key = (local["model"], local["url"], local["key"]) if local else (str(name), None, None)
        members[model] = _model(model, url, key, told)
    if members:
        one = next(iter(members.values()))
        mapped.campaign["generator"] = one if len(members) == 1 else {"use": "ensemble", "members": members}
    for name in ("init_program_path", "language", "job_type", "results_dir"):
        evo(name)
    job("eval_program_path")
    mapped.options = {"arguments": dict(job("extra_cmd_args") or {})}
    mapped.limits = _limits(_or(_clocked(job("time")), _SECONDS), None)
    return mapped


def _codeevolve(given: _Given, task: Task) -> Mapped:
    mapped = Mapped(message=_text(given.take("SYS_MSG")))
    islands = int(given.number("EVOLVE_CONFIG.num_islands") or 1)
    epochs, interval = given.number("EVOLVE_CONFIG.num_epochs"), given.number("EVOLVE_CONFIG.migration_interval")
    mapped.campaign = _campaign(
        evaluations=None if epochs is None else epochs * islands,
        islands=islands,
        interval=None if interval is None else interval * islands,
        rate=given.number("EVOLVE_CONFIG.migration_rate") or None,
        inspirations=given.number("EVOLVE_CONFIG.num_inspirations"),
    )
    if given.take("EVOLVE_CONFIG.migration_topology") == "complete":
        mapped.campaign["islands"]["topology"] = "complete"
    given.take("INIT_FILE_DATA", "EVAL_FILE_NAME")
    fitness = given.take("EVOLVE_CONFIG.fitness_key")
    mapped.fitness = "fitness" if fitness is None else str(fitness)
    base = str(given.take("CODEBASE_PATH") or "").strip("/")
    mapped.options = {"base": base if base and (task.folder / base).is_dir() else ""}
    memory = given.number("MAX_MEM_BYTES")
    mapped.limits = _limits(_or(given.number("EVAL_TIMEOUT"), _SECONDS), None if memory is None else memory / 2**20)
    named = given.take("MAP_ELITES.features") or []
    mapped.features = tuple(
        Feature(name=str(one["name"]), low=one["min_val"], high=one["max_val"], bins=int(one.get("num_bins") or 10))
        for one in named
        if {"name", "min_val", "max_val"} <= set(one)
    ) or (_LENGTH,)
    return mapped


_ENGINES: dict[str, Callable[[_Given, Task], Mapped]] = {
    "openevolve": _openevolve,
    "shinka": _shinka,
    "codeevolve": _codeevolve,
}


def _campaign(
    *,
    islands: int,
    evaluations: float | None = None,
    seed: float | None = None,
    workers: float | None = None,
    interval: float | None = None,
    rate: float | None = None,
    inspirations: float | None = None,
) -> dict[str, Any]:
    given = {"evaluations": evaluations, "seed": seed, "workers": workers, "inspirations": inspirations}
    found: dict[str, Any] = {name: int(value) for name, value in given.items() if value is not None}
    found["islands"] = {"count": islands}
    if interval is not None:
        found["islands"]["interval"] = int(interval)
    if rate is not None:
        found["islands"]["rate"] = rate
    return found


def _limits(seconds: float, memory_mib: float | None) -> Limits:
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(f"a time limit of {seconds!r} s")
    return Limits(
        cpu_seconds=seconds,
        trial_cpu_seconds=min(seconds, 10.0),
        wall_seconds=seconds * _SLOWER,
        memory_mib=_MEMORY_MIB if memory_mib is None else max(64, int(memory_mib)),
        processes=_PROCESSES,
        descriptors=_DESCRIPTORS,
        scratch_mib=_SCRATCH_MIB,
    )


def _model(name: str, url: Any, key_variable: str | None, told: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"use": "openai", "model": name, "urls": [str(url or _OPENAI)]}
    if key_variable is not None:
        found["key_variable"] = key_variable
    for setting in ("temperature", "top_p", "max_tokens", "timeout"):
        if told.get(setting) is not None:
            found[setting] = told[setting]
    return found


def _key_variable(key: Any) -> str | None:
    """The variable that a key is read from; a key that is written out is not taken over."""
    found = _VARIABLE.fullmatch(str(key)) if key else None
    return found[1] if found else None


def _clocked(time: Any) -> float | None:
    """Seconds of `hh:mm:ss`, or of what YAML makes of it."""
    if time is None or isinstance(time, int | float):
        return time
    seconds = 0.0
    for part in str(time).split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def _sum(*given: float | None) -> float | None:
    known = [one for one in given if one is not None]
    return sum(known) if known else None


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _real(value: Any) -> float | None:
    return None if value is None else float(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
