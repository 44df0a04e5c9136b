"""What tools of today were called by earlier versions of the Keboola MCP server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

OLDER: Final[Mapping[str, str]] = {
    "create_component_root_configuration": "create_config",
    "create_component_configuration": "create_config",
    "create_component_row_configuration": "add_config_row",
    "update_component_root_configuration": "update_config",
    "update_component_configuration": "update_config",
    "update_component_row_configuration": "update_config_row",
    "update_sql_transformation_configuration": "update_sql_transformation",
    "start_job": "run_job",
    "modify_data_app": "modify_streamlit_data_app",
    "update_bucket_description": "update_descriptions",
    "update_table_description": "update_descriptions",
    "update_column_description": "update_descriptions",
}


def name_today(tool: str) -> str:
    """The tool's name now; unknown names stay."""
    return OLDER.get(tool, tool)
