// `out=`.
#include "bindings/out_argument.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "bindings/in_place.h"
#include "bindings/registry.h"
#include "engine/flush.h"
#include "engine/tangents.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// Functions that put their result into a tensor of its own type only. All others cast it, within a category.
constexpr const char* kExact[] = {
    "all",         "amax",     "amin",         "any",           "argmax",   "argmin", "bmm",
    "bucketize",   "ceil",     "dot",          "frac",          "floor",    "gather", "index_select",
    "isneginf",    "isposinf", "logcumsumexp", "masked_select", "matmul",   "mm",     "mv",
    "nanquantile", "neg",      "nonzero",      "norm",          "quantile", "round",  "searchsorted",
    "take",        "tril",     "triu",         "trunc",         "where",
};

// The one result that `any` and its like, `isposinf` and its like, and quantiles have words of their own for.
void check_exact(const char* function, DType from, DType to, const char* role) {
  std::string name = function;
  check(name != "cummax" && name != "cummin" && name != "logcumsumexp", "expected scalar_type ",
        functions::scalar_name(from), " but found ", functions::scalar_name(to));
  if (name == "histogram")
    fail(ErrorKind::kRuntime, "torch.histogram: input tensor and ", role,
         " tensor should have the same dtype, but got input ", name_of(from), " and ", role, " ", name_of(to));
  if (role)
    fail(ErrorKind::kRuntime, name, "(): expected scalar type '", functions::scalar_name(from), "' but got '",
         functions::scalar_name(to), "' for ", role, " output");
  if (name == "any" || name == "all") {
    check(to == DType::kUInt8, name, " only supports bool tensor for result, got: ", functions::scalar_name(to));
    return;
  }
  check(name != "nonzero", "nonzero: Expected out tensor to have scalar type Long but got scalar type",
        functions::scalar_name(to));
  check(name != "isposinf" && name != "isneginf", name, " does not support non-boolean outputs.");
  check(name != "quantile" && name != "nanquantile", name, "() out tensor must be same dtype as the input tensor");
  fail(ErrorKind::kRuntime, name, "(): Expected out tensor to have dtype ", name_of(from), ", but got ", name_of(to),
       " instead");
}

void refuse(const char* function, PyObject* result, PyObject* out, const char* role = nullptr) {
  if (!is_tensor(out)) fail(ErrorKind::kType, function, "(): argument 'out' must be Tensor, not ", printed_type(out));
  const ValuePtr &from = value_of(result), &to = value_of(out);
  check(
      !grad_enabled() || (!from->requires_grad() && !to->requires_grad()), function,
      "(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires "
      "grad.");
  if (engine::tangent_of(from.get()) || engine::tangent_of(to.get()))
    fail(ErrorKind::kNotImplemented, "Trying to use forward AD with ", function,
         "_out (because it is an out= function) that does not support it because it has not been implemented yet.");
  bool exact = role || std::any_of(std::begin(kExact), std::end(kExact),
                                   [&](const char* name) { return std::strcmp(name, function) == 0; });
  if (exact && from->dtype != to->dtype) return check_exact(function, from->dtype, to->dtype, role);
  check(functions::can_cast(from->dtype, to->dtype) || std::strcmp(function, "bernoulli") == 0, "result type ",
        functions::scalar_name(from->dtype), " can't be cast to the desired output type ",
        functions::scalar_name(to->dtype));
}

// While it lives, memory whose address somebody has asked for is changed where it lies, not replaced.
class WrittenInPlace {
 public:
  explicit WrittenInPlace(const ValuePtr& value) {
    if (!value->storage || !value->storage->address_known) return;
    storage_ = StoragePtr(value->storage);
    expose(storage_.get());
  }
  WrittenInPlace(const WrittenInPlace&) = delete;
  WrittenInPlace& operator=(const WrittenInPlace&) = delete;
  ~WrittenInPlace() {
    if (storage_) --storage_->external_holders;
  }

 private:
  StoragePtr storage_;
};

// Ranges fill an out of as many elements, whatever its shape.
bool is_range(const char* function) {
  for (const char* range : {"arange", "linspace", "logspace", "range"})
    if (std::strcmp(function, range) == 0) return true;
  return false;
}

std::string resized(const char* function, const Shape* old, const Shape* fresh) {
  if (std::strcmp(function, "arange") == 0)
    return text(
        "The number of elements in the out tensor of shape ", to_string(old->dims(), '[', ']'), " is ", old->numel(),
        " which does not match the computed number of elements ", fresh->numel(),
        ". Note that this may occur as a result of rounding error. The out tensor will be resized to a tensor of "
        "shape (",
        fresh->numel(), ",).");
  return text("An output with one or more elements was resized since it had shape ", to_string(old->dims(), '[', ']'),
              ", which does not match the required output shape ", to_string(fresh->dims(), '[', ']'),
              ". This behavior is deprecated, and in a future PyTorch release outputs will not be resized unless they "
              "have zero elements. You can explicitly reuse an out tensor t by resizing it, inplace, to zero elements "
              "with t.resize_(0).");
}

void put(const char* function, PyObject* result, PyObject* out, bool resizes) {
  const ValuePtr old = value_of(out);
  ValuePtr fresh = build::cast(value_of(result), old->dtype);
  if (is_range(function) && fresh->shape->numel() == old->shape->numel()) fresh = build::reshape(fresh, old->shape);
  if (fresh->shape == old->shape) {
    WrittenInPlace there(old);
    return assign_result(out, std::move(fresh));
  }
  if (old->shape->numel() != 0 && (!resizes || std::strcmp(function, "arange") == 0))
    checked(PyErr_WarnEx(PyExc_UserWarning, resized(function, old->shape, fresh->shape).c_str(), 1));
  engine::replace(as_tensor(out)->variable, std::move(fresh));
  engine::flush_if_due();
}

}  // namespace

PyObject* put_into_out(const char* function, Object result, PyObject* out, bool resizes) {
  if (out == Py_None) return result.release();
  if (is_tensor(result.get())) {
    refuse(function, result.get(), out);
    put(function, result.get(), out, resizes);
    return Object::borrowed(out).release();
  }
  check(std::strcmp(function, "nonzero") != 0, "nonzero does not support the out kwarg when as_tuple is True");
  if (!PyTuple_Check(result.get())) fail(ErrorKind::kType, function, "() got an unexpected keyword argument 'out'");
  Py_ssize_t size = PyTuple_GET_SIZE(result.get());
  if (!(PyTuple_Check(out) || PyList_Check(out)) || PySequence_Fast_GET_SIZE(out) != size)
    fail(ErrorKind::kType, function, "(): argument 'out' must be tuple of Tensors (", size, " of them), not ",
         printed_type(out));
  Object fields(PyObject_GetAttrString(result.get(), "_fields"));
  if (!fields) PyErr_Clear();
  for (Py_ssize_t i = 0; i < size; ++i)
    refuse(function, PyTuple_GET_ITEM(result.get(), i), PySequence_Fast_GET_ITEM(out, i),
           fields ? PyUnicode_AsUTF8(PyTuple_GET_ITEM(fields.get(), i)) : nullptr);
  Object kind = Object::borrowed(reinterpret_cast<PyObject*>(Py_TYPE(result.get())));
  Object items(checked(PyTuple_New(size)));
  for (Py_ssize_t i = 0; i < size; ++i) {
    put(function, PyTuple_GET_ITEM(result.get(), i), PySequence_Fast_GET_ITEM(out, i), resizes);
    PyTuple_SET_ITEM(items.get(), i, Object::borrowed(PySequence_Fast_GET_ITEM(out, i)).release());
  }
  return kind.get() == reinterpret_cast<PyObject*>(&PyTuple_Type)
             ? items.release()
             : checked(PyObject_CallObject(kind.get(), items.get()));
}

namespace {

constexpr const char kOverlap[] =
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
    "location. Please clone() the tensor before performing the operation.";

bool shows_the_same(engine::Variable& a, engine::Variable& b) {
  if (&a == &b) return true;
  if (!a.cell || a.cell.get() != b.cell.get() || engine::current(a)->shape != engine::current(b)->shape) return false;
  engine::LogicalLayout x = engine::logical_layout(a), y = engine::logical_layout(b);
  return x.offset == y.offset && x.strides == y.strides && engine::current(a)->shape->numel() != 0;
}

}  // namespace

void check_no_overlap(PyObject* argument, PyObject* written) {
  if (PyTuple_Check(argument) || PyList_Check(argument)) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(argument); ++i)
      check_no_overlap(PySequence_Fast_GET_ITEM(argument, i), written);
  } else if (is_tensor(argument)) {
    engine::Variable &a = as_tensor(argument)->variable, &b = as_tensor(written)->variable;
    check(!shows_the_same(a, b) && !engine::overlaps_in_part(a, b), kOverlap);
  }
}

void check_no_partial_overlap(PyObject* argument, PyObject* out) {
  if (PyTuple_Check(out) || PyList_Check(out)) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(out); ++i)
      check_no_partial_overlap(argument, PySequence_Fast_GET_ITEM(out, i));
  } else if (PyTuple_Check(argument) || PyList_Check(argument)) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(argument); ++i)
      check_no_partial_overlap(PySequence_Fast_GET_ITEM(argument, i), out);
  } else if (is_tensor(argument) && is_tensor(out)) {
    check(!engine::overlaps_in_part(as_tensor(argument)->variable, as_tensor(out)->variable), kOverlap);
  }
}

// What an in-place operation reads may be what it writes, element by element, unless it is to be `apart`.
LAMINA_FUNCTION(kModule, _check_overlap, "written, arguments, apart") {
  (a.flag(2, false) ? check_no_overlap : check_no_partial_overlap)(a.object(1), a.tensor_object(0));
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, _put_into_out, "name, result, out, arguments") {
  check_no_partial_overlap(a.object(3), a.object(2));
  return put_into_out(a.text(0), Object::borrowed(a.object(1)), a.object(2));
}

}  // namespace lamina::bindings
