// Rows of the registry: convolutions, and borders around images.
#include "bindings/registry.h"
#include "functions/borders.h"
#include "functions/convolution.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// stride, padding and dilation, each a vertical and a horizontal one, then groups: arguments from `first` on.
const Attribute* windows_from(const Arguments& a, std::size_t first) {
  DimVector values;
  for (std::size_t i = first; i < first + 3; ++i) {
    const DimVector pair = a.dims(i);
    check(pair.size() == 2, a.signature().name(), ": expected pairs of numbers");
    values.insert(values.end(), pair.begin(), pair.end());
  }
  values.push_back(first + 3 < a.signature().size() ? a.integer(first + 3, 1) : 1);
  return Attribute::of(values);
}

// An int for all axes, or a tuple of one for each: empty for anything else, and for large numbers.
DimVector plain_numbers(PyObject* object, std::size_t axes) {
  constexpr long long kMost = 1 << 30;
  const bool tuple = PyTuple_CheckExact(object);
  if (tuple && static_cast<std::size_t>(PyTuple_GET_SIZE(object)) != axes) return {};
  DimVector numbers;
  for (std::size_t axis = 0; axis < axes; ++axis) {
    PyObject* item = tuple ? PyTuple_GET_ITEM(object, static_cast<Py_ssize_t>(axis)) : object;
    if (!PyLong_CheckExact(item)) return {};
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(item, &overflow);
    if (overflow != 0 || number > kMost || number < -kMost) return {};
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

// None for what is not plain: Python says what is wrong with it, or composes it.
LAMINA_FUNCTION(kModule, _plain_convolution, "axes, input, weight, bias, stride, padding, dilation, groups") {
  const auto axes = static_cast<std::size_t>(a.integer(0));
  if (!is_tensor(a.object(1)) || !is_tensor(a.object(2)) || (a.given(3) && !is_tensor(a.object(3)))) Py_RETURN_NONE;
  const functions::WindowOptions options{plain_numbers(a.object(4), axes), plain_numbers(a.object(5), axes),
                                         plain_numbers(a.object(6), axes)};
  const DimVector groups = plain_numbers(a.object(7), 1);
  if (options.strides.empty() || options.paddings.empty() || options.dilations.empty() || groups.empty())
    Py_RETURN_NONE;
  ValuePtr result =
      functions::plain_convolution(a.tensor(1), a.tensor(2), a.tensor_or_null(3), options, groups.front());
  if (!result) Py_RETURN_NONE;
  return wrap(std::move(result));
}
LAMINA_FUNCTION(kModule, _convolution, "input, weight, size, stride, padding, dilation, groups") {
  return wrap(functions::convolution(Op::convolution, a.tensor(0), a.tensor(1), a.dims(2), windows_from(a, 3)));
}
LAMINA_FUNCTION(kModule, _convolution_input, "output, weight, size, stride, padding, dilation, groups") {
  return wrap(functions::convolution(Op::convolution_input, a.tensor(0), a.tensor(1), a.dims(2), windows_from(a, 3)));
}
LAMINA_FUNCTION(kModule, _extend, "input, widths, borders") {
  const std::int64_t borders = a.integer(2);
  check(borders >= 0 && borders <= static_cast<std::int64_t>(Borders::circular), "_extend: no such borders");
  return wrap(functions::extend(a.tensor(0), a.dims(1), static_cast<Borders>(borders)));
}

}  // namespace lamina::bindings
