// The registry of public functions: a row gives a name, a signature in Python's notation and a body; functions of the
// module and methods of Tensor are made from the same rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bindings/devices.h"
#include "bindings/python.h"
#include "bindings/tensor_object.h"
#include "functions/operand.h"
#include "functions/reduce.h"

namespace lamina::bindings {

// "input, dim=None, keepdim=False, *, dtype=None": names, which may be left out, which are by keyword only. "*sizes"
// takes the rest of the positional arguments, either as they are or as one sequence.
class Signature {
 public:
  explicit Signature(const char* name, const char* text);

  const char* name() const { return name_; }
  std::size_t size() const { return parameters_.size(); }
  const std::string& parameter(std::size_t index) const { return parameters_[index].name; }
  int find(const char* parameter) const;  // its index, or -1

 private:
  friend class Arguments;
  struct Parameter {
    std::string name;
    PyObject* interned;
    bool required, keyword_only;
  };
  int find(PyObject* keyword) const;

  const char* name_;
  std::vector<Parameter> parameters_;
  int variadic_ = -1;  // the parameter that takes the rest
  std::size_t positional_ = 0;
  std::size_t required_ = 0;              // there is no required parameter from here on
  int layout_ = -1, memory_format_ = -1;  // parameters that take only constants of these types
};

inline constexpr std::size_t kMostParameters = 16;

// One call's arguments, by position in the signature. Absent ones and None are "not given" to the accessors with a
// default. All raise TypeError with the function's and the argument's name.
class Arguments {
 public:
  Arguments(const Signature& signature, PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names);

  bool given(std::size_t i) const { return values_[i] && values_[i] != Py_None; }
  PyObject* object(std::size_t i) const { return values_[i]; }

  PyObject* tensor_object(std::size_t i) const;
  const ValuePtr& tensor(std::size_t i) const { return value_of(tensor_object(i)); }
  ValuePtr tensor_or_null(std::size_t i) const { return given(i) ? tensor(i) : nullptr; }
  engine::Variable& variable(std::size_t i) const { return as_tensor(tensor_object(i))->variable; }
  functions::Operand operand(std::size_t i) const;
  std::optional<functions::Operand> optional_operand(std::size_t i) const;
  std::int64_t integer(std::size_t i) const;
  std::int64_t integer(std::size_t i, std::int64_t absent) const { return given(i) ? integer(i) : absent; }
  double number(std::size_t i) const;
  double number(std::size_t i, double absent) const { return given(i) ? number(i) : absent; }
  bool flag(std::size_t i, bool absent) const;
  // An int, or a sequence of ints.
  DimVector dims(std::size_t i) const;
  functions::Axes axes(std::size_t i) const { return given(i) ? functions::Axes(dims(i)) : std::nullopt; }
  // The rest of the positional arguments: ints, or one sequence of ints.
  DimVector rest_dims() const;
  bool rest_given() const { return rest_count_ > 0 || values_[static_cast<std::size_t>(signature_.variadic_)]; }
  // The dtype that stands alone where sizes might.
  std::optional<DType> rest_dtype() const;
  std::optional<DType> dtype(std::size_t i) const;
  MemoryFormat memory_format(MemoryFormat absent) const;
  const char* text(std::size_t i) const;  // null if absent
  std::vector<ValuePtr> tensors(std::size_t i) const;
  // Absent or None: the default device.
  Device device(std::size_t i) const { return device(i, default_device()); }
  Device device(std::size_t i, Device absent) const {
    return given(i) ? device_from(values_[i], signature_.name()) : absent;
  }

  [[noreturn]] void fail_type(std::size_t i, const char* expected) const;
  const Signature& signature() const { return signature_; }

 private:
  const Signature& signature_;
  PyObject* values_[kMostParameters] = {};
  PyObject* const* rest_ = nullptr;
  Py_ssize_t rest_count_ = 0;
};

using Body = PyObject* (*)(const Arguments& a);
enum class Where { kBoth, kModule, kMethod };

struct Registration {
  Registration(const char* name, PyCFunction function, PyCFunction method, Where where);
};

PyObject* call(const Signature& signature, Body body, PyObject* self, PyObject* const* args, Py_ssize_t count,
               PyObject* names);

// Null-terminated tables, kept for the life of the process.
PyMethodDef* method_definitions();
PyMethodDef* function_definitions();

// LAMINA_FUNCTION(kBoth, sum, "input, dim=None") { return wrap(...a.tensor(0)...); }
#define LAMINA_FUNCTION_AS(where, identifier, python_name, signature_text)                                         \
  static PyObject* body_##identifier(const Arguments& a);                                                          \
  static const Signature& signature_##identifier() {                                                               \
    static const auto* signature = new Signature(python_name, signature_text);                                     \
    return *signature;                                                                                             \
  }                                                                                                                \
  static PyObject* function_##identifier(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* names) {    \
    return call(signature_##identifier(), body_##identifier, nullptr, args, count, names);                         \
  }                                                                                                                \
  static PyObject* method_##identifier(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* names) { \
    return call(signature_##identifier(), body_##identifier, self, args, count, names);                            \
  }                                                                                                                \
  static const Registration registration_##identifier(                                                             \
      python_name, reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(function_##identifier)),                  \
      reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(method_##identifier)), Where::where);                  \
  static PyObject* body_##identifier([[maybe_unused]] const Arguments& a)
#define LAMINA_FUNCTION(where, name, signature_text) LAMINA_FUNCTION_AS(where, name, #name, signature_text)

}  // namespace lamina::bindings
