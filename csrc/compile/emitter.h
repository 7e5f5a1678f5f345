// What the emit functions of single ops share: locations, temporaries, and making operands contiguous.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compile/find_compounds.h"
#include "compile/program.h"
#include "support/check.h"

namespace lamina {

class Emitter {
 public:
  Emitter(Program& program, Plan& plan, bool with_notes);

  void emit(std::uint32_t index);
  void emit_group(const std::vector<std::uint32_t>& members, const std::vector<bool>& stored);

 private:
  Location location(std::uint32_t node, std::int64_t extra_elements = 0) const;
  // Memory that no value owns, for this step and the next.
  Location temporary(const Shape* shape, DType dtype);
  // The node's elements in row-major order: where they are if they lie so, else a copy.
  Location contiguous(std::uint32_t node);
  // `to` is a place inside of a larger block when to_strides are given.
  void copy(std::uint32_t from, const Shape* space, Location to, DimVector to_strides = {});
  void copy(Location from, DimVector dims, DimVector from_strides, Location to, DimVector to_strides, DType dtype);

  void emit_reduce(std::uint32_t index);
  // Lets sums along long rows compute what they sum where a kernel can.
  void find_sums(const std::vector<std::uint32_t>& members, const std::vector<bool>& stored,
                 std::vector<Computed>& computed) const;
  void find_last_readers(const std::vector<std::uint32_t>& members, const std::vector<Computed>& computed);
  // The reduction `index`; what it reduces is filled in by the caller.
  ElementwiseStep::Reduction& add_reduction(ElementwiseStep& step, std::uint32_t index);
  void emit_standardize(std::uint32_t index);
  void emit_fourier(std::uint32_t index);
  void emit_matmul(std::uint32_t index);
  // Where the step finds its factors, in what strides.
  void read_factors(const Node& node, MatmulStep& step);
  void read_joined(const Node& node, MatmulStep& step);
  // Where a matrix is that has been turned round, because many products of few rows read it so; none if it has not.
  std::optional<Location> turned(std::uint32_t matrix);
  // Matrices one below the other, `rows` in all, in memory of their own.
  Location stacked(const NodeVector& matrices, std::int64_t rows);
  void emit_convolution(std::uint32_t index);
  bool emit_as_product(const ConvolutionStep& step, const char* name);
  void emit_max_pool(std::uint32_t index);
  void emit_window_sums(std::uint32_t index);
  void emit_extend(std::uint32_t index);
  void emit_rows(std::uint32_t index);
  void emit_index(std::uint32_t index);
  void emit_weighed(std::uint32_t index);
  void emit_slice_update(std::uint32_t index);
  void emit_cat(std::uint32_t index);

  void add(Step step, std::string note, double nanoseconds);
  // What stands in the plan's notes, if somebody will read them.
  template <typename... Parts>
  std::string note(const Parts&... parts) const {
    return with_notes_ ? text(parts...) : std::string();
  }
  std::string note_of_group(const std::vector<std::uint32_t>& members) const;

  Program& program_;
  Plan& plan_;
  const bool with_notes_;
  std::vector<std::uint32_t> last_reader_;  // of what the group being emitted reads
  // Of matrices that products of few rows read transposed: by how many, and the copy.
  struct Transposed {
    std::uint32_t readers = 0;
    std::optional<Location> copy;
  };
  std::unordered_map<std::uint32_t, Transposed> transposed_;
};

}  // namespace lamina
