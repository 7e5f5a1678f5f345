// Numbers from and to the outside.
#include "bindings/exchange.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "bindings/scalars.h"
#include "bindings/tensor_object.h"
#include "engine/flush.h"
#include "functions/operand.h"
#include "functions/views.h"
#include "kernels/table.h"
#include "ops/build.h"
#include "ops/view_layout.h"
#include "runtime/buffer.h"
#include "runtime/steps.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

struct BufferFormat {
  DType dtype;
  bool swapped;
};

// NumPy's name of the element type, or the buffer's own letters.
std::string type_name(PyObject* array, const Py_buffer& view) {
  Object dtype(PyObject_GetAttrString(array, "dtype"));
  Object type(dtype ? PyObject_GetAttrString(dtype.get(), "type") : nullptr);
  Object name(type ? PyObject_GetAttrString(type.get(), "__name__") : nullptr);
  PyErr_Clear();
  if (name && PyUnicode_Check(name.get())) return std::string("numpy.") + PyUnicode_AsUTF8(name.get());
  return view.format ? view.format : "B";
}

// The struct module's letters. NumPy's unsupported types raise by name.
BufferFormat format_of(const Py_buffer& view, PyObject* array) {
  const char* text = view.format ? view.format : "B";
  bool swapped = *text == '>' || *text == '!';
  if (std::strchr("<>=@!", *text)) ++text;
  if (std::strcmp(text, "Zf") == 0) return {DType::kComplex64, swapped};
  if (std::strcmp(text, "Zd") == 0) return {DType::kComplex128, swapped};
  char letter = text[0] && !text[1] ? text[0] : '?' + 1;
  auto sized = [&](DType small, DType large) { return view.itemsize == 8 ? large : small; };
  switch (letter) {
    case '?':
      return {DType::kBool, false};
    case 'B':
      return {DType::kUInt8, false};
    case 'b':
      return {DType::kInt8, false};
    case 'h':
      return {DType::kInt16, swapped};
    case 'e':
      return {DType::kFloat16, swapped};
    case 'i':
    case 'l':
    case 'q':
      return {sized(DType::kInt32, DType::kInt64), swapped};
    case 'f':
      return {DType::kFloat32, swapped};
    case 'd':
      return {DType::kFloat64, swapped};
    default:
      fail(ErrorKind::kType, "can't convert np.ndarray of type ", type_name(array, view),
           ". The only supported types are: float64, float32, float16, complex64, complex128, int64, int32, int16, "
           "int8, uint8, and bool. Convert it first, for example with .astype('float32').");
  }
}

struct BufferView {
  Py_buffer view{};
  bool open = false;

  explicit BufferView(PyObject* object, bool writable) {
    int flags = PyBUF_STRIDES | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object, &view, flags) == 0) {
      open = true;
    } else if (writable) {  // read-only memory
      PyErr_Clear();
      checked(PyObject_GetBuffer(object, &view, PyBUF_STRIDES | PyBUF_FORMAT));
      open = true;
    } else {
      throw PythonError{};
    }
  }
  BufferView(const BufferView&) = delete;
  BufferView& operator=(const BufferView&) = delete;
  ~BufferView() {
    if (open) PyBuffer_Release(&view);
  }

  const Shape* shape() const {
    DimVector dims;
    for (int axis = 0; axis < view.ndim; ++axis) dims.push_back(view.shape[axis]);
    return Shape::of(dims);
  }
};

void release_buffer(void* context) { delete static_cast<BufferView*>(context); }

// Gives the value the order of the array that it was made from.
void show_order(Value* value, const Py_buffer& view) {
  DimVector strides;
  for (int axis = 0; axis < view.ndim; ++axis) {
    if (view.strides[axis] < 0 || view.strides[axis] % view.itemsize != 0) return;
    strides.push_back(view.strides[axis] / view.itemsize);
  }
  show_strides(value, preserved_strides(value->shape, strides));
}

}  // namespace

ValuePtr fresh_value(const Shape* shape, DType dtype) {
  StoragePtr storage = runtime::allocate(static_cast<std::size_t>(shape->numel()) * size_of(dtype));
  return make_leaf(std::move(storage), shape, dtype);
}

// Copies element by element: any strides, alignment and byte order.
ValuePtr copy_of_buffer(PyObject* array) {
  BufferView buffer(array, false);
  BufferFormat format = format_of(buffer.view, array);
  const Shape* shape = buffer.shape();
  ValuePtr value = fresh_value(shape, format.dtype);
  std::size_t size = size_of(format.dtype);
  auto* out = engine::data_of(value.get());
  std::int64_t numel = shape->numel();
  if (PyBuffer_IsContiguous(&buffer.view, 'C') && !format.swapped) {
    std::memcpy(out, buffer.view.buf, static_cast<std::size_t>(numel) * size);
  } else {
    DimVector coordinates(static_cast<std::size_t>(shape->rank()), 0);
    const auto* from = static_cast<const std::byte*>(buffer.view.buf);
    const std::size_t part = size_of(part_type(format.dtype));  // of a complex number each part is swapped by itself
    for (std::int64_t i = 0; i < numel; ++i, out += size) {
      for (std::size_t byte = 0; byte < size; ++byte)
        out[format.swapped ? byte / part * part + part - 1 - byte % part : byte] = from[byte];
      for (std::size_t axis = coordinates.size(); axis-- > 0;) {
        from += buffer.view.strides[axis];
        if (++coordinates[axis] < shape->dims()[axis]) break;
        from -= buffer.view.strides[axis] * coordinates[axis];
        coordinates[axis] = 0;
      }
    }
  }
  show_order(value.get(), buffer.view);
  if (format.dtype == DType::kBool) {  // a foreign bool may hold any byte
    auto* bytes = reinterpret_cast<std::uint8_t*>(engine::data_of(value.get()));
    for (std::int64_t i = 0; i < numel; ++i) bytes[i] = bytes[i] != 0;
  }
  return value;
}

PyObject* owner_of(const Storage* storage) {
  auto* buffer = static_cast<BufferView*>(runtime::external_context(storage, release_buffer));
  return buffer ? buffer->view.obj : nullptr;
}

ValuePtr value_over_buffer(PyObject* array) {
  if (!PyObject_CheckBuffer(array)) fail(ErrorKind::kType, "expected np.ndarray (got ", printed_type(array), ")");
  auto buffer = std::make_unique<BufferView>(array, true);
  BufferFormat format = format_of(buffer->view, array);
  if (format.swapped)
    fail(ErrorKind::kValue,
         "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
         "currently not supported: use array.astype(array.dtype.newbyteorder('=')).");
  const Shape* shape = buffer->shape();
  auto size = static_cast<std::int64_t>(size_of(format.dtype));
  DimVector strides;
  for (int axis = 0; axis < shape->rank(); ++axis) {
    std::int64_t bytes = buffer->view.strides[axis];
    if (bytes < 0 && (*shape)[axis] > 1)
      fail(
          ErrorKind::kValue,
          "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
          "currently supported. (You can probably work around this by making a copy of your array with array.copy().)");
    if (bytes % size != 0 && (*shape)[axis] > 1)
      fail(ErrorKind::kValue,
           "given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate the "
           "memory.");
    strides.push_back((*shape)[axis] > 1 ? bytes / size : 1);
  }
  if (reinterpret_cast<std::uintptr_t>(buffer->view.buf) % static_cast<std::uintptr_t>(size) != 0)
    fail(ErrorKind::kValue,
         "given numpy array is not aligned to its element size. Copy the numpy array to reallocate the memory.");
  const Py_buffer view = buffer->view;
  void* data = view.buf;
  bool read_only = buffer->view.readonly != 0;
  auto bytes = static_cast<std::size_t>(buffer->view.len);
  StoragePtr storage = runtime::wrap_external(data, bytes, release_buffer, buffer.get(), read_only);
  buffer.release();
  storage->external_holders = 1;  // read-only or not: another view of the array may write
  ValuePtr value = make_leaf(std::move(storage), shape, format.dtype, {0, strides_attribute(shape, strides)});
  if (is_dense(shape, strides)) show_order(value.get(), view);
  return value;
}

// The value is held, for another thread may change the tensor meanwhile.
PyObject* number_object(ValuePtr value) {
  check(!value->has(kMeta), "Tensor.item() cannot be called on meta tensors");
  engine::realize(value.get());
  return element_object(value->dtype, engine::data_of(value.get()));
}

void fail_meta_array() {
  fail(ErrorKind::kType,
       "can't convert meta device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.");
}

void prepare_export(engine::Variable& variable) {
  const ValuePtr& value = engine::current(variable);
  if (value->dtype == DType::kBFloat16 || value->dtype == DType::kComplex32)
    fail(ErrorKind::kType, "Got unsupported ScalarType ", functions::scalar_name(value->dtype),
         ": NumPy has no such type. Use tensor.", is_complex(value->dtype) ? "cfloat" : "float", "() first");
  if (value->has(kMeta)) fail_meta_array();
  engine::make_exportable(variable);
}

PyObject* list_from_value(const ValuePtr& value) {
  ValuePtr plain = build::detach(value);
  engine::realize(plain.get());
  DimVector strides = strides_of(plain->shape, plain->layout);
  auto size = static_cast<std::int64_t>(size_of(plain->dtype));
  auto nested = [&](auto&& self, int axis, const std::byte* at) -> PyObject* {
    if (axis == plain->shape->rank()) return element_object(plain->dtype, at);
    Object list(checked(PyList_New((*plain->shape)[axis])));
    for (std::int64_t i = 0; i < (*plain->shape)[axis]; ++i)
      PyList_SET_ITEM(list.get(), i, self(self, axis + 1, at + i * strides[static_cast<std::size_t>(axis)] * size));
    return list.release();
  };
  return nested(nested, 0, engine::data_of(plain.get()));
}

int tensor_get_buffer(PyObject* self, Py_buffer* view, int flags) {
  view->obj = nullptr;
  return guarded(
      [&] {
        engine::Variable& variable = as_tensor(self)->variable;
        if (engine::current(variable)->requires_grad()) {
          PyErr_SetString(PyExc_BufferError,
                          "Can't export the memory of a Tensor that requires grad. Use tensor.detach() first.");
          throw PythonError{};
        }
        prepare_export(variable);
        const ValuePtr& value = variable.value;
        DimVector strides = strides_of(value->shape, value->layout);
        auto size = static_cast<Py_ssize_t>(size_of(value->dtype));
        if ((flags & PyBUF_STRIDES) != PyBUF_STRIDES && value->layout.strides) {
          PyErr_SetString(PyExc_BufferError, "the tensor is not contiguous");
          throw PythonError{};
        }
        if ((flags & PyBUF_WRITABLE) && value->storage->read_only) {
          PyErr_SetString(PyExc_BufferError, "the tensor's memory is read-only");
          throw PythonError{};
        }
        auto rank = static_cast<std::size_t>(value->shape->rank());
        // Sizes, then strides, then what release needs.
        auto* numbers = new Py_ssize_t[2 * rank + 1];
        for (std::size_t axis = 0; axis < rank; ++axis) {
          numbers[axis] = value->shape->dims()[axis];
          numbers[rank + axis] = strides[axis] * size;
        }
        static const char* const kFormats[] = {"?",     "B", "b", "h",     "i",  "q", "e",
                                               nullptr, "f", "d", nullptr, "Zf", "Zd"};
        Storage* storage = value->storage;
        numbers[2 * rank] = static_cast<Py_ssize_t>(reinterpret_cast<std::uintptr_t>(storage));
        retain(storage);
        expose(storage);
        view->buf = engine::data_of(value.get());
        view->obj = Object::borrowed(self).release();
        view->len = value->shape->numel() * size;
        view->itemsize = size;
        view->readonly = storage->read_only;
        view->ndim = static_cast<int>(rank);
        view->format = flags & PyBUF_FORMAT ? const_cast<char*>(kFormats[index_of(value->dtype)]) : nullptr;
        view->shape = flags & PyBUF_ND ? numbers : nullptr;
        view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? numbers + rank : nullptr;
        view->suboffsets = nullptr;
        view->internal = numbers;
        return 0;
      },
      -1);
}

void tensor_release_buffer(PyObject*, Py_buffer* view) {
  auto* numbers = static_cast<Py_ssize_t*>(view->internal);
  auto* storage = reinterpret_cast<Storage*>(numbers[2 * view->ndim]);
  --storage->external_holders;
  release(storage);
  delete[] numbers;
}

}  // namespace lamina::bindings
