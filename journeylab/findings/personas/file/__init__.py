"""The file of personas: what does it hold, and is it whole, unchanged and sound? One JSON file, no code in it."""

from journeylab.findings.personas.file.file import Customers, file_schema, read_fields, write_fields

__all__ = ["Customers", "file_schema", "read_fields", "write_fields"]
