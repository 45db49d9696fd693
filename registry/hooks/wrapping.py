"""Functions around the functions of other libraries."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

Around: TypeAlias = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


def wrap_function(owner: Any, name: str, around: Around) -> None:
    """Have a function of a module, or a method of a class, called by another function.

    Name, documentation and signature stay. Modules that imported the function before keep it as it was.

    Parameters
    ----------
    owner : module or class
        What has the function; a class may have inherited it.
    name : str
        The function's name there.
    around : callable
        Is called as ``around(wrapped, instance, args, kwargs)``, and its result is the result: `wrapped` is the
        function, bound as the call bound it; `instance` is the object or, of a class method, the class that it was
        called on, and None otherwise.

    Raises
    ------
    AttributeError
        If there is no such function.
    """
    # Another library may have wrapped it before, in an object that has to be asked for the bound function.
    found = inspect.getattr_static(owner, name)
    plain = getattr(found, "__func__", found)
    wrapped: Any

    if isinstance(found, classmethod):

        @functools.wraps(plain)
        def of_class(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
            return around(found.__get__(None, cls), cls, args, kwargs)

        wrapped = classmethod(of_class)
    elif isinstance(owner, type) and not isinstance(found, staticmethod):

        @functools.wraps(plain)
        def of_object(self: Any, /, *args: Any, **kwargs: Any) -> Any:
            return around(found.__get__(self, type(self)), self, args, kwargs)

        wrapped = of_object
    else:
        free = getattr(owner, name)

        @functools.wraps(plain)
        def function(*args: Any, **kwargs: Any) -> Any:
            return around(free, None, args, kwargs)

        wrapped = staticmethod(function) if isinstance(found, staticmethod) else function

    setattr(owner, name, wrapped)
