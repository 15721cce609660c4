"""Any .xlsx, .xls or .csv table, in either header language, as a checked DataFrame that knows its cells.

A table's layout is a tuple of `Column`; `read_table` reads it, converts units, and says what it did not use.
`read_cells` gives the bare cells of every sheet for layouts that are not one header over one table.
"""

from airsim.names import normalise
from airsim.tables import units
from airsim.tables.cells import Cell, Fault, Sheet, clean_text, column_letter, decode, read_cells, to_number
from airsim.tables.layout import ANY, Column, markdown, recognise_header
from airsim.tables.reading import Note, Part, Table, heard, read_table

__all__ = [
    "ANY",
    "Cell",
    "Column",
    "Fault",
    "Note",
    "Part",
    "Sheet",
    "Table",
    "clean_text",
    "column_letter",
    "decode",
    "heard",
    "markdown",
    "normalise",
    "read_cells",
    "read_table",
    "recognise_header",
    "to_number",
    "units",
]
