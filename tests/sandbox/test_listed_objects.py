"""What the project has, listed by the sandbox's stack over a real socket and read as from any other stack."""

from __future__ import annotations

import httpx

from kai_tui.backends.kai.project import KaiProject
from kai_tui.backends.secret import Secret


async def test_buckets_tables_and_configurations_of_the_sandbox(served: dict[str, str]) -> None:
    project = KaiProject(served["storage_api_url"], Secret(served["token"]))
    try:
        found = {each.id: each for each in await project.objects()}
    finally:
        await project.aclose()
    assert found["in.c-crm"].sort == "bucket"
    assert found["in.c-crm.customers"].sort == "table"
    assert (found["in.c-crm.customers"].rows or 0) > 10
    assert found["keboola.flow/5002"].sort == "flow"
    assert found["keboola.flow/5002"].name == "Monday report"
    assert {each.sort for each in found.values()} >= {
        "bucket",
        "table",
        "configuration",
        "flow",
        "transformation",
    }


async def test_the_list_of_components_shows_configurations_from_outside_only(served: dict[str, str]) -> None:
    async with httpx.AsyncClient(headers={"x-storageapi-token": served["token"]}) as client:
        for path in ("/v2/storage/components", "/v2/storage/branch/default/components"):
            rows = (await client.get(served["storage_api_url"] + path)).json()
            configurations = [each for row in rows for each in row["configurations"]]
            assert configurations
            assert all("configuration" not in each and "rows" not in each for each in configurations)
        tables = (await client.get(f"{served['storage_api_url']}/v2/storage/tables")).json()
        assert all({"id", "rowsCount", "dataSizeBytes", "bucket"} <= each.keys() for each in tables)
