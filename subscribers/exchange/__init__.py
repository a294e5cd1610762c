"""Import and export: people come and leave in files, whatever tool wrote them.

survey (what file is this?) -> source (its records) -> columns (what do they mean?) -> intake (one record: fit
or not) -> merge (what is known of these people, what follows) -> ledger of the import. Each step is a module.
"""

from __future__ import annotations

from subscribers.exchange.export import export_columns, export_rows, write_csv
from subscribers.exchange.importing import ImportResult, import_file
from subscribers.exchange.survey import Survey, survey
from subscribers.exchange.undo import UndoResult, undo_import

__all__ = [
    "ImportResult",
    "Survey",
    "UndoResult",
    "export_columns",
    "export_rows",
    "import_file",
    "survey",
    "undo_import",
    "write_csv",
]
