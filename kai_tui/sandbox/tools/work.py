"""Tools about components, configurations, flows and jobs (keboola-tools.md §2, §3)."""

from __future__ import annotations

import difflib
from typing import Any

from kai_tui.sandbox import configs, jobs
from kai_tui.sandbox.project import NotPossible, Project
from kai_tui.sandbox.tools.base import Argument, JsonObject, Tool, link, objects, texts
from kai_tui.sandbox.workplace import COMPONENTS, FLOW_COMPONENTS, TRANSFORMATION

CONFIG = {
    "component_id": Argument("string", required=True),
    "configuration_id": Argument("string", required=True),
}


def _get_components(_project: Project, given: JsonObject) -> Any:
    wanted = texts(given, "component_ids")
    return {
        "components": [
            {
                "component_id": each.id,
                "component_name": each.name,
                "component_type": each.type,
                "description": each.description,
                "capabilities": {"is_row_based": each.id == "keboola.ex-db-mysql"},
            }
            for each in COMPONENTS
            if each.id in wanted
        ],
        "links": [],
    }


def _find_component_id(_project: Project, given: JsonObject) -> Any:
    query = given["query"].lower()
    scored = [
        (
            max(
                difflib.SequenceMatcher(None, query, text.lower()).ratio() + (query in text.lower())
                for text in (each.id, each.name, each.description)
            ),
            each,
        )
        for each in COMPONENTS
    ]
    best = sorted(scored, key=lambda pair: -pair[0])[:3]
    return [
        {"component_id": each.id, "score": round(min(score, 1.0), 2), "links": []} for score, each in best
    ]


def _get_configs(project: Project, given: JsonObject) -> Any:
    pairs = [
        (str(pair.get("component_id", "")), str(pair.get("configuration_id", "")))
        for pair in objects(given, "configs")
    ]
    if pairs:
        found = [(pair, configs.config(project, pair)) for pair in pairs]
        missing = [" / ".join(pair) for pair, config in found if config is None]
        if missing:
            raise NotPossible(f"There is no configuration {', '.join(missing)}.")
        return {"configs": [_linked(config) for _, config in found if config is not None]}
    types = texts(given, "component_types")
    every = [
        config
        for config in configs.configs(project, texts(given, "component_ids"))
        if config["component_id"] not in FLOW_COMPONENTS and (not types or _type(config) in types)
    ]
    return {"configs": [_short(config) for config in every], "links": [link("Components", "components")]}


def _type(config: JsonObject) -> str:
    component = configs.component(config["component_id"])
    return component.type if component is not None else "other"


def _short(config: JsonObject) -> JsonObject:
    names = ("component_id", "configuration_id", "name", "description", "version", "updated")
    return {name: config[name] for name in names} | {"component_type": _type(config)}


def _linked(config: JsonObject) -> JsonObject:
    path = f"components/{config['component_id']}/{config['configuration_id']}"
    return config | {"links": [link(f"Configuration: {config['name']}", path)]}


def _get_flows(project: Project, given: JsonObject) -> Any:
    wanted = texts(given, "flow_ids")
    flows = configs.configs(project, FLOW_COMPONENTS)
    if not wanted:
        return {
            "flows": [
                _short(flow)
                | {
                    "phases_count": len(flow["parameters"].get("phases", [])),
                    "tasks_count": len(flow["parameters"].get("tasks", [])),
                    "schedules": flow["parameters"].get("schedules", []),
                }
                for flow in flows
            ],
            "links": [link("Flows", "flows")],
        }
    return {
        "flows": [
            {
                name: value
                for name, value in _linked(flow).items()
                if name not in ("parameters", "storage", "rows")
            }
            | flow["parameters"]
            for flow in flows
            if flow["configuration_id"] in wanted
        ]
    }


def _result(config: JsonObject, summary: str) -> JsonObject:
    """The shape `config result` of keboola-tools.md §2."""
    return {
        "component_id": config["component_id"],
        "configuration_id": config["configuration_id"],
        "description": config["description"],
        "version": config["version"],
        "timestamp": config["updated"],
        "success": True,
        "change_summary": summary,
        "links": _linked(config)["links"],
    }


def _create_config(project: Project, given: JsonObject) -> Any:
    config = configs.create(
        project,
        given["component_id"],
        given["name"],
        given["description"],
        given["parameters"],
        given.get("storage"),
    )
    return _result(config, f"Created {config['name']}.")


def _create_sql_transformation(project: Project, given: JsonObject) -> Any:
    codes: list[JsonObject] = []
    for block in given["sql_code_blocks"]:
        script = block.get("script")
        if not isinstance(script, str) or not script.strip():
            raise NotPossible("Every code block needs a name and a script.")
        codes.append({"name": str(block.get("name", "Code")), "script": [script]})
    config = configs.create(
        project,
        TRANSFORMATION,
        given["name"],
        given["description"],
        {"blocks": [{"name": "Blocks", "codes": codes}]},
    )
    return _result(config, f"Created {config['name']} with {len(codes)} code blocks.")


def _update_config(project: Project, given: JsonObject) -> Any:
    config = configs.update(
        project,
        (given["component_id"], given["configuration_id"]),
        given["change_description"],
        name=given.get("name") or "",
        description=given.get("description") or "",
        operations=objects(given, "parameter_updates"),
        storage=given.get("storage"),
    )
    return _result(config, given["change_description"])


def _run_job(project: Project, given: JsonObject) -> Any:
    key = (given["component_id"], given["configuration_id"])
    return _job(jobs.start(project, key, texts(given, "configuration_row_ids")))


def _get_jobs(project: Project, given: JsonObject) -> Any:
    found = jobs.jobs(
        project,
        ids=texts(given, "job_ids"),
        status=given.get("status") or "",
        component_id=given.get("component_id") or "",
        config_id=given.get("config_id") or "",
        limit=given.get("limit") or 100,
        offset=given.get("offset") or 0,
    )
    logs = given.get("include_logs") is True
    return {
        "jobs": [_job(job) | ({"logs": _log(job)} if logs else {}) for job in found],
        "links": [link("Jobs in the project", "queue")],
    }


def _job(job: JsonObject) -> JsonObject:
    path = link(f"Job: {job['id']}", f"queue/{job['id']}")
    return job | {"url": path["url"], "links": [path]}


def _log(job: JsonObject) -> list[JsonObject]:
    lines = [{"time": job["startTime"], "type": "info", "message": f"Running {job['configName']}"}]
    if job["isFinished"]:
        kind = {"success": "info", "warning": "warn"}.get(job["status"], "error")
        lines.append({"time": job["endTime"], "type": kind, "message": job["result"]["message"]})
    return lines


TOOLS = (
    Tool(
        "get_components",
        "Shows what components are and can do.",
        True,
        _get_components,
        {"component_ids": Argument("strings", required=True)},
    ),
    Tool(
        "find_component_id",
        "Finds the component for a purpose.",
        True,
        _find_component_id,
        {"query": Argument("string", required=True)},
    ),
    Tool(
        "get_configs",
        "Lists the configurations, or shows some with everything in them.",
        True,
        _get_configs,
        {
            "component_types": Argument("strings"),
            "component_ids": Argument("strings"),
            "configs": Argument("objects"),
        },
    ),
    Tool(
        "get_flows",
        "Lists the flows, or shows some with phases, tasks and schedules.",
        True,
        _get_flows,
        {"flow_ids": Argument("strings")},
    ),
    Tool(
        "get_jobs",
        "Lists jobs, newest first, or shows some by id.",
        True,
        _get_jobs,
        {
            "job_ids": Argument("strings"),
            "status": Argument("string", choices=jobs.STATUSES),
            "component_id": Argument("string"),
            "config_id": Argument("string"),
            "limit": Argument("integer"),
            "offset": Argument("integer"),
            "include_logs": Argument("boolean"),
        },
    ),
    Tool(
        "create_config",
        "Makes a configuration of a component.",
        False,
        _create_config,
        {
            "name": Argument("string", required=True),
            "description": Argument("string", required=True),
            "component_id": Argument("string", required=True),
            "parameters": Argument("object", required=True),
            "storage": Argument("object"),
        },
    ),
    Tool(
        "update_config",
        "Changes a configuration: its name, description, parameters or storage.",
        False,
        _update_config,
        {
            "change_description": Argument("string", required=True),
            **CONFIG,
            "name": Argument("string"),
            "description": Argument("string"),
            "parameter_updates": Argument("objects"),
            "storage": Argument("object"),
        },
    ),
    Tool(
        "create_sql_transformation",
        "Makes a transformation from SQL.",
        False,
        _create_sql_transformation,
        {
            "name": Argument("string", required=True),
            "description": Argument("string", required=True),
            "sql_code_blocks": Argument("objects", required=True),
            "created_table_names": Argument("strings"),
        },
    ),
    Tool(
        "run_job",
        "Starts the job of a configuration or flow.",
        False,
        _run_job,
        {**CONFIG, "configuration_row_ids": Argument("strings")},
    ),
)
