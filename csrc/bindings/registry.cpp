// Signatures, argument parsing, and the tables of functions and methods.
#include "bindings/registry.h"

#include <cstring>

#include "bindings/autocast.h"
#include "bindings/out_argument.h"
#include "bindings/scalars.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

struct Entry {
  const char* name;
  PyCFunction function, method;
  Where where;
};

std::vector<Entry>& entries() {
  static auto* all = new std::vector<Entry>;
  return *all;
}

PyMethodDef* definitions(bool methods) {
  auto* table = new std::vector<PyMethodDef>;
  for (const Entry& entry : entries()) {
    if (entry.where == (methods ? Where::kModule : Where::kMethod)) continue;
    table->push_back({entry.name, methods ? entry.method : entry.function, METH_FASTCALL | METH_KEYWORDS, nullptr});
  }
  table->push_back({nullptr, nullptr, 0, nullptr});
  return table->data();
}

std::string trimmed(const std::string& text) {
  std::size_t begin = text.find_first_not_of(' '), end = text.find_last_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

}  // namespace

Registration::Registration(const char* name, PyCFunction function, PyCFunction method, Where where) {
  entries().push_back({name, function, method, where});
}

PyMethodDef* method_definitions() { return definitions(true); }
PyMethodDef* function_definitions() { return definitions(false); }

Signature::Signature(const char* name, const char* text) : name_(name) {
  std::string all = text;
  bool keyword_only = false;
  for (std::size_t at = 0; at < all.size();) {
    std::size_t comma = std::min(all.find(',', at), all.size());
    std::string part = trimmed(all.substr(at, comma - at));
    at = comma + 1;
    if (part.empty()) continue;
    if (part == "*") {
      keyword_only = true;
      continue;
    }
    bool variadic = part[0] == '*';
    if (variadic) part.erase(0, 1);
    std::size_t equals = part.find('=');
    Parameter parameter;
    parameter.name = part.substr(0, equals);
    parameter.interned = checked(PyUnicode_InternFromString(parameter.name.c_str()));
    parameter.required = equals == std::string::npos && !variadic;
    parameter.keyword_only = keyword_only;
    if (variadic) {
      variadic_ = static_cast<int>(parameters_.size());
      keyword_only = true;
    } else if (!keyword_only) {
      ++positional_;
    }
    if (parameter.required) required_ = parameters_.size() + 1;
    parameters_.push_back(std::move(parameter));
  }
  layout_ = find("layout");
  memory_format_ = find("memory_format");
}

int Signature::find(const char* parameter) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (parameters_[i].name == parameter) return static_cast<int>(i);
  return -1;
}

int Signature::find(PyObject* keyword) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (parameters_[i].interned == keyword) return static_cast<int>(i);
  const char* text = PyUnicode_AsUTF8(keyword);
  if (!text) throw PythonError{};
  // NumPy's spellings.
  if (std::strcmp(text, "axis") == 0) text = "dim";
  if (std::strcmp(text, "keepdims") == 0) text = "keepdim";
  for (const char* name : {"self", "x", "a", "x1"})
    if (std::strcmp(text, name) == 0) text = "input";
  if (std::strcmp(text, "x2") == 0) text = "other";
  if (std::strcmp(text, "split_size") == 0) text = "split_size_or_sections";  // the method's name for it in PyTorch
  return find(text);
}

Arguments::Arguments(const Signature& signature, PyObject* self, PyObject* const* args, Py_ssize_t count,
                     PyObject* names)
    : signature_(signature) {
  std::size_t next = 0;
  if (self) values_[next++] = self;
  Py_ssize_t used = 0;
  for (; used < count && next < signature.positional_; ++used) values_[next++] = args[used];
  if (used < count) {
    if (signature.variadic_ < 0) {
      fail(ErrorKind::kType, signature.name_, "() takes at most ", signature.positional_, " positional arguments (",
           count + (self ? 1 : 0), " given)");
    }
    rest_ = args + used;
    rest_count_ = count - used;
  }
  if (names) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); ++i) {
      PyObject* keyword = PyTuple_GET_ITEM(names, i);
      int found = signature.find(keyword);
      if (found < 0)
        fail(ErrorKind::kType, signature.name_, "() got an unexpected keyword argument '", PyUnicode_AsUTF8(keyword),
             "'");
      auto index = static_cast<std::size_t>(found);
      if (values_[index])
        fail(ErrorKind::kType, signature.name_, "() got multiple values for argument '", PyUnicode_AsUTF8(keyword),
             "'");
      values_[index] = args[count + i];
    }
  }
  auto missing = [&](std::size_t i) { return !values_[i] && signature.parameters_[i].required; };
  for (std::size_t i = 0; i < signature.required_; ++i) {
    if (!missing(i)) continue;
    std::string names;
    int count = 0;
    for (; i < signature.required_; ++i)
      if (missing(i)) names += lamina::text(count++ ? ", \"" : "\"", signature.parameters_[i].name, "\"");
    fail(ErrorKind::kType, signature.name_, "() missing ", count, " required positional arguments: ", names);
  }
  if (auto i = static_cast<std::size_t>(signature.layout_);
      signature.layout_ >= 0 && given(i) && !is_layout(values_[i]))
    fail_type(i, "torch.layout");
  if (auto i = static_cast<std::size_t>(signature.memory_format_);
      signature.memory_format_ >= 0 && given(i) && !is_memory_format(values_[i]))
    fail_type(i, "torch.memory_format");
}

void Arguments::fail_type(std::size_t i, const char* expected) const {
  const auto& name = signature_.parameters_[i].name;
  if (!values_[i]) fail(ErrorKind::kType, signature_.name_, "() missing argument '", name, "' (", expected, ")");
  fail(ErrorKind::kType, signature_.name_, "(): argument '", name, "' (position ", i + 1, ") must be ", expected,
       ", not ", printed_type(values_[i]));
}

PyObject* Arguments::tensor_object(std::size_t i) const {
  if (!values_[i] || !is_tensor(values_[i])) fail_type(i, "Tensor");
  check_initialized(values_[i], signature_.name());
  return values_[i];
}

functions::Operand Arguments::operand(std::size_t i) const {
  if (values_[i] && is_tensor(values_[i])) return tensor(i);
  auto number = values_[i] ? number_from(values_[i]) : std::nullopt;
  if (!number) fail_type(i, "Tensor or Number");
  return *number;
}

std::optional<functions::Operand> Arguments::optional_operand(std::size_t i) const {
  if (!given(i)) return std::nullopt;
  return operand(i);
}

std::int64_t Arguments::integer(std::size_t i) const {
  auto number = values_[i] && !PyBool_Check(values_[i]) ? integer_from(values_[i]) : std::nullopt;
  if (!number) fail_type(i, "int");
  return *number;
}

double Arguments::number(std::size_t i) const {
  if (values_[i] && PyFloat_CheckExact(values_[i])) return PyFloat_AS_DOUBLE(values_[i]);
  functions::Operand operand = this->operand(i);
  if (operand.is_number()) return operand.as_double();
  Object real(checked(PyNumber_Float(values_[i])));
  return PyFloat_AS_DOUBLE(real.get());
}

bool Arguments::flag(std::size_t i, bool absent) const {
  if (!given(i)) return absent;
  if (!PyBool_Check(values_[i]) && !PyLong_Check(values_[i])) fail_type(i, "bool");
  return PyObject_IsTrue(values_[i]) == 1;
}

namespace {
// True is no size; further elements may be bools, in PyTorch too.
bool begins_with_bool(PyObject* object) {
  return (PyList_Check(object) || PyTuple_Check(object)) && PySequence_Fast_GET_SIZE(object) > 0 &&
         PyBool_Check(PySequence_Fast_GET_ITEM(object, 0));
}
}  // namespace

DimVector Arguments::dims(std::size_t i) const {
  if (values_[i]) {
    if (auto one = integer_from(values_[i])) return {*one};
    if (auto many = dims_from(values_[i]); many && !begins_with_bool(values_[i])) return *many;
  }
  fail_type(i, "tuple of ints");
}

DimVector Arguments::rest_dims() const {
  auto index = static_cast<std::size_t>(signature_.variadic_);
  if (values_[index]) return dims(index);  // by keyword
  if (rest_count_ == 1) {
    if (auto many = dims_from(rest_[0]); many && !begins_with_bool(rest_[0])) return *many;
  }
  // One list or tuple of something else than ints: name the item, not the list.
  bool sequence = rest_count_ == 1 && (PyList_Check(rest_[0]) || PyTuple_Check(rest_[0]));
  DimVector dims;
  for (Py_ssize_t i = 0; i < (sequence ? PySequence_Fast_GET_SIZE(rest_[0]) : rest_count_); ++i) {
    PyObject* item = sequence ? PySequence_Fast_GET_ITEM(rest_[0], i) : rest_[i];
    auto number = integer_from(item);
    if (!number || (i == 0 && PyBool_Check(item)))
      fail(ErrorKind::kType, signature_.name_, "(): argument '", signature_.parameters_[index].name,
           "' must be a sequence of ints, got ", printed_type(item), " at position ", i);
    dims.push_back(*number);
  }
  return dims;
}

std::optional<DType> Arguments::rest_dtype() const { return rest_count_ == 1 ? dtype_from(rest_[0]) : std::nullopt; }

std::optional<DType> Arguments::dtype(std::size_t i) const {
  if (!given(i)) return std::nullopt;
  auto dtype = dtype_from(values_[i]);
  if (!dtype) fail_type(i, kDTypeText);
  return dtype;
}

const char* Arguments::text(std::size_t i) const {
  if (!given(i)) return nullptr;
  if (!PyUnicode_Check(values_[i])) fail_type(i, "str");
  const char* text = PyUnicode_AsUTF8(values_[i]);
  if (!text) throw PythonError{};
  return text;
}

std::vector<ValuePtr> Arguments::tensors(std::size_t i) const {
  if (!values_[i] || !(PyTuple_Check(values_[i]) || PyList_Check(values_[i]))) fail_type(i, "tuple of Tensors");
  std::vector<ValuePtr> result;
  Py_ssize_t size = PySequence_Fast_GET_SIZE(values_[i]);
  for (Py_ssize_t k = 0; k < size; ++k) {
    PyObject* item = PySequence_Fast_GET_ITEM(values_[i], k);
    if (!is_tensor(item))
      fail(ErrorKind::kType, signature_.name_, "(): expected Tensor as element ", k, " in argument ", i, ", but got ",
           printed_type(item));
    check_initialized(item, signature_.name());
    result.push_back(value_of(item));
  }
  return result;
}

namespace {

// The index of the keyword argument out=, or -1.
Py_ssize_t find_out(PyObject* names) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); ++i)
    if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), "out") == 0) return i;
  return -1;
}

// What makes tensors (zeros, arange, rand …) makes them of out's type, and gives out its size without a warning.
bool makes_tensors(const Signature& signature) {
  return signature.find("requires_grad") >= 0 && signature.find("dtype") >= 0;
}

void follow_dtype(PyObject* given, DType out) {
  auto dtype = dtype_from(given);
  if (given != Py_None && dtype)
    check(*dtype == out, "dtype ", functions::scalar_name(*dtype), " does not match dtype of out parameter (",
          functions::scalar_name(out), ")");
}

// Every function takes out=, though none has it in its signature; methods do not.
PyObject* call_with_out(const Signature& signature, Body body, PyObject* const* args, Py_ssize_t count, PyObject* names,
                        Py_ssize_t out) {
  std::vector<PyObject*> others(args, args + count);
  Object kept(checked(PyList_New(0)));
  static PyObject* dtype = PyUnicode_InternFromString("dtype");
  bool makes = is_tensor(args[count + out]) && makes_tensors(signature), typed = false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); ++i) {
    PyObject* name = PyTuple_GET_ITEM(names, i);
    if (i == out) continue;
    if (makes && PyUnicode_Compare(name, dtype) == 0) {
      follow_dtype(args[count + i], value_of(args[count + out])->dtype);
      typed = args[count + i] != Py_None;
      if (!typed) continue;
    }
    if (!makes && is_tensor(args[count + out]) && PyUnicode_Compare(name, dtype) == 0)
      if (auto wanted = dtype_from(args[count + i]))
        check(*wanted == value_of(args[count + out])->dtype, "Expected out tensor to have dtype ", name_of(*wanted),
              ", but got ", name_of(value_of(args[count + out])->dtype), " instead");
    others.push_back(args[count + i]);
    checked(PyList_Append(kept.get(), name));
  }
  if (makes && !typed) {
    others.push_back(dtype_object(value_of(args[count + out])->dtype));
    checked(PyList_Append(kept.get(), dtype));
  }
  Object keywords(checked(PyList_AsTuple(kept.get())));
  for (std::size_t i = 0; i < others.size(); ++i) check_no_partial_overlap(others[i], args[count + out]);
  Object result(checked(body(Arguments(signature, nullptr, others.data(), count, keywords.get()))));
  return put_into_out(signature.name(), std::move(result), args[count + out], makes);
}

// With what autocast makes of the arguments.
PyObject* call_cast(functions::Precision precision, const Signature& signature, Body body, PyObject* self,
                    PyObject* const* args, Py_ssize_t count, PyObject* names) {
  std::vector<PyObject*> given;
  if (self) given.push_back(self);
  given.insert(given.end(), args, args + count + (names ? PyTuple_GET_SIZE(names) : 0));
  CastArguments converted(precision, given.data(), given.size());
  PyObject* const* first = converted.data();
  return body(Arguments(signature, self ? *first : nullptr, self ? first + 1 : first, count, names));
}

}  // namespace

PyObject* call(const Signature& signature, Body body, PyObject* self, PyObject* const* args, Py_ssize_t count,
               PyObject* names) {
  return guarded([&] {
    if (names && !self) {
      if (Py_ssize_t out = find_out(names); out >= 0) return call_with_out(signature, body, args, count, names, out);
    }
    if (functions::autocasts()) [[unlikely]] {
      if (auto precision = precision_of_row(signature.name()))
        return call_cast(*precision, signature, body, self, args, count, names);
    }
    return body(Arguments(signature, self, args, count, names));
  });
}

}  // namespace lamina::bindings
