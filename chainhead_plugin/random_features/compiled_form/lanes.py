"""Vectors of eight numbers, called lanes, that compiled code computes with at a time.

Numba leaves it to its compiler to find loops that can use the CPU's vector instructions. It does not find loops that
keep several sums in registers. With these functions, such loops are written out. Every CPU has them, as the compiler
splits vectors that are too wide for the CPU. Nothing is rounded other than in single operations: products and sums are
never merged.
"""

from collections.abc import Callable
from typing import Any

try:
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic, models, register_model
except ImportError as error:
    raise ImportError("the compiled pools need Numba: pip install numba") from error

LANES = 8

_WHOLE = ir.IntType(32)
_ELEMENTS = {"floats": ir.FloatType(), "wholes": _WHOLE, "flags": ir.IntType(1)}


class _Lanes(types.Type):
    """Eight float32 numbers, eight int32 numbers, or eight truth values."""

    def __init__(self, element: str) -> None:
        self.element = element
        super().__init__(name=f"lanes of {element}")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: _Lanes) -> None:
        super().__init__(manager, kind, ir.VectorType(_ELEMENTS[kind.element], LANES))


_FLOATS, _WHOLES, _FLAGS = _Lanes("floats"), _Lanes("wholes"), _Lanes("flags")


def _address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Return the address of the element with this index in memory, whatever the array's axes."""
    data = context.make_array(array_type)(context, builder, array).data
    element = _WHOLE if array_type.dtype == types.int32 else ir.FloatType()
    first = builder.gep(data, [index])
    return builder.bitcast(first, ir.VectorType(element, LANES).as_pointer())


def _kind_of(array_type: Any) -> _Lanes:
    if not isinstance(array_type, types.Array) or array_type.layout != "C":
        raise TypeError(f"expected a contiguous array, got {array_type}")
    return {types.float32: _FLOATS, types.int32: _WHOLES}[array_type.dtype]


def _constant(value: float, element: Any) -> Any:
    return ir.Constant(ir.VectorType(element, LANES), [value] * LANES)


def _spread(builder: Any, number: Any) -> Any:
    vector = ir.VectorType(number.type, LANES)
    single = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.Constant(_WHOLE, 0))
    places = ir.Constant(ir.VectorType(_WHOLE, LANES), [0] * LANES)
    return builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), places)


@intrinsic
def load(typing: Any, array: Any, index: Any) -> Any:
    """Return the lanes from the element with this index in memory on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number = context.cast(builder, args[1], signature.args[1], types.intp)
        return builder.load(_address(context, builder, signature.args[0], args[0], number), align=4)

    return _kind_of(array)(array, index), generate


@intrinsic
def store(typing: Any, array: Any, index: Any, lanes: Any) -> Any:
    """Write lanes from the element with this index in memory on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number = context.cast(builder, args[1], signature.args[1], types.intp)
        builder.store(args[2], _address(context, builder, signature.args[0], args[0], number), align=4)
        return context.get_dummy_value()

    if _kind_of(array) != lanes:
        raise TypeError(f"{lanes} cannot be written to {array}")
    return types.none(array, index, lanes), generate


@intrinsic
def spread(typing: Any, number: Any) -> Any:
    """Return lanes that all hold the same float32 number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _spread(builder, context.cast(builder, args[0], signature.args[0], types.float32))

    return _FLOATS(number), generate


@intrinsic
def spread_from(typing: Any, array: Any, index: Any) -> Any:
    """Return lanes that all hold the element with this index in memory."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        number = context.cast(builder, args[1], signature.args[1], types.intp)
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return _spread(builder, builder.load(builder.gep(data, [number])))

    return _kind_of(array)(array, index), generate


@intrinsic
def no_counts(typing: Any) -> Any:
    """Return int32 lanes that are all 0."""
    return _WHOLES(), lambda context, builder, signature, args: _constant(0, _WHOLE)


@intrinsic
def lanes_before(typing: Any, number: Any) -> Any:
    """Return flags that hold for lanes with an index smaller than a number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        end = _spread(builder, context.cast(builder, args[0], signature.args[0], types.int32))
        return builder.icmp_signed("<", ir.Constant(end.type, list(range(LANES))), end)

    return _FLAGS(number), generate


def _of_two(kind: _Lanes, result: _Lanes, generate: Callable[[Any, Any, Any], Any]) -> Any:
    """Return a function of two vectors of the same kind."""

    @intrinsic
    def function(typing: Any, left: Any, right: Any) -> Any:
        if left != kind or right != kind:
            raise TypeError(f"expected {kind} twice, got {left} and {right}")
        return result(left, right), lambda context, builder, signature, args: generate(builder, *args)

    return function


times = _of_two(_FLOATS, _FLOATS, lambda builder, left, right: builder.fmul(left, right))
plus = _of_two(_FLOATS, _FLOATS, lambda builder, left, right: builder.fadd(left, right))
minus = _of_two(_FLOATS, _FLOATS, lambda builder, left, right: builder.fsub(left, right))
above = _of_two(_FLOATS, _FLAGS, lambda builder, left, right: builder.fcmp_ordered(">", left, right))
equal = _of_two(_FLOATS, _FLAGS, lambda builder, left, right: builder.fcmp_ordered("==", left, right))
larger = _of_two(
    _FLOATS,
    _FLOATS,
    lambda builder, left, right: builder.select(builder.fcmp_ordered(">", left, right), left, right),
)
smaller = _of_two(
    _FLOATS,
    _FLOATS,
    lambda builder, left, right: builder.select(builder.fcmp_ordered("<", left, right), left, right),
)
counts_together = _of_two(_WHOLES, _WHOLES, lambda builder, left, right: builder.add(left, right))
larger_counts = _of_two(
    _WHOLES,
    _WHOLES,
    lambda builder, left, right: builder.select(builder.icmp_signed(">", left, right), left, right),
)


@intrinsic
def where(typing: Any, flags: Any, lanes: Any) -> Any:
    """Return lanes with zeros in place of those whose flag does not hold."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(args[0], args[1], ir.Constant(args[1].type, None))

    return lanes(flags, lanes), generate


@intrinsic
def either(typing: Any, flags: Any, lanes: Any, others: Any) -> Any:
    """Return lanes whose flag holds, and of the rest those of `others`."""
    return lanes(flags, lanes, others), lambda context, builder, signature, args: builder.select(*args)


@intrinsic
def counted(typing: Any, counts: Any, flags: Any) -> Any:
    """Return counts, 1 larger where a flag holds."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.add(args[0], builder.zext(args[1], args[0].type))

    return _WHOLES(counts, flags), generate


@intrinsic
def total(typing: Any, lanes: Any) -> Any:
    """Return the sum of the lanes, added up in pairs."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rest = args[0]
        add = builder.fadd if signature.args[0] == _FLOATS else builder.add
        size = LANES
        while size > 1:
            size //= 2
            half = ir.VectorType(_WHOLE, size)
            first = ir.Constant(half, list(range(size)))
            last = ir.Constant(half, list(range(size, 2 * size)))
            unused = ir.Constant(rest.type, ir.Undefined)
            rest = add(
                builder.shuffle_vector(rest, unused, first), builder.shuffle_vector(rest, unused, last)
            )
        return builder.extract_element(rest, ir.Constant(_WHOLE, 0))

    return (types.float32 if lanes == _FLOATS else types.int32)(lanes), generate


__all__ = [
    "LANES",
    "above",
    "counted",
    "counts_together",
    "either",
    "equal",
    "lanes_before",
    "larger",
    "larger_counts",
    "load",
    "minus",
    "no_counts",
    "plus",
    "smaller",
    "spread",
    "spread_from",
    "store",
    "times",
    "total",
    "where",
]
