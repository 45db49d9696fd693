"""An extension of griffe: fields of strict configurations are the keyword arguments of their constructors."""

from typing import Any

from griffe import Attribute, Class, Extension, Function, Module, Parameter, ParameterKind, Parameters

_STRICT = "huggingface_hub.dataclasses.strict"


class StrictConfigurations(Extension):
    """Give classes decorated by huggingface_hub's `strict` the constructor that transformers makes for them."""

    def on_package(self, *, pkg: Module, **kwargs: Any) -> None:
        """Find the configurations of a package, once all of it has been read."""
        _visit(pkg)


def _visit(holder: Module) -> None:
    for member in holder.members.values():
        if member.is_alias:
            continue
        if isinstance(member, Module):
            _visit(member)
        elif isinstance(member, Class) and any(mark.callable_path == _STRICT for mark in member.decorators):
            _add_constructor(member)


def _add_constructor(configuration: Class) -> None:
    fields = [
        Parameter(
            field.name, annotation=field.annotation, kind=ParameterKind.keyword_only, default=_default(field)
        )
        for field in configuration.members.values()
        if isinstance(field, Attribute) and "instance-attribute" in field.labels and field.annotation
    ]
    every = Parameter("kwargs", annotation="Any", kind=ParameterKind.var_keyword)
    constructor = Function(
        "__init__", parameters=Parameters(Parameter("self"), *fields, every), returns="None"
    )
    configuration.set_member("__init__", constructor)


def _default(field: Attribute) -> str:
    """Return a field's default as it is written; what a factory makes is an empty or short list."""
    written = str(field.value)
    if not written.startswith("field("):
        return written
    made = written.removeprefix("field(default_factory=").removesuffix(")")
    return "[]" if made == "list" else made.removeprefix("lambda: ")
