from db.transfer.exports import export_records
from db.transfer.imports import MAX_LINE_BYTES, ImportReport, Rejection, import_records

__all__ = ["MAX_LINE_BYTES", "ImportReport", "Rejection", "export_records", "import_records"]
