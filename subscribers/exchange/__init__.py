"""Import and export: people come and leave in files, whatever tool wrote them.

survey (what file is this?) -> source (its records) -> columns (what do they mean?) -> intake (one record: fit
or not) -> reading (batches of them, from a second process where a file is long: apart) -> merge (what is known
of these people, what follows) -> subscribing, reviving. Each step is a module; importing and run walk them.
"""

from __future__ import annotations

from subscribers.exchange.export import export_columns, export_rows, write_csv
from subscribers.exchange.importing import import_file
from subscribers.exchange.rejects import erase_from_rejects, forget_rejects
from subscribers.exchange.run import ImportResult
from subscribers.exchange.survey import Survey, survey
from subscribers.exchange.undo import UndoResult, undo_import

__all__ = [
    "ImportResult",
    "Survey",
    "UndoResult",
    "erase_from_rejects",
    "export_columns",
    "export_rows",
    "forget_rejects",
    "import_file",
    "survey",
    "undo_import",
    "write_csv",
]
