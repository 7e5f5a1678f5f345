// Devices as Python sees them: instances of lamina.device.
#pragma once

#include "bindings/python.h"
#include "support/device.h"

namespace lamina::bindings {

// Borrowed, and the same object every time.
PyObject* device_object(Device device);

// A lamina.device, or what its constructor takes. Raises its errors, and RuntimeError, naming the function, for a
// device on which lamina has nothing.
Device device_from(PyObject* object, const char* function);

// Where tensors are made if nobody says where; each thread has its own.
Device default_device();

}  // namespace lamina::bindings
