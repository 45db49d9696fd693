"""Functions around functions of other libraries."""

import inspect
import types

import pytest

from registry.hooks.wrapping import wrap_function


class Base:
    def method(self, number: int, *, factor: int = 1) -> int:
        """Multiply."""
        return number * factor

    @classmethod
    def of_class(cls, number: int, *, factor: int = 1) -> tuple:
        """Multiply for a class."""
        return cls.__name__, number * factor

    @staticmethod
    def static(number: int, *, factor: int = 1) -> int:
        """Multiply for nobody."""
        return number * factor


def function(number: int, *, factor: int = 1) -> int:
    """Multiply anywhere."""
    return number * factor


@pytest.fixture
def cls():
    return type("Copy", (), dict(vars(Base)))


def around(wrapped, instance, args, kwargs):
    return instance, wrapped(*args, **kwargs), wrapped


@pytest.mark.parametrize("name", ["method", "of_class", "static"])
@pytest.mark.parametrize("inherited", [False, True])
def test_methods(cls, name, inherited):
    owner = type("Child", (cls,), {}) if inherited else cls
    plain = getattr(owner, name)
    signature, documentation = inspect.signature(plain), plain.__doc__
    wrap_function(owner, name, around)
    grandchild = type("Grandchild", (owner,), {})()
    instance, result, wrapped = getattr(grandchild, name)(3, factor=2)
    expected = {"method": grandchild, "of_class": type(grandchild), "static": None}[name]
    assert instance is expected
    assert result == (("Grandchild", 6) if name == "of_class" else 6)
    # Bound: a caller can fill in its arguments.
    assert inspect.signature(wrapped).bind(3, factor=2).arguments == {"number": 3, "factor": 2}
    assert inspect.signature(getattr(owner, name)) == signature
    assert (getattr(owner, name).__doc__, getattr(owner, name).__name__) == (documentation, name)
    assert isinstance(vars(owner)[name], {"of_class": classmethod, "static": staticmethod}.get(name, object))
    if inherited:
        assert getattr(cls(), name)(3) in (3, ("Copy", 3))


def test_functions_of_modules():
    module = types.ModuleType("multiplying")
    module.function = function
    wrap_function(module, "function", around)
    assert module.function(3, factor=2) == (None, 6, function)
    assert inspect.signature(module.function) == inspect.signature(function)
    assert (module.function.__doc__, module.function.__qualname__) == (function.__doc__, "function")
    assert module.function.__module__ == function.__module__  # where pickle looks for it


def test_several_around_each_other(cls):
    for number in (1, 2):
        wrap_function(cls, "method", lambda wrapped, instance, args, kwargs, n=number: (n, wrapped(*args)))
    assert cls().method(3) == (2, (1, 3))


@pytest.mark.parametrize("name", ["method", "of_class", "static"])
def test_around_the_wrapper_of_another_library(cls, name):
    wrapt = pytest.importorskip("wrapt")
    wrapt.wrap_function_wrapper(cls, name, lambda wrapped, instance, args, kwargs: ("theirs", wrapped(*args)))
    wrap_function(cls, name, lambda wrapped, instance, args, kwargs: ("ours", wrapped(*args)))
    assert getattr(cls(), name)(3) in [("ours", ("theirs", value)) for value in (3, ("Copy", 3))]


def test_errors_pass(cls):
    wrap_function(cls, "method", around)
    with pytest.raises(TypeError, match="unexpected keyword argument 'facto'"):
        cls().method(3, facto=2)
    with pytest.raises(AttributeError, match="no_such"):
        wrap_function(cls, "no_such", around)
