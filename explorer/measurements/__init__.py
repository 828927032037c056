"""Measurements that are kept: ``MeasurementStore``, its rows, and files in and out."""

from explorer.measurements.rows import Row, RowFilter, rows_of
from explorer.measurements.store import MeasurementStore

__all__ = ["MeasurementStore", "Row", "RowFilter", "rows_of"]
