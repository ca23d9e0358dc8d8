"""Filters as conditions on the payload of a chunk, every one of which must hold."""

from datetime import UTC, date, datetime, time

from qdrant_client import models

from contracts.filters import Filters


def conditions(filters: Filters | None) -> list[models.Condition]:
    """The conditions; none where nothing is limited. `index.visible` joins them to its own."""
    if filters is None:
        return []
    found: list[models.Condition] = []
    if filters.sources is not None:
        found.append(_any("source", filters.sources))
    if filters.namespaces is not None:
        found.append(_any("namespace", filters.namespaces))
    if filters.tags is not None:
        found.append(_any("tags", filters.tags))
    if filters.path is not None:
        found.append(_any("path_tree", _folder_or_document(filters.path)))
    if filters.updated_after is not None:
        found.append(_dated(models.DatetimeRange(gte=_midnight(filters.updated_after))))
    if filters.updated_before is not None:
        found.append(_dated(models.DatetimeRange(lt=_midnight(filters.updated_before))))
    return found


def _any(field: str, values: list[str]) -> models.FieldCondition:
    return models.FieldCondition(key=field, match=models.MatchAny(any=values))


def _folder_or_document(path: str) -> list[str]:
    return [path] if path.endswith("/") else [path, f"{path}/"]


def _dated(days: models.DatetimeRange) -> models.FieldCondition:
    return models.FieldCondition(key="modified_at", range=days)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
