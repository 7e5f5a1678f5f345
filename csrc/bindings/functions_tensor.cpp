// Rows of the registry: methods that read, convert and write a tensor as a whole.
#include "bindings/exchange.h"
#include "bindings/in_place.h"
#include "bindings/numpy_array.h"
#include "bindings/out_argument.h"
#include "bindings/results.h"
#include "bindings/scalars.h"
#include "engine/flush.h"
#include "functions/pointwise.h"
#include "functions/views.h"
#include "ops/build.h"
#include "ops/meta.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

PyObject* converted(const Arguments& a, DType dtype, Device device, bool copy = false) {
  MemoryFormat format = a.memory_format(MemoryFormat::kPreserve);
  auto suggested = [&] { return suggested_format(a.tensor(0)->shape, engine::logical_layout(a.variable(0)).strides); };
  bool stays = format == MemoryFormat::kPreserve || suggested() == format;
  bool moves = a.tensor(0)->device() != device, same = a.tensor(0)->dtype == dtype;
  if (same && stays && !moves && !copy) return self_of(a);
  if (is_complex(a.tensor(0)->dtype) && !is_complex(dtype) && dtype != DType::kBool &&
      PyErr_WarnEx(PyExc_UserWarning, "Casting complex values to real discards the imaginary part", 1) < 0)
    throw PythonError{};
  ValuePtr result = to_device(a.tensor(0), device);
  result = same && !moves ? build::clone(result) : functions::to_dtype(result, dtype);
  return wrap(laid(std::move(result), a.variable(0), format));
}

PyObject* converted(const Arguments& a, DType dtype) { return converted(a, dtype, a.tensor(0)->device()); }

PyObject* assigned(const Arguments& a, ValuePtr value) {
  engine::assign(a.variable(0), std::move(value));
  engine::flush_if_due();
  return self_of(a);
}

// The tensor with all of its elements the same, which `make` gives in a value's shape. What it shows over and over, as
// an expanded view does, is filled once.
template <typename Make>
PyObject* filled(const Arguments& a, Make make) {
  engine::Variable& variable = a.variable(0);
  functions::Views once;
  const Shape* shape = a.tensor(0)->shape;
  for (std::int64_t axis : engine::repeating_axes(variable)) {
    for (const engine::ViewSpec& cut : functions::narrow_views(shape, axis, 0, 1)) once.push_back(cut);
    shape = once.back().shape;
  }
  if (once.empty()) {
    engine::check_assignable(variable);
    return assigned(a, make(a.tensor(0)));
  }
  engine::Variable part = engine::view_of(variable, once);
  engine::check_assignable(part);
  ValuePtr fresh = make(engine::current(part));
  engine::assign(std::move(part), std::move(fresh));
  engine::flush_if_due();
  return self_of(a);
}

}  // namespace

LAMINA_FUNCTION(kMethod, item, "input") {
  ValuePtr value = a.tensor(0);
  check(value->shape->numel() == 1, "a Tensor with ", value->shape->numel(), " elements cannot be converted to Scalar");
  return number_object(value);
}
LAMINA_FUNCTION(kMethod, tolist, "input") { return list_from_value(a.tensor(0)); }
LAMINA_FUNCTION(kMethod, numpy, "input, *, force=False") {
  bool force = a.flag(1, false);
  if (a.tensor(0)->has(kMeta)) force ? fail_no_data() : fail_meta_array();
  check(force || !grad_enabled() || !a.tensor(0)->requires_grad(),
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.");
  if (!a.tensor(0)->requires_grad()) return array_over(a.variable(0));
  engine::Variable plain = engine::detached(a.variable(0), true);
  return array_over(plain);
}
LAMINA_FUNCTION(kMethod, data_ptr, "input") {
  if (a.tensor(0)->has(kMeta)) return PyLong_FromLong(0);
  engine::make_exportable(a.variable(0));
  if (Storage* storage = a.tensor(0)->storage) storage->address_known = true;
  return a.tensor(0)->shape->numel() == 0 ? PyLong_FromLong(0) : PyLong_FromVoidPtr(engine::data_of(a.tensor(0).get()));
}
LAMINA_FUNCTION(kMethod, size, "input, dim=None") {
  const Shape* shape = a.tensor(0)->shape;
  if (a.given(1)) return PyLong_FromLongLong((*shape)[functions::wrap_own_axis(a.integer(1), shape->rank())]);
  return size_object(shape->dims());
}
LAMINA_FUNCTION(kMethod, dim, "input") { return PyLong_FromLong(a.tensor(0)->shape->rank()); }
LAMINA_FUNCTION(kMethod, ndimension, "input") { return PyLong_FromLong(a.tensor(0)->shape->rank()); }
LAMINA_FUNCTION(kBoth, numel, "input") { return PyLong_FromLongLong(a.tensor(0)->shape->numel()); }
LAMINA_FUNCTION(kMethod, nelement, "input") { return PyLong_FromLongLong(a.tensor(0)->shape->numel()); }
LAMINA_FUNCTION(kMethod, element_size, "input") { return PyLong_FromSize_t(size_of(a.tensor(0)->dtype)); }
LAMINA_FUNCTION(kBoth, is_floating_point, "input") { return PyBool_FromLong(is_floating(a.tensor(0)->dtype)); }
LAMINA_FUNCTION(kBoth, is_complex, "input") { return PyBool_FromLong(is_complex(a.tensor(0)->dtype)); }
LAMINA_FUNCTION(kMethod, requires_grad_, "input, requires_grad=True") {
  set_requires_grad(a.tensor_object(0), a.flag(1, true));
  return self_of(a);
}

LAMINA_FUNCTION_AS(kMethod, to_float, "float", "input, memory_format=None") { return converted(a, DType::kFloat32); }
LAMINA_FUNCTION_AS(kMethod, to_double, "double", "input, memory_format=None") { return converted(a, DType::kFloat64); }
LAMINA_FUNCTION_AS(kMethod, to_long, "long", "input, memory_format=None") { return converted(a, DType::kInt64); }
LAMINA_FUNCTION_AS(kMethod, to_int, "int", "input, memory_format=None") { return converted(a, DType::kInt32); }
LAMINA_FUNCTION_AS(kMethod, to_short, "short", "input, memory_format=None") { return converted(a, DType::kInt16); }
LAMINA_FUNCTION_AS(kMethod, to_char, "char", "input, memory_format=None") { return converted(a, DType::kInt8); }
LAMINA_FUNCTION(kMethod, chalf, "input, memory_format=None") { return converted(a, DType::kComplex32); }
LAMINA_FUNCTION(kMethod, cfloat, "input, memory_format=None") { return converted(a, DType::kComplex64); }
LAMINA_FUNCTION(kMethod, cdouble, "input, memory_format=None") { return converted(a, DType::kComplex128); }
LAMINA_FUNCTION(kMethod, half, "input, memory_format=None") { return converted(a, DType::kFloat16); }
LAMINA_FUNCTION(kMethod, bfloat16, "input, memory_format=None") { return converted(a, DType::kBFloat16); }
LAMINA_FUNCTION(kMethod, byte, "input, memory_format=None") { return converted(a, DType::kUInt8); }
LAMINA_FUNCTION_AS(kMethod, to_bool, "bool", "input, memory_format=None") { return converted(a, DType::kBool); }
LAMINA_FUNCTION(kMethod, cpu, "input, memory_format=None") { return converted(a, a.tensor(0)->dtype, Device::kCpu); }
// As in a PyTorch built without CUDA, the method is there, and says why it cannot do anything.
LAMINA_FUNCTION(kMethod, cuda, "input, device=None, non_blocking=False, memory_format=None") {
  fail(ErrorKind::kRuntime, "cuda(): lamina computes on the CPU only; ask cuda.is_available() first");
}
// to(dtype), to(device), to(device, dtype), to(other)
LAMINA_FUNCTION(
    kMethod, to,
    "input, first=None, second=None, non_blocking=False, copy=False, *, dtype=None, device=None, memory_format=None") {
  auto dtype = a.dtype(5);
  Device device = a.device(6, a.tensor(0)->device());
  for (std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    if (!a.given(i) || PyBool_Check(a.object(i))) continue;
    if (auto named = dtype_from(a.object(i))) {
      dtype = named;
    } else if (is_tensor(a.object(i))) {
      dtype = a.tensor(i)->dtype;
      device = a.tensor(i)->device();
    } else {
      device = a.device(i);
    }
  }
  bool shifted = a.given(2) && PyBool_Check(a.object(2));  // to(dtype, non_blocking, copy)
  bool copy = a.flag(4, false) || (shifted && a.flag(3, false));
  return converted(a, dtype.value_or(a.tensor(0)->dtype), device, copy);
}
LAMINA_FUNCTION(kMethod, type_as, "input, other") { return converted(a, a.tensor(1)->dtype, a.tensor(1)->device()); }

LAMINA_FUNCTION(kMethod, copy_, "input, src, non_blocking=False") {
  engine::check_assignable(a.variable(0));
  const ValuePtr& to = a.tensor(0);
  functions::Operand from = a.operand(1);
  if (!from.is_number()) check_no_partial_overlap(a.object(1), a.object(0));
  ValuePtr source = from.is_number() ? from.as(to->dtype) : build::cast(from.value, to->dtype);
  source = to_device(std::move(source), to->device());
  source = functions::apply(source, functions::expand_views(source->shape, to->shape->dims()));
  ValuePtr fresh = engine::replacing(a.variable(0), build::clone(source));
  return assigned(a, functions::labelled(std::move(fresh), "Copy"));
}
// What a function in place, composed in Python, makes of its argument.
LAMINA_FUNCTION(kModule, _changed_into, "input, result") {
  engine::check_assignable(a.variable(0));
  return assigned(a, build::cast(build::clone(a.tensor(1)), a.tensor(0)->dtype));
}
LAMINA_FUNCTION(kMethod, fill_, "input, value") {
  functions::Operand number = a.operand(1);
  check(number.is_number() || number.value->shape->rank() == 0,
        "fill_ only supports 0-dimension value tensor but got tensor with ",
        number.is_number() ? 0 : number.value->shape->rank(), " dimensions.");
  return filled(a, [&](const ValuePtr& to) {
    return build::expand(to_device(number.filled_as(to->dtype), to->device()), to->shape);
  });
}
LAMINA_FUNCTION(kMethod, zero_, "input") { return filled(a, build::zeros_like); }

// Names the grad_fn of a function composed in Python; returns the tensor.
LAMINA_FUNCTION(kModule, _labelled, "input, label") {
  static auto* kept = new std::vector<PyObject*>;  // labels live for ever, as C strings of interned names
  PyObject* name = a.object(1);
  const char* text = a.text(1);
  for (PyObject* known : *kept)
    if (known == name || PyUnicode_Compare(known, name) == 0) {
      functions::labelled(a.tensor(0), PyUnicode_AsUTF8(known));
      return self_of(a);
    }
  if (!text) a.fail_type(1, "str");
  kept->push_back(Object::borrowed(name).release());
  functions::labelled(a.tensor(0), text);
  return self_of(a);
}

LAMINA_FUNCTION(kModule, _set_uninitialized_type, "type") {
  if (!PyType_Check(a.object(0))) a.fail_type(0, "a class");
  set_uninitialized_type(reinterpret_cast<PyTypeObject*>(a.object(0)));
  Py_RETURN_NONE;
}

// Module-level; Tensor._make_subclass is a static method made from it.
LAMINA_FUNCTION(kModule, _make_subclass, "cls, data, require_grad=False") {
  auto* type = reinterpret_cast<PyTypeObject*>(a.object(0));
  if (!PyType_Check(a.object(0)) || !PyType_IsSubtype(type, g_tensor_type)) a.fail_type(0, "a subclass of Tensor");
  return make_subclass(type, a.tensor_object(1), a.flag(2, false));
}

}  // namespace lamina::bindings
