// tensor[...] and tensor[...] = value: NumPy's indexing.
#include "bindings/exchange.h"
#include "bindings/in_place.h"
#include "bindings/registry.h"
#include "bindings/scalars.h"
#include "bindings/tensor_object.h"
#include "engine/flush.h"
#include "functions/indexing.h"
#include "functions/pointwise.h"
#include "functions/views.h"
#include "ops/build.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// A subscript taken apart: views first (slices, integers, new axes), then at most one advanced index over their result.
struct Subscript {
  functions::Views views;
  functions::Indices indices;
  bool advanced = false;
  bool copies = false;  // x[True], whose result is no view
};

bool is_mask(const ValuePtr& index) { return index->dtype == DType::kBool || index->dtype == DType::kUInt8; }

const Shape* shape_after(const Shape* shape, const functions::Views& views) {
  return views.empty() ? shape : views.back().shape;
}

void append(functions::Views& views, functions::Views more) { views.insert(views.end(), more.begin(), more.end()); }

// An index tensor from a tensor, list or array; null if the item is something else.
ValuePtr index_value(PyObject* item) {
  if (is_tensor(item)) return value_of(item);
  if (PyUnicode_Check(item) || PyBytes_Check(item) || PyLong_Check(item) || PySlice_Check(item)) return nullptr;
  if (number_from(item)) return nullptr;
  bool sequence = PySequence_Check(item) || PyObject_CheckBuffer(item);
  if (!sequence) return nullptr;
  ValuePtr value = value_from_data(item, std::nullopt);
  return value->shape->numel() == 0 && is_floating(value->dtype) ? build::cast(value, DType::kInt64) : value;
}

// How many of x's axes an item uses up.
int axes_used(PyObject* item) {
  if (item == Py_None || item == Py_Ellipsis || PyBool_Check(item)) return 0;
  if (is_tensor(item) && is_mask(value_of(item))) return value_of(item)->shape->rank();
  if (!is_tensor(item) && !PyLong_Check(item) && !PySlice_Check(item)) {
    if (ValuePtr index = index_value(item); index && index->dtype == DType::kBool) return index->shape->rank();
  }
  return 1;
}

void add_slice(Subscript& subscript, const Shape* shape, int axis, PyObject* slice) {
  Py_ssize_t start, stop, step;
  checked(PySlice_Unpack(slice, &start, &stop, &step));
  if (step <= 0) fail(ErrorKind::kValue, "step must be greater than zero");
  if (shape->rank() == 0) fail(ErrorKind::kIndex, "slice() cannot be applied to a 0-dim tensor.");
  Py_ssize_t size = static_cast<Py_ssize_t>((*shape)[axis]);
  Py_ssize_t length = PySlice_AdjustIndices(size, &start, &stop, step);
  append(subscript.views, functions::narrow_views(shape, axis, std::min(start, size), length, step));
}

void add_advanced(Subscript& subscript, int axis, const ValuePtr& index) {
  auto place = [&](ValuePtr one) {
    subscript.indices.resize(std::max(subscript.indices.size(), static_cast<std::size_t>(axis) + 1));
    subscript.indices[static_cast<std::size_t>(axis)] = std::move(one);
    ++axis;
  };
  subscript.advanced = true;
  if (!is_mask(index)) {
    if (is_floating(index->dtype))
      fail(ErrorKind::kIndex, "tensors used as indices must be long, int, byte or bool tensors");
    place(build::cast(index, DType::kInt64));
    return;
  }
  for (ValuePtr& positions : functions::mask_to_indices(index)) place(std::move(positions));
}

// A list with slices and the like is read as the tuple would be; PyTorch does, too, with a warning.
bool selects_by_itself(PyObject* list) {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    PyObject* item = PyList_GET_ITEM(list, i);
    if (PySlice_Check(item) || item == Py_Ellipsis || item == Py_None) return true;
  }
  return false;
}

Subscript parse(const Shape* start, PyObject* key) {
  Object items;
  if (PyTuple_Check(key)) {
    items = Object::borrowed(key);
  } else if (PyList_Check(key) && selects_by_itself(key)) {
    items = Object(checked(PyList_AsTuple(key)));
  } else {
    items = Object(checked(PyTuple_Pack(1, key)));
  }
  Subscript subscript;
  Py_ssize_t count = PyTuple_GET_SIZE(items.get());
  int used = 0;
  for (Py_ssize_t i = 0; i < count; ++i) used += axes_used(PyTuple_GET_ITEM(items.get(), i));
  if (used > start->rank() && start->rank() == 0)
    fail(ErrorKind::kIndex,
         "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a 0-dim tensor to a "
         "number");
  if (used > start->rank()) fail(ErrorKind::kIndex, "too many indices for tensor of dimension ", start->rank());
  int axis = 0;
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* item = PyTuple_GET_ITEM(items.get(), i);
    const Shape* shape = shape_after(start, subscript.views);
    if (item == Py_Ellipsis) {
      axis += start->rank() - used;
    } else if (item == Py_None) {
      append(subscript.views, functions::unsqueeze_views(shape, axis));
      ++axis;
    } else if (PyBool_Check(item)) {
      subscript.copies = true;
      append(subscript.views, functions::unsqueeze_views(shape, axis));
      if (item == Py_False) {
        const Shape* unsqueezed = shape_after(start, subscript.views);
        append(subscript.views, functions::narrow_views(unsqueezed, axis, 0, 0));
      }
      ++axis;
    } else if (PySlice_Check(item)) {
      add_slice(subscript, shape, axis, item);
      ++axis;
    } else if (ValuePtr index = index_value(item)) {
      bool whole = index->shape->rank() == 0 && !is_mask(index) && !is_floating(index->dtype);
      if (whole && is_tensor(item)) {  // a 0-d integer tensor selects
        append(subscript.views, functions::select_views(shape, axis, *integer_from(item)));
      } else if (index->shape->rank() == 0 && is_mask(index)) {
        append(subscript.views, functions::unsqueeze_views(shape, axis));
        add_advanced(subscript, axis, build::reshape(index, Shape::of({1})));
        ++axis;
      } else {
        int masked = axes_used(item);
        if (is_mask(index)) {
          for (int k = 0; k < index->shape->rank(); ++k)
            if ((*index->shape)[k] != (*shape)[axis + k])
              fail(ErrorKind::kIndex, "The shape of the mask ", to_string(index->shape->dims(), '[', ']'), " at index ",
                   k, " does not match the shape of the indexed tensor ", to_string(shape->dims(), '[', ']'),
                   " at index ", axis + k);
        }
        add_advanced(subscript, axis, index);
        axis += masked;
      }
    } else if (auto number = integer_from(item)) {
      append(subscript.views, functions::select_views(shape, axis, *number));
    } else {
      fail(ErrorKind::kIndex,
           "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
           "indices (got ",
           printed_type(item), ")");
    }
  }
  return subscript;
}

// The value to write: PyTorch takes numbers, tensors and nested data, of any type that casts.
ValuePtr source_value(PyObject* object, DType dtype) {
  if (is_tensor(object)) return build::cast(value_of(object), dtype);
  if (auto number = number_from(object)) return number->as(dtype);
  return value_from_data(object, dtype);
}

}  // namespace

PyObject* tensor_subscript(PyObject* self, PyObject* key) {
  return guarded([&] {
    engine::Variable& variable = as_tensor(self)->variable;
    Subscript subscript = parse(engine::current(variable)->shape, key);
    if (subscript.copies && !subscript.advanced) {
      ValuePtr shown = functions::apply(engine::current(variable), subscript.views);
      return wrap(functions::labelled(build::clone(shown), "Index"));
    }
    if (!subscript.advanced) {
      if (subscript.views.empty())
        subscript.views = {{Op::reshape, engine::current(variable)->shape, nullptr}};  // x[...]: a view of its own
      bool selects = subscript.views.back().op == Op::reshape && subscript.views.size() > 1;
      engine::Variable view = engine::view_of(variable, subscript.views);
      functions::labelled(view.value, selects                                  ? "Select"
                                      : subscript.views.back().op == Op::slice ? "Slice"
                                                                               : "Unsqueeze");
      return wrap_view(self, std::move(view));
    }
    return wrap(functions::index(functions::apply(engine::current(variable), subscript.views), subscript.indices));
  });
}

int tensor_assign_subscript(PyObject* self, PyObject* key, PyObject* object) {
  return guarded(
      [&] {
        if (!object) fail(ErrorKind::kType, "Tensor does not support deleting items");
        engine::Variable& variable = as_tensor(self)->variable;
        ValuePtr whole = engine::current(variable);
        Subscript subscript = parse(whole->shape, key);
        if (subscript.views.empty()) subscript.views = {{Op::reshape, whole->shape, nullptr}};
        engine::Variable view = engine::view_of(variable, subscript.views);
        engine::check_assignable(view);
        ValuePtr source = source_value(object, whole->dtype);
        ValuePtr target = engine::current(view);
        if (subscript.advanced) {
          engine::assign(view, functions::index_put(target, subscript.indices, source, false));
        } else {
          while (source->shape->rank() > target->shape->rank() && (*source->shape)[0] == 1)
            source = build::reshape(source, Shape::of(source->shape->dims().subspan(1)));
          ValuePtr spread = functions::apply(source, functions::expand_views(source->shape, target->shape->dims()));
          engine::assign(view, std::move(spread));
        }
        engine::current(variable);
        engine::flush_if_due();
        return 0;
      },
      -1);
}

}  // namespace lamina::bindings
