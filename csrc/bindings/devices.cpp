// Devices from and to Python, and the default one.
#include "bindings/devices.h"

#include <cstring>
#include <vector>

#include "bindings/registry.h"
#include "support/check.h"

namespace lamina::bindings {

namespace {

thread_local std::vector<Device> t_defaults{Device::kCpu};  // the innermost one last

// lamina.device(object)
PyObject* make_device(PyObject* object) {
  Object module(checked(PyImport_ImportModule("lamina.devices")));
  Object type(checked(PyObject_GetAttrString(module.get(), "device")));
  return checked(PyObject_CallOneArg(type.get(), object));
}

PyObject* make_device(Device device) {
  Object name(checked(PyUnicode_FromString(name_of(device))));
  return make_device(name.get());
}

}  // namespace

PyObject* device_object(Device device) {
  static PyObject* const kObjects[] = {make_device(Device::kCpu), make_device(Device::kMeta)};
  return kObjects[static_cast<std::size_t>(device)];
}

Device device_from(PyObject* object, const char* function) {
  for (Device device : {Device::kCpu, Device::kMeta}) {
    if (object == device_object(device)) return device;
    if (PyUnicode_Check(object) && PyUnicode_CompareWithASCIIString(object, name_of(device)) == 0) return device;
  }
  const bool is_device = Py_TYPE(object) == Py_TYPE(device_object(Device::kCpu));
  Object made(is_device ? Py_NewRef(object) : make_device(object));
  Object type(checked(PyObject_GetAttrString(made.get(), "type")));
  const char* name = PyUnicode_AsUTF8(type.get());
  if (!name) throw PythonError{};
  for (Device device : {Device::kCpu, Device::kMeta})
    if (std::strcmp(name, name_of(device)) == 0) return device;
  Object text(checked(PyObject_Str(made.get())));
  fail(ErrorKind::kRuntime, function, "(): lamina computes on the CPU only, got device '", PyUnicode_AsUTF8(text.get()),
       "'");
}

Device default_device() { return t_defaults.back(); }

LAMINA_FUNCTION(kModule, get_default_device, "") { return Py_NewRef(device_object(default_device())); }
LAMINA_FUNCTION(kModule, set_default_device, "device") {
  t_defaults.back() = a.device(0, Device::kCpu);
  Py_RETURN_NONE;
}
// A default for what comes before _leave_device().
LAMINA_FUNCTION(kModule, _enter_device, "device") {
  t_defaults.push_back(a.device(0));
  Py_RETURN_NONE;
}
LAMINA_FUNCTION(kModule, _leave_device, "") {
  check(t_defaults.size() > 1, "_leave_device() without _enter_device()");
  t_defaults.pop_back();
  Py_RETURN_NONE;
}

}  // namespace lamina::bindings
