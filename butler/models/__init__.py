from butler.models.due import Due

__all__ = ["Due"]
