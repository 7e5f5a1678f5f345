// Rows of the registry: pooling over lines and planes, and what pooling over volumes is composed of in Python.
#include "bindings/results.h"
#include "functions/pooling.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

std::int64_t index_of(PyObject* object) {
  const Object number(checked(PyNumber_Index(object)));
  int overflow = 0;
  const long long result = PyLong_AsLongLongAndOverflow(number.get(), &overflow);
  if (overflow != 0) fail(ErrorKind::kValue, "Overflow when unpacking long long");
  return result;
}

bool is_sequence(PyObject* object) {
  return PyTuple_Check(object) || PyList_Check(object) || (PySequence_Check(object) && !PyIndex_Check(object));
}

// The number for each of the axes.
DimVector per_axis(const char* name, PyObject* value, std::size_t axes) {
  if (PyUnicode_Check(value)) fail(ErrorKind::kType, name, " must be an int or a sequence of ints, not str");
  if (!is_sequence(value)) return DimVector(axes, index_of(value));
  const Object fast(checked(PySequence_Fast(value, "expected a sequence of integers")));
  DimVector numbers;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast.get()); ++i)
    numbers.push_back(index_of(PySequence_Fast_GET_ITEM(fast.get(), i)));
  if (numbers.size() == 1) return DimVector(axes, numbers[0]);
  if (numbers.size() != axes)
    fail(ErrorKind::kRuntime, "expected ", name, " to be a single integer value or a list of ", axes,
         " values to match the convolution dimensions, but got ", name, "=", to_string(numbers, '[', ']'));
  return numbers;
}

// kernel_size, stride (None, or empty: the kernel's), padding and, where it is an argument, dilation: from `first` on.
functions::PoolOptions options_from(const Arguments& a, std::size_t first, std::size_t axes) {
  const auto each = [&](const char* name, std::size_t i) { return per_axis(name, a.object(first + i), axes); };
  functions::PoolOptions options;
  options.kernel = each("kernel_size", 0);
  PyObject* stride = a.object(first + 1);
  const bool given = a.given(first + 1) && !(is_sequence(stride) && PySequence_Size(stride) == 0);
  options.strides = given ? each("stride", 1) : options.kernel;
  options.paddings = each("padding", 2);
  const bool dilated = a.signature().find("dilation") >= 0;
  options.dilations = dilated ? each("dilation", 3) : DimVector(axes, 1);
  return options;
}

Object list_of(const DimVector& numbers) {
  Object list(checked(PyList_New(static_cast<Py_ssize_t>(numbers.size()))));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), checked(PyLong_FromLongLong(numbers[i])));
  return list;
}

// The input, argument 1, of a function of a user's.
const ValuePtr& input_of(const Arguments& a, const char* kind, std::size_t axes) {
  PyObject* input = a.object(1);
  if (!is_tensor(input))
    fail(ErrorKind::kType, kind, "_pool", axes, "d(): argument 'input' (position 1) must be Tensor, not ",
         printed_type(input));
  return a.tensor(1);
}

bool is_true(PyObject* object) {
  const int truth = PyObject_IsTrue(object);
  checked(truth);
  return truth == 1;
}

std::size_t axes_from(const Arguments& a, std::size_t i) { return static_cast<std::size_t>(a.integer(i)); }

}  // namespace

// A list of `axes` numbers: of an int the same for each.
LAMINA_FUNCTION(kModule, _per_axis, "name, value, axes") {
  return list_of(per_axis(a.text(0), a.object(1), axes_from(a, 2))).release();
}
// Window, stride and padding, checked, as lists.
LAMINA_FUNCTION(kModule, _pool_options, "name, axes, kernel_size, stride, padding") {
  const functions::PoolOptions options = options_from(a, 2, axes_from(a, 1));
  functions::check_pool(a.text(0), options);
  const Object kernel = list_of(options.kernel), strides = list_of(options.strides),
               paddings = list_of(options.paddings);
  return checked(PyTuple_Pack(3, kernel.get(), strides.get(), paddings.get()));
}
// Lists of how many windows there are, of window, stride, padding and dilation, for two axes or more. Then: may one be
// empty, and are all of equally many elements?
LAMINA_FUNCTION(kModule, _pool_windows,
                "name, axes, input, kernel_size, stride, padding, dilation, ceil_mode, count_include_pad") {
  const functions::PoolWindows windows =
      functions::pool_windows(a.text(0), a.tensor(2), options_from(a, 3, axes_from(a, 1)), is_true(a.object(7)));
  const functions::PoolOptions& of = windows.of;
  Object result(checked(PyTuple_New(7)));
  Py_ssize_t at = 0;
  for (const DimVector* numbers : {&windows.size, &of.kernel, &of.strides, &of.paddings, &of.dilations})
    PyTuple_SET_ITEM(result.get(), at++, list_of(*numbers).release());
  PyTuple_SET_ITEM(result.get(), at++, PyBool_FromLong(windows.may_be_empty()));
  PyTuple_SET_ITEM(result.get(), at++, PyBool_FromLong(windows.are_whole(is_true(a.object(8)))));
  return result.release();
}

// The largest, and where they are, over one or two axes.
LAMINA_FUNCTION(kModule, _max_pool, "axes, input, kernel_size, stride, padding, dilation, ceil_mode") {
  const std::size_t axes = axes_from(a, 0);
  const ValuePtr& x = input_of(a, "max", axes);
  functions::Pooled found = functions::max_pool(x, options_from(a, 2, axes), is_true(a.object(6)));
  return wrap_tuple(
      {laid_like(std::move(found.values), a.variable(1)), laid_like(std::move(found.positions), a.variable(1))});
}
LAMINA_FUNCTION(kModule, _largest_of_windows, "axes, input, kernel_size, stride, padding, dilation, ceil_mode") {
  const std::size_t axes = axes_from(a, 0);
  const ValuePtr& x = input_of(a, "max", axes);
  ValuePtr found = functions::largest_of_windows(x, options_from(a, 2, axes), is_true(a.object(6)));
  return wrap(laid_like(std::move(found), a.variable(1)));
}
// Of planes, with a number for each of two axes.
LAMINA_FUNCTION(kModule, _max_pool_planes, "input, size, window, stride, padding, dilation") {
  const Dims dims = a.tensor(0)->shape->dims();
  const functions::PoolWindows windows{
      a.dims(1), {a.dims(2), a.dims(3), a.dims(4), a.dims(5)}, DimVector(dims.end() - 2, dims.end())};
  functions::Pooled found = functions::max_pool_planes(a.tensor(0), windows);
  return wrap_tuple({std::move(found.values), std::move(found.positions)});
}
LAMINA_FUNCTION(kModule, _max_pool_positions, "input, size, window, stride, padding, dilation") {
  return wrap(functions::max_pool_positions(a.tensor(0), a.dims(1),
                                            functions::pool_attribute({a.dims(2), a.dims(3), a.dims(4), a.dims(5)})));
}

// Means over one or two axes. None for what is not plain: it is composed in Python.
LAMINA_FUNCTION(kModule, _plain_avg_pool,
                "axes, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override") {
  const std::size_t axes = axes_from(a, 0);
  const ValuePtr& x = input_of(a, "avg", axes);
  ValuePtr means = functions::plain_avg_pool(x, options_from(a, 2, axes), is_true(a.object(5)), is_true(a.object(6)),
                                             a.optional_operand(7));
  if (!means) Py_RETURN_NONE;
  return wrap(laid_like(std::move(means), a.variable(1)));
}
LAMINA_FUNCTION(kModule, _window_sums, "input, size, window, stride, padding") {
  return wrap(
      functions::window_sums(a.tensor(0), a.dims(1), functions::pool_attribute({a.dims(2), a.dims(3), a.dims(4)})));
}

}  // namespace lamina::bindings
