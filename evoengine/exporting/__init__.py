"""What a campaign's records are handed on as: lines, tables, files."""

from evoengine.exporting.programs import write_programs
from evoengine.exporting.rollouts import rollouts
from evoengine.exporting.tables import write_csv, write_lines, write_parquet

__all__ = ["rollouts", "write_csv", "write_lines", "write_parquet", "write_programs"]
