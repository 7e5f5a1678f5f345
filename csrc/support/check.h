// Errors that a user can cause: their kinds, and the one way to raise them.
#pragma once

#include <concepts>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
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

// A stream costs a microsecond: what needs none goes without.
template <typename Part>
void append_text(std::string& to, const Part& part) {
  if constexpr (std::convertible_to<const Part&, std::string_view>) {
    to += std::string_view(part);
  } else if constexpr (std::integral<Part> && sizeof(Part) > 1) {
    to += std::to_string(part);
  } else {
    std::ostringstream out;
    out << part;
    to += std::move(out).str();
  }
}

// Concatenates anything that can be streamed.
template <typename... Parts>
std::string text(const Parts&... parts) {
  std::string out;
  (append_text(out, parts), ...);
  return out;
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
