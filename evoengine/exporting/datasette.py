"""What a store's tables and columns mean, as metadata for Datasette (`datasette evo.db --metadata metadata.json`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_JUDGED = "as the engine has it: higher is better; with its sign turned where the problem minimizes"
_CAMPAIGN = "id of the campaign, in table campaigns"
_RECORD = "id of the record, in table records: campaign * 2^40 + number"

_TABLES: dict[str, dict[str, Any]] = {
    "campaigns": {
        "title": "Campaigns",
        "description": "Each evolves the programs of one problem.",
        "label_column": "name",
        "columns": {
            "id": "number of the campaign",
            "name": "the campaign's name",
            "problem": "the problem's name",
            "fingerprint": "of the problem and its settings; scores are comparable where it is equal",
            "seed": "decides every random choice",
            "settings": "all that the campaign was started with (JSON)",
            "created": "when it was started (ISO 8601, UTC)",
        },
    },
    "records": {
        "title": "Records",
        "description": "The log: one numbered record for each proposal, whatever came of it.",
        "sort_desc": "id",
        "size": 50,
        "units": {"seconds": "s"},
        "columns": {
            "id": "campaign * 2^40 + number",
            "campaign": _CAMPAIGN,
            "number": "number in the campaign, from 1, without gaps",
            "content": "id of the program or context, in table contents; empty when none could be had",
            "island": "the island's number, from 0; -1 is every island, -2 a context that guides",
            "operator": "what made it; `seed` for seeds",
            "parents": "numbers of the records that it was made from, the first is the one that was changed (JSON)",
            "sibling_group": "number of the first record of those that are answers to the same prompt",
            "score": f"score, {_JUDGED}; empty when it has none",
            "cause": "why it has no score",
            "features": "place in behaviour space, by feature (JSON)",
            "calls": "judged calls that it cost",
            "trials": "how many of the calls were trials of a tuning run",
            "tokens": "tokens that models read and wrote for it",
            "money": "cost of models, in US dollars",
            "seconds": "time on a worker, in seconds",
            "at": "when it was stored, in seconds since 1970",
            "tier": "what held the program while it ran: a tier of the jail, or none",
        },
    },
    "contents": {
        "title": "Programs and contexts",
        "description": "Each text is kept once. Written by models and operators: do not run it outside a sandbox.",
        "columns": {
            "id": "number of the content",
            "digest": "content address: equal for equal contents",
            "first_record": f"of the record that brought it. {_RECORD}",
            "kind": "program or context",
            "language": "the program's language",
            "path": "name of the file that is run",
            "source": "text of the file that is run; all sections of a context",
            "others": "further files, or the sections of a context, by name (JSON)",
        },
    },
    "details": {
        "title": "Details of records",
        "description": "What the judge and the models said about a record.",
        "columns": {
            "id": _RECORD,
            "feedback": "the judge's words, or what went wrong",
            "metrics": "what else the judge measured, by name (JSON)",
            "instances": f"score by instance, {_JUDGED} (JSON)",
            "outputs": "what the program returned (JSON)",
            "turns": "prompts and completions (JSON)",
            "origin": "what else is known of how it was made: guidance, lessons, the model's own note (JSON)",
        },
    },
    "checks": {
        "title": "Checks",
        "description": "Later examinations that selection never saw: held-out stages, repeated evaluations.",
        "columns": {
            "record": _RECORD,
            "stage": "what was examined",
            "score": f"score, {_JUDGED}",
            "cause": "why it has no score",
            "metrics": "what else the judge measured (JSON)",
            "instances": f"score by instance, {_JUDGED} (JSON)",
            "feedback": "the judge's words",
        },
    },
    "runs": {
        "title": "Runs",
        "description": "Each time a campaign was run or gone on with.",
        "units": {"seconds": "s"},
        "columns": {
            "id": "number of the run",
            "campaign": _CAMPAIGN,
            "began": "when it began (ISO 8601, UTC)",
            "seconds": "how long it lasted, in seconds by the clock",
            "reason": "why it ended; empty while it runs, or when it was killed",
        },
    },
    "decisions": {
        "title": "Decisions",
        "description": "What people decided. Each waits here until the campaign runs, and becomes one of its records.",
        "sort_desc": "id",
        "columns": {
            "id": "place in the queue",
            "campaign": _CAMPAIGN,
            "action": "what was decided: kind, target (a record's number) and text (JSON)",
            "content": "the program or context that was submitted (JSON); empty for other decisions",
            "at": "when it was decided (ISO 8601, UTC)",
        },
    },
    "updates": {
        "title": "Updates of a model's weights",
        "description": "What training measured at each.",
        "columns": {
            "campaign": _CAMPAIGN,
            "number": "number of the update, from 1",
            "record": "number of the last record that was there when it fell due",
            "policy": "name of the weights that it made",
            "facts": "figures by name (JSON)",
        },
    },
    "programs": {
        "title": "Records with their programs",
        "description": "A view for reading: a record's main columns beside its source.",
        "columns": {
            "campaign": "the campaign's name",
            "number": "number of the record in the campaign",
            "score": f"score, {_JUDGED}; empty when it has none",
            "cause": "why it has no score",
            "island": "the island's number, from 0; -1 is every island, -2 a context that guides",
            "operator": "what made it",
            "parents": "numbers of the records that it was made from (JSON)",
            "features": "place in behaviour space, by feature (JSON)",
            "calls": "judged calls that it cost",
            "digest": "content address of the program",
            "source": "text of the file that is run",
        },
    },
}

HIDDEN = (
    "digests", "states", "contents_fts", "contents_fts_data", "contents_fts_idx", "contents_fts_docsize",
    "contents_fts_config", "contents_fts_until",
)  # fmt: skip
"""Tables that serve the engine alone; those of the search are there once somebody has searched."""

_OWN = "case when json_extract(campaigns.settings, '$.about.direction') = 'minimize' then -1.0 else 1.0 end"
_JOINED = "from records join campaigns on campaigns.id = records.campaign"
# contexts that guide are credited, not judged: their score is no value of the problem
_JUDGED_ONLY = "records.score is not null and records.island <> -2"

_QUERIES = {
    "best": {
        "title": "The best records of a campaign, in the problem's own values",
        "sql": f"select records.number, {_OWN} * records.score as value, records.operator, records.features, "
        f"contents.source {_JOINED} left join contents on contents.id = records.content "
        f"where campaigns.name = :campaign and {_JUDGED_ONLY} order by records.score desc, records.id limit 20",
    },
    "standing": {
        "title": "Where each campaign stands, in the problem's own values",
        "sql": f"select campaigns.name, campaigns.problem, count(*) as records, "
        f"count(records.score) as scored, {_OWN} * max(case when {_JUDGED_ONLY} then records.score end) as best, "
        f"sum(records.calls) as calls, sum(records.tokens) as tokens, sum(records.money) as us_dollars "
        f"{_JOINED} group by campaigns.id order by campaigns.id",
    },
    "outcomes": {
        "title": "What came of a campaign's records",
        "sql": f"select coalesce(records.cause, 'scored') as outcome, count(*) as records {_JOINED} "
        "where campaigns.name = :campaign group by outcome order by records desc, outcome",
    },
    "operators": {
        "title": "What each operator of a campaign brought and cost",
        "sql": f"select records.operator, count(*) as records, count(records.score) as scored, "
        f"{_OWN} * max(records.score) as best, sum(records.calls) as calls, sum(records.tokens) as tokens, "
        f"sum(records.money) as us_dollars {_JOINED} "
        "where campaigns.name = :campaign and records.island <> -2 group by records.operator order by records desc",
    },
    "improvements": {
        "title": "The records that were a campaign's best of their time, in the problem's own values",
        "sql": "select number, value, operator from (select records.number, records.id, records.score, "
        f"{_OWN} * records.score as value, records.operator, "
        "max(records.score) over (order by records.id rows between unbounded preceding and 1 preceding) as before "
        f"{_JOINED} where campaigns.name = :campaign and {_JUDGED_ONLY} and records.content is not null) "
        "where before is null or score > before order by id",
    },
    "lineage": {
        "title": "A record of a campaign and its first parents back to a seed",
        "sql": "with recursive line(id) as (select records.id from records join campaigns on "
        "campaigns.id = records.campaign where campaigns.name = :campaign "
        "and records.number = cast(:number as integer) "
        "union select records.campaign * 1099511627776 + json_extract(records.parents, '$[0]') "
        "from records join line on line.id = records.id where json_array_length(records.parents) > 0) "
        f"select records.number, {_OWN} * records.score as value, records.operator, records.parents {_JOINED} "
        "join line on line.id = records.id order by records.id desc",
    },
}


def metadata_of(path: Path) -> dict[str, Any]:
    """Metadata for Datasette, as JSON values.

    Args:
        path: of the store's file; Datasette calls a database by it, without its ending.
    """
    hidden = {name: {"hidden": True} for name in HIDDEN}
    return {
        "title": f"evoengine: {path.stem}",
        "description": "Campaigns of evolving programs. Programs, feedback and completions were written by models and "
        "by the programs themselves: look at them, and run none of them outside a sandbox.",
        "databases": {path.stem: {"tables": {**_TABLES, **hidden}, "queries": _QUERIES}},
    }
