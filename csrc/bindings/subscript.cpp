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
#include "ops/meta.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

// A subscript taken apart: views first (slices, integers, new axes), then at most one advanced index over their result.
struct Subscript {
  functions::Views views;
  functions::Indices indices;
  bool advanced = false;
  bool copies = false;  // x[True], whose result is no view
  int masks = 0;        // how many masks the indices were made from; -1 if not from masks alone
};

bool is_mask(const ValuePtr& index) { return index->dtype == DType::kBool || index->dtype == DType::kUInt8; }

const Shape* shape_after(const Shape* shape, const functions::Views& views) {
  return views.empty() ? shape : views.back().shape;
}

void append(functions::Views& views, functions::Views more) { views.insert(views.end(), more.begin(), more.end()); }

// An index tensor from a tensor, list or array; null if the item is something else.
ValuePtr index_value(PyObject* item) {
  if (is_tensor(item)) return value_of(item);
  if (item == Py_None || item == Py_Ellipsis || PySlice_Check(item)) return nullptr;
  if (PyUnicode_Check(item) || PyBytes_Check(item) || PyLong_Check(item) || number_from(item)) return nullptr;
  bool sequence = PySequence_Check(item) || PyObject_CheckBuffer(item);
  if (!sequence) return nullptr;
  ValuePtr value = value_from_data(item, std::nullopt);
  return value->shape->numel() == 0 && is_floating(value->dtype) ? build::cast(value, DType::kInt64) : value;
}

// A subscript's items, and the index tensors that they are or hold.
struct Items {
  explicit Items(Object given) : tuple(std::move(given)) {
    for (Py_ssize_t i = 0; i < size(); ++i) {
      ValuePtr index = index_value((*this)[i]);
      if (!index) continue;
      indices.resize(static_cast<std::size_t>(i) + 1);
      indices.back() = std::move(index);
    }
  }
  Py_ssize_t size() const { return PyTuple_GET_SIZE(tuple.get()); }
  PyObject* operator[](Py_ssize_t i) const { return PyTuple_GET_ITEM(tuple.get(), i); }
  ValuePtr index(Py_ssize_t i) const {
    return static_cast<std::size_t>(i) < indices.size() ? indices[static_cast<std::size_t>(i)] : nullptr;
  }

  // How many of x's axes an item uses up.
  int axes_used(Py_ssize_t i) const {
    if (const ValuePtr index = this->index(i)) return is_mask(index) ? index->shape->rank() : 1;
    PyObject* item = (*this)[i];
    return item == Py_None || item == Py_Ellipsis || PyBool_Check(item) ? 0 : 1;
  }

  // Several bools are index tensors that broadcast against each other and against others: x[True, True] has one new
  // axis.
  bool join_bools() const {
    int bools = 0, tensors = 0;
    for (Py_ssize_t i = 0; i < size(); ++i) {
      bools += PyBool_Check((*this)[i]);
      tensors += index(i) != nullptr;
    }
    return bools && bools + tensors > 1;
  }

  Object tuple;
  std::vector<ValuePtr> indices;  // null for other items, and none for the last of those
};

// PyTorch still reads a short list that holds more than numbers as a tuple.
bool stands_for_tuple(PyObject* key) {
  if (PyTuple_Check(key)) return true;
  if (!PyList_Check(key) || PyList_GET_SIZE(key) >= 32) return false;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(key); ++i) {
    PyObject* item = PyList_GET_ITEM(key, i);
    bool sequence = PySequence_Check(item) && !PyUnicode_Check(item) && !PyBytes_Check(item);
    if (sequence || is_tensor(item) || item == Py_None || item == Py_Ellipsis || PySlice_Check(item)) return true;
  }
  return false;
}

Object as_tuple(PyObject* key) {
  if (!stands_for_tuple(key)) return Object(checked(PyTuple_Pack(1, key)));
  if (PyTuple_Check(key)) return Object::borrowed(key);
  checked(PyErr_WarnEx(PyExc_UserWarning,
                       "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in "
                       "pytorch 2.9; use x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as "
                       "tensor index, x[torch.tensor(seq)], which will result either in an error or a different result",
                       1));
  return Object(checked(PyList_AsTuple(key)));
}

// Of several items, one that shows all of an axis shows nothing new.
void add_slice(Subscript& subscript, const Shape* shape, int axis, PyObject* slice, bool alone) {
  Py_ssize_t start, stop, step;
  checked(PySlice_Unpack(slice, &start, &stop, &step));
  if (step <= 0) fail(ErrorKind::kValue, "step must be greater than zero");
  if (shape->rank() == 0) fail(ErrorKind::kIndex, "slice() cannot be applied to a 0-dim tensor.");
  Py_ssize_t size = static_cast<Py_ssize_t>((*shape)[axis]);
  Py_ssize_t length = PySlice_AdjustIndices(size, &start, &stop, step);
  if (length == size && step == 1 && !alone) return;
  append(subscript.views, functions::narrow_views(shape, axis, std::min(start, size), length, step));
}

// Of a tensor of `shape`.
void add_advanced(Subscript& subscript, const Shape* shape, int axis, const ValuePtr& index) {
  const bool mask = is_mask(index);
  subscript.advanced = true;
  subscript.indices.resize(std::max(subscript.indices.size(), static_cast<std::size_t>(axis) + 1));
  subscript.indices[static_cast<std::size_t>(axis)] = build::cast(index, mask ? DType::kBool : DType::kInt64);
  if (!mask) {
    if (is_floating(index->dtype))
      fail(ErrorKind::kIndex, "tensors used as indices must be long, int, byte or bool tensors");
    subscript.masks = -1;
    return;
  }
  for (int k = 0; k < index->shape->rank(); ++k)
    if ((*index->shape)[k] != (*shape)[axis + k])
      fail(ErrorKind::kIndex, "The shape of the mask ", to_string(index->shape->dims(), '[', ']'), " at index ", k,
           " does not match the shape of the indexed tensor ", to_string(shape->dims(), '[', ']'), " at index ",
           axis + k);
  if (subscript.masks >= 0) ++subscript.masks;
  if (index->dtype == DType::kUInt8)
    checked(PyErr_WarnEx(PyExc_UserWarning,
                         "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
                         1));
}

// A tensor of positions, or a mask; one without axes is of a new axis.
void add_index(Subscript& subscript, const Shape* start, int axis, const ValuePtr& index) {
  const Shape* shape = shape_after(start, subscript.views);
  if (index->shape->rank() > 0 || !is_mask(index)) return add_advanced(subscript, shape, axis, index);
  append(subscript.views, functions::unsqueeze_views(shape, axis));
  add_advanced(subscript, shape_after(start, subscript.views), axis, build::reshape(index, Shape::of({1})));
}

// A 0-d tensor selects before others index. For one that is different in each example (vmap) one index does both, which
// puts the others' axes elsewhere if a slice lies in between.
void check_selects_first(const functions::Indices& indices) {
  bool selects = false, indexes = false, apart = false, gap = false;
  for (const ValuePtr& index : indices) {
    if (!index) {
      gap = selects || indexes;
      continue;
    }
    apart |= gap;
    (index->shape->rank() == 0 && index->has(kPerExample) ? selects : indexes) = true;
  }
  check(
      !(selects && indexes && apart),
      "vmap: a 0-d tensor as an index, a slice and another tensor as an index cannot be mapped over; select first, as "
      "in x[i][:, other]");
}

Subscript parse(const Shape* start, PyObject* key) {
  const Items items(as_tuple(key));
  Subscript subscript;
  int used = 0;
  for (Py_ssize_t i = 0; i < items.size(); ++i) used += items.axes_used(i);
  if (used > start->rank() && start->rank() == 0)
    fail(ErrorKind::kIndex,
         "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
         "0-dim tensor to a number");
  if (used > start->rank()) fail(ErrorKind::kIndex, "too many indices for tensor of dimension ", start->rank());
  bool joined = items.join_bools();
  int axis = 0;
  for (Py_ssize_t i = 0; i < items.size(); ++i) {
    PyObject* item = items[i];
    const Shape* shape = shape_after(start, subscript.views);
    if (item == Py_Ellipsis) {
      axis += start->rank() - used;
    } else if (item == Py_None) {
      append(subscript.views, functions::unsqueeze_views(shape, axis));
      ++axis;
    } else if (PyBool_Check(item)) {
      append(subscript.views, functions::unsqueeze_views(shape, axis));
      if (joined) {
        add_advanced(subscript, shape, axis++, build::full(Shape::of({item == Py_True}), 0, DType::kInt64));
        continue;
      }
      subscript.copies = true;
      if (item == Py_False) {
        const Shape* unsqueezed = shape_after(start, subscript.views);
        append(subscript.views, functions::narrow_views(unsqueezed, axis, 0, 0));
      }
      ++axis;
    } else if (PySlice_Check(item)) {
      add_slice(subscript, shape, axis, item, items.size() == 1);
      ++axis;
    } else if (const ValuePtr index = items.index(i)) {
      bool whole = index->shape->rank() == 0 && !is_mask(index) && !is_floating(index->dtype);
      // A 0-d integer tensor selects, unless it is not known yet what.
      if (whole && is_tensor(item) && !index->has(kPerExample)) {
        append(subscript.views, functions::select_views(shape, axis, *integer_from(item), static_cast<int>(i)));
      } else {
        add_index(subscript, start, axis, index);
        axis += std::max(items.axes_used(i), 1);
      }
    } else if (auto number = integer_from(item)) {
      append(subscript.views, functions::select_views(shape, axis, *number, static_cast<int>(i)));
    } else {
      fail(ErrorKind::kIndex,
           "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
           "indices (got ",
           printed_type(item), ")");
    }
  }
  check_selects_first(subscript.indices);
  return subscript;
}

// The value to write: PyTorch takes numbers and nested data, and tensors of any type that casts but where an index
// tensor says which elements to write. What one mask alone selects may be filled with one element of any type.
ValuePtr source_value(PyObject* object, DType dtype, bool casts) {
  if (is_tensor(object)) {
    ValuePtr value = value_of(object);
    return casts ? build::cast(value, dtype) : value;
  }
  if (auto number = number_from(object)) return number->stored_as(dtype);
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
      bool all = subscript.views.empty();
      if (all)
        subscript.views = {{Op::reshape, engine::current(variable)->shape, nullptr}};  // x[...]: a view of its own
      bool selects = subscript.views.back().op == Op::reshape && subscript.views.size() > 1;
      engine::Variable view = engine::view_of(variable, subscript.views);
      functions::labelled(view.value, all                                      ? "Alias"
                                      : selects                                ? "Select"
                                      : subscript.views.back().op == Op::slice ? "Slice"
                                                                               : "Unsqueeze");
      return wrap_view(self, std::move(view));
    }
    return wrap(functions::index(functions::apply(engine::current(variable), subscript.views), subscript.indices));
  });
}

// x[indices] with source there, or added: of each axis all (None), or what a tensor of positions or a mask says.
LAMINA_FUNCTION(kModule, _index_put, "input, indices, source, accumulate") {
  const ValuePtr& x = a.tensor(0);
  const Items items(Object(checked(PySequence_Tuple(a.object(1)))));
  Subscript subscript;
  int axis = 0;
  for (Py_ssize_t i = 0; i < items.size(); ++i) {
    const ValuePtr index = items.index(i);
    if (items[i] != Py_None && !index)
      fail(ErrorKind::kType, "index_put(): argument 'indices' must be tuple of Tensors, got ", printed_type(items[i]));
    const int used = index ? items.axes_used(i) : 1, rank = shape_after(x->shape, subscript.views)->rank();
    if (axis + used > rank) fail(ErrorKind::kIndex, "too many indices for tensor of dimension ", x->shape->rank());
    if (index) add_index(subscript, x->shape, axis, index);
    axis += std::max(used, 1);
  }
  ValuePtr put =
      functions::index_put(functions::apply(x, subscript.views), subscript.indices, a.tensor(2), a.flag(3, false));
  return wrap(build::reshape(put, x->shape));
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
        bool one = is_tensor(object) && value_of(object)->shape->numel() == 1;
        ValuePtr source = source_value(object, whole->dtype, !subscript.advanced || (subscript.masks == 1 && one));
        ValuePtr target = engine::current(view);
        source = to_device(std::move(source), target->device());
        if (subscript.advanced) {
          engine::assign(std::move(view), functions::index_put(target, subscript.indices, source, false));
        } else {
          while (source->shape->rank() > target->shape->rank() && (*source->shape)[0] == 1)
            source = build::reshape(source, Shape::of(source->shape->dims().subspan(1)));
          ValuePtr spread = functions::apply(source, functions::expand_views(source->shape, target->shape->dims()));
          ValuePtr fresh = engine::replacing(view, std::move(spread));
          engine::assign(std::move(view), std::move(fresh));
        }
        engine::current(variable);
        engine::flush_if_due();
        return 0;
      },
      -1);
}

}  // namespace lamina::bindings
