from db.transfer.exports import export_records
from db.transfer.imports import ImportReport, Rejection, import_records

__all__ = ["ImportReport", "Rejection", "export_records", "import_records"]
