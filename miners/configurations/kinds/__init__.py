"""The kinds of devices that can be copied: each a file here, named as devices.NAME.kind, with a KIND."""

import importlib
import pkgutil

from miners.configurations.kind import Kind


def names() -> tuple[str, ...]:
    """The kinds that there are, in the order of the alphabet."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def kind(name: str) -> Kind:
    """What is known of a kind; `name` is one of `names()`."""
    found: Kind = importlib.import_module(f"{__name__}.{name}").KIND
    return found
