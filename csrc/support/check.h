// Errors that a user can cause: their kinds, and the one way to raise them.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace lamina {

// The Python exception that the binding layer raises for an Error.
enum class ErrorKind { kRuntime, kIndex, kType, kValue, kNotImplemented };

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

// Concatenates anything that can be streamed.
template <typename... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return std::move(out).str();
}

template <typename... Parts>
[[noreturn]] void fail(ErrorKind kind, const Parts&... parts) {
  throw Error(kind, text(parts...));
}

// Raises RuntimeError, PyTorch's choice for most misuse, unless `condition` holds.
template <typename... Parts>
void check(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail(ErrorKind::kRuntime, parts...);
}

}  // namespace lamina
