// Rows of the registry: making tensors.
#include <algorithm>
#include <cmath>
#include <limits>

#include "bindings/exchange.h"
#include "bindings/results.h"
#include "bindings/scalars.h"
#include "engine/flush.h"
#include "functions/pointwise.h"
#include "ops/build.h"
#include "ops/complex.h"
#include "ops/meta.h"
#include "runtime/buffer.h"
#include "runtime/thread_pool.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// dtype, device, requires_grad stand in this order from `first` on.
#define LAMINA_FACTORY_TAIL "dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False"

PyObject* filled(const Arguments& a, const Shape* shape, double number, std::size_t first, DType otherwise,
                 Device device) {
  return fresh_tensor(a, build::full(shape, number, a.dtype(first).value_or(otherwise), device), first + 2);
}

PyObject* filled_like(const Arguments& a, double number) {
  const ValuePtr& like = a.tensor(0);
  ValuePtr value = build::full(like->shape, number, a.dtype(1).value_or(like->dtype), a.device(2, like->device()));
  return fresh_tensor_like(a, std::move(value), 3);
}

// The number that a tensor of one element holds.
functions::Operand number_in(const ValuePtr& value) {
  check(value->shape->numel() == 1, "a Tensor with ", value->shape->numel(), " elements cannot be converted to Scalar");
  Object list(list_from_value(build::reshape(value, Shape::of({1}))));
  return *number_from(PyList_GET_ITEM(list.get(), 0));
}

// Block by block, so that the compiler makes vectors of indices that count from the block's start in 32 bits.
template <typename T, typename Index, typename Element>
void generate(std::byte* memory, std::int64_t count, Element element) {
  constexpr std::int32_t kBlock = 1 << 10;
  constexpr std::int64_t kGrain = 1 << 15;
  auto* out = reinterpret_cast<T*>(memory);
  const std::int64_t grain = count < 2 * kGrain ? std::max<std::int64_t>(count, 1) : kGrain;
  runtime::parallel_for(
      static_cast<std::size_t>(count), static_cast<std::size_t>(grain), [=](std::size_t begin, std::size_t end) {
        for (std::size_t base = begin; base < end; base += kBlock) {
          const auto n = static_cast<std::int32_t>(std::min<std::size_t>(kBlock, end - base));
          const auto first = static_cast<Index>(base);
          const auto make = [&](std::int32_t i) {
            out[base + static_cast<std::size_t>(i)] = static_cast<T>(element(first + static_cast<Index>(i)));
          };
          if (n == kBlock)  // a number that the compiler knows makes vectors
            for (std::int32_t i = 0; i < kBlock; ++i) make(i);
          else
            for (std::int32_t i = 0; i < n; ++i) make(i);
        }
      });
}

// A leaf computed here, element by element: floats from their positions in double precision, integers from them as
// `Index`, which is double or std::int64_t.
template <typename Index, typename Element>
ValuePtr generated(std::int64_t count, DType dtype, Device device, Element element) {
  if (device == Device::kMeta) return make_meta(Shape::of({count}), dtype);
  if (is_composed(dtype)) return build::cast(generated<Index>(count, wide(part_type(dtype)), device, element), dtype);
  StoragePtr storage = runtime::allocate(static_cast<std::size_t>(Shape::of({count})->numel()) * size_of(dtype));
  auto* out = static_cast<std::byte*>(storage->data);
  const auto whole = [element](Index i) { return static_cast<std::int64_t>(element(i)); };
  switch (dtype) {
    case DType::kFloat32:
      generate<float, double>(out, count, element);
      break;
    case DType::kFloat64:
      generate<double, double>(out, count, element);
      break;
    case DType::kInt64:
      generate<std::int64_t, Index>(out, count, whole);
      break;
    case DType::kInt32:
      generate<std::int32_t, Index>(out, count, whole);
      break;
    default:
      generate<std::uint8_t, Index>(out, count, whole);
  }
  return make_leaf(std::move(storage), Shape::of({count}), dtype);
}

// Is it a storage? Other objects' types are looked at no further than need be.
bool is_storage(PyObject* object) {
  return PyType_HasFeature(Py_TYPE(object), Py_TPFLAGS_HEAPTYPE) && !is_tensor(object) &&
         PyObject_HasAttrString(object, "untyped");
}

// A tensor over a storage's own memory, as lamina/storage makes it.
Object over_storage(PyObject* storage, DType dtype) {
  Object module(checked(PyImport_ImportModule("lamina.storage.placing")));
  return Object(checked(PyObject_CallMethod(module.get(), "tensor_over", "OO", storage, dtype_object(dtype))));
}

// On the device that argument i names; if it names none, on the default one if that is meta, else where it is.
ValuePtr placed(const Arguments& a, std::size_t i, ValuePtr value) {
  Device otherwise = default_device() == Device::kMeta ? Device::kMeta : value->device();
  return to_device(std::move(value), a.device(i, otherwise));
}

void warn_of_copy(const char* function) {
  std::string warning = text(
      "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
      "sourceTensor.detach().clone().requires_grad_(True), rather than ",
      function, "(sourceTensor).");
  checked(PyErr_WarnEx(PyExc_UserWarning, warning.c_str(), 1));
}

// Unlike those of zeros, the sizes to fill are never one number.
const Shape* sizes(const Arguments& a, std::size_t i) {
  if (PyLong_Check(a.object(i)) || is_tensor(a.object(i))) a.fail_type(i, "tuple of ints");
  return Shape::of(a.dims(i));
}

// What a tensor is filled with: a number, or the number of a 0-d tensor that needs no gradient.
functions::Operand filling(const Arguments& a, std::size_t i) {
  functions::Operand number = a.operand(i);
  if (!number.is_number() && (number.value->shape->rank() != 0 || number.value->requires_grad()))
    a.fail_type(i, "Number");
  return number;
}

}  // namespace

LAMINA_FUNCTION(kModule, tensor, "data, *, dtype=None, device=None, requires_grad=False, pin_memory=False") {
  if (is_storage(a.object(0))) {
    Object tensor = over_storage(a.object(0), a.dtype(1).value_or(functions::default_float()));
    if (a.flag(3, false)) set_requires_grad(tensor.get(), true);
    return tensor.release();
  }
  if (is_tensor(a.object(0))) warn_of_copy("torch.tensor");
  return fresh_tensor(a, placed(a, 2, value_from_data(a.object(0), a.dtype(1))), 3);
}
LAMINA_FUNCTION(kModule, as_tensor, "data, dtype=None, device=None") {
  auto dtype = a.dtype(1);
  if (is_tensor(a.object(0))) {
    const ValuePtr& own = a.tensor(0);
    ValuePtr value = placed(a, 2, functions::to_dtype(own, dtype.value_or(own->dtype)));
    return value == own ? Object::borrowed(a.object(0)).release() : wrap(std::move(value));
  }
  bool array = PyObject_CheckBuffer(a.object(0)) && !PyBytes_Check(a.object(0)) && PyList_Check(a.object(0)) == 0;
  if (!array) return wrap(placed(a, 2, value_from_data(a.object(0), dtype)));
  ValuePtr value = value_over_buffer(a.object(0));
  return wrap(placed(a, 2, dtype ? functions::to_dtype(value, *dtype) : value));
}
LAMINA_FUNCTION(kModule, from_numpy, "ndarray") { return wrap(value_over_buffer(a.object(0))); }

LAMINA_FUNCTION(kModule, zeros, "*size, " LAMINA_FACTORY_TAIL) {
  return filled(a, Shape::of(a.rest_dims()), 0, 1, functions::default_float(), a.device(2));
}
LAMINA_FUNCTION(kModule, ones, "*size, " LAMINA_FACTORY_TAIL) {
  return filled(a, Shape::of(a.rest_dims()), 1, 1, functions::default_float(), a.device(2));
}
// What no one has written is 0: deterministic, and as cheap.
LAMINA_FUNCTION(kModule, empty, "*size, " LAMINA_FACTORY_TAIL ", memory_format=None") {
  MemoryFormat format = a.memory_format(MemoryFormat::kContiguous);
  check(format != MemoryFormat::kPreserve, "unsupported memory format Preserve");
  const Shape* shape = Shape::of(a.rest_dims());
  ValuePtr value = build::full(shape, 0, a.dtype(1).value_or(functions::default_float()), a.device(2));
  show_strides(value.get(), strides_in(shape, format));
  return fresh_tensor(a, std::move(value), 3);
}
LAMINA_FUNCTION(kModule, full, "size, fill_value, *, " LAMINA_FACTORY_TAIL) {
  functions::Operand number = filling(a, 1);
  DType inferred = number.is_number() ? functions::default_dtype_of(number.kind) : number.value->dtype;
  if (number.is_number() && inferred == DType::kComplex32) inferred = DType::kComplex64;  // as PyTorch, here alone
  DType dtype = a.dtype(2).value_or(inferred);
  return fresh_tensor(a, build::expand(to_device(number.filled_as(dtype), a.device(3)), sizes(a, 0)), 4);
}
LAMINA_FUNCTION(kModule, zeros_like, "input, *, " LAMINA_FACTORY_TAIL ", memory_format=None") {
  return filled_like(a, 0);
}
LAMINA_FUNCTION(kModule, ones_like, "input, *, " LAMINA_FACTORY_TAIL ", memory_format=None") {
  return filled_like(a, 1);
}
LAMINA_FUNCTION(kModule, empty_like, "input, *, " LAMINA_FACTORY_TAIL ", memory_format=None") {
  return filled_like(a, 0);
}
LAMINA_FUNCTION(kModule, full_like, "input, fill_value, *, " LAMINA_FACTORY_TAIL ", memory_format=None") {
  const ValuePtr& like = a.tensor(0);
  ValuePtr number = to_device(filling(a, 1).filled_as(a.dtype(2).value_or(like->dtype)), a.device(3, like->device()));
  return fresh_tensor_like(a, build::expand(number, like->shape), 4);
}
LAMINA_FUNCTION(kMethod, new_zeros, "input, *size, " LAMINA_FACTORY_TAIL) {
  return filled(a, Shape::of(a.rest_dims()), 0, 2, a.tensor(0)->dtype, a.device(3, a.tensor(0)->device()));
}
LAMINA_FUNCTION(kMethod, new_ones, "input, *size, " LAMINA_FACTORY_TAIL) {
  return filled(a, Shape::of(a.rest_dims()), 1, 2, a.tensor(0)->dtype, a.device(3, a.tensor(0)->device()));
}
LAMINA_FUNCTION(kMethod, new_empty, "input, *size, " LAMINA_FACTORY_TAIL) {
  return filled(a, Shape::of(a.rest_dims()), 0, 2, a.tensor(0)->dtype, a.device(3, a.tensor(0)->device()));
}
LAMINA_FUNCTION(kMethod, new_full, "input, size, fill_value, *, " LAMINA_FACTORY_TAIL) {
  ValuePtr number = filling(a, 2).filled_as(a.dtype(3).value_or(a.tensor(0)->dtype));
  number = to_device(number, a.device(4, a.tensor(0)->device()));
  return fresh_tensor(a, build::expand(number, sizes(a, 1)), 5);
}
LAMINA_FUNCTION(kMethod, new_tensor, "input, data, *, " LAMINA_FACTORY_TAIL) {
  if (is_tensor(a.object(1))) warn_of_copy("tensor.new_tensor");
  ValuePtr value = value_from_data(a.object(1), a.dtype(2).value_or(a.tensor(0)->dtype));
  return fresh_tensor(a, to_device(std::move(value), a.device(3, a.tensor(0)->device())), 4);
}

LAMINA_FUNCTION(kModule, eye, "n, m=None, *, " LAMINA_FACTORY_TAIL) {
  std::int64_t n = a.integer(0), m = a.integer(1, n);
  check(n >= 0 && m >= 0, "n must be greater or equal to 0, got n=", n, ", m=", m);
  const Shape* shape = Shape::of({n, m});
  const DType dtype = a.dtype(2).value_or(functions::default_float());
  const Shape *line = Shape::of({shape->numel()}), *diagonal = Shape::of({std::min(n, m)});
  ValuePtr flat = build::full(line, 0, dtype, a.device(3));
  if (diagonal->numel())
    flat = build::slice_update(flat, build::full(diagonal, 1, dtype, a.device(3)), Attribute::of({0, m + 1}));
  return fresh_tensor(a, build::reshape(flat, shape), 4);
}

LAMINA_FUNCTION(kModule, arange, "start, end=None, step=None, *, " LAMINA_FACTORY_TAIL) {
  functions::Operand start = functions::Operand::of(std::int64_t{0}), end = a.operand(0),
                     step = functions::Operand::of(std::int64_t{1});
  if (a.given(1)) {
    start = end;
    end = a.operand(1);
  }
  if (a.given(2)) step = a.operand(2);
  bool whole = true;
  for (functions::Operand* number : {&start, &end, &step}) {
    if (!number->is_number()) *number = number_in(number->value);
    if (number->kind == functions::Operand::Kind::kBool) number->kind = functions::Operand::Kind::kInt;
    whole &= number->kind == functions::Operand::Kind::kInt;
  }
  double first = start.as_double(), last = end.as_double(), width = step.as_double();
  check(width != 0, "step must be nonzero");
  check(std::isfinite(first) && std::isfinite(last), "unsupported range: ", first, " -> ", last);
  check((width > 0 && last >= first) || (width < 0 && last <= first),
        "upper bound and lower bound inconsistent with step sign");
  DType dtype = a.dtype(3).value_or(whole ? DType::kInt64 : functions::default_float());
  bool truncates = !whole && !is_differentiable(dtype);  // whole numbers in whole steps
  if (truncates) {
    start.integer = static_cast<std::int64_t>(first);
    end.integer = static_cast<std::int64_t>(last);
    step.integer = static_cast<std::int64_t>(width);
    check(step.integer != 0 || dtype != DType::kInt64, "step must be nonzero");
  }
  std::int64_t count = 0;
  if (whole || (truncates && dtype == DType::kInt64)) {
    std::int64_t span = 0, by = step.integer;
    const bool overflows = __builtin_sub_overflow(end.integer, start.integer, &span);
    check(!overflows && span != std::numeric_limits<std::int64_t>::min(), "invalid size, possible overflow?");
    count = span / by + (span % by != 0);
  } else {  // of narrower integers there are as many as of the numbers before they lost their fractions
    double length = std::ceil((last - first) / width);
    check(length < 0x1p63, "invalid size, possible overflow?");
    count = static_cast<std::int64_t>(length);
  }
  if (whole || truncates) {
    auto counted = [from = start.integer]<typename Index>(Index i) { return static_cast<Index>(from) + i; };
    if (step.integer == 1) return fresh_tensor(a, generated<std::int64_t>(count, dtype, a.device(4), counted), 5);
    auto element = [from = start.integer, by = step.integer]<typename Index>(Index i) {
      return static_cast<Index>(from) + i * static_cast<Index>(by);
    };
    return fresh_tensor(a, generated<std::int64_t>(count, dtype, a.device(4), element), 5);
  }
  auto element = [=](double i) { return first + i * width; };
  return fresh_tensor(a, generated<double>(count, dtype, a.device(4), element), 5);
}

namespace {

functions::Operand end_of_range(const Arguments& a, std::size_t i) {
  functions::Operand end = a.operand(i);
  return end.is_number() ? end : number_in(end.value);
}

bool is_complex_range(const Arguments& a) {
  using Kind = functions::Operand::Kind;
  return end_of_range(a, 0).kind == Kind::kComplex || end_of_range(a, 1).kind == Kind::kComplex;
}

// From both ends towards the middle, so that both ends are exact.
ValuePtr range(double first, double last, std::int64_t steps, DType dtype, Device device) {
  const double width = steps > 1 ? (last - first) / static_cast<double>(steps - 1) : 0;
  const double end = static_cast<double>(steps - 1), half = static_cast<double>(steps == 1 ? 1 : steps / 2);
  return generated<double>(steps, dtype, device,
                           [=](double i) { return i < half ? first + width * i : last - width * (end - i); });
}

PyObject* complex_range(const Arguments& a) {
  functions::Operand start = end_of_range(a, 0), end = end_of_range(a, 1);
  std::int64_t steps = a.integer(2);
  check(steps >= 0, "number of steps must be non-negative");
  DType dtype = a.dtype(3).value_or(functions::default_dtype_of(functions::Operand::Kind::kComplex));
  check(is_complex(dtype), "torch.", a.signature().name(), "(): inferred dtype ",
        name_of(functions::default_dtype_of(functions::Operand::Kind::kComplex)),
        " can't be safely cast to passed dtype ", name_of(dtype));
  auto part = [&](double first, double last) { return range(first, last, steps, part_type(dtype), a.device(4)); };
  ValuePtr real = part(start.as_double(), end.as_double()), imaginary = part(start.imaginary, end.imaginary);
  return fresh_tensor(a, build::complex(real, imaginary), 5);
}

}  // namespace

LAMINA_FUNCTION(kModule, linspace, "start, end, steps, *, " LAMINA_FACTORY_TAIL) {
  if (auto wanted = a.dtype(3); is_complex_range(a) || (wanted && is_complex(*wanted))) return complex_range(a);
  double first = a.number(0), last = a.number(1);
  std::int64_t steps = a.integer(2);
  check(steps >= 0, "number of steps must be non-negative");
  DType dtype = a.dtype(3).value_or(functions::default_float());
  if (dtype == DType::kBool) fail(ErrorKind::kNotImplemented, "\"linspace_cpu\" not implemented for 'Bool'");
  if (!is_floating(dtype)) {  // from whole number to whole number, of this type
    first = std::trunc(first);
    last = std::trunc(last);
    if (dtype == DType::kUInt8) {
      first = static_cast<std::uint8_t>(static_cast<std::int64_t>(first));
      last = static_cast<std::uint8_t>(static_cast<std::int64_t>(last));
    }
  }
  return fresh_tensor(a, range(first, last, steps, dtype, a.device(4)), 5);
}

}  // namespace lamina::bindings
