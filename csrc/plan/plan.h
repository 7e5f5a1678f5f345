// Plan: a compiled tape as plain frozen data (but for Stretch::pace): steps in order, and where their operands lie.
//
// A plan knows no values, no tape and no addresses. The runtime is given a table of base pointers, one a slot:
// slot 0 is the arena (temporaries), then come the inputs, the scalars and the outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "plan/pace.h"
#include "support/dtype.h"
#include "support/kernel_ids.h"
#include "support/small_vector.h"

namespace lamina {

// A place in memory: the slot's base pointer plus bytes.
struct Location {
  std::uint32_t slot = 0;
  std::int64_t offset = 0;
};

// A fused chain: one pass over the iteration space in tiles that stay in L1.
struct ElementwiseStep {
  enum class Kind : std::uint8_t {
    kContiguous,  // read from, or written to, memory in the iteration's order
    kStrided,     // gathered into a tile first
    kScattered,   // written in strides: neighbors where they belong, others to a tile first
    kUniform,     // one element for all: a tile filled once
    kTemporary    // a tile
  };
  // What instructions read and write, a tile at a time.
  struct Register {
    Kind kind;
    std::uint8_t element_size;
    std::uint16_t tile;  // which scratch tile (all kinds but kContiguous)
    Location location;   // all kinds but kTemporary
    DimVector strides;   // kStrided, kScattered: in elements, one a dimension of the iteration space
    bool few;            // where an element repeats, a few copies of it do: only compounds read them
  };
  struct Instruction {
    enum class Kind : std::uint8_t { kKernel, kCast, kCompound };
    Kind kind;
    Elementwise kernel;
    Compound compound;
    DType dtype;  // of the operands; a cast's source
    DType to;     // a cast's target
    std::uint8_t arity;
    std::uint16_t out;
    std::uint16_t in[kMostOperands];
  };
  // What a register's elements, or what a formula makes of two, come to. The space is then [outer][n][inner], and n is
  // what is reduced: `part` of it at a time, the results of more than one part lying in `parts`, [outer][parts][inner].
  struct Reduction {
    Reduce kernel;  // sum, prod, amax or amin
    DType dtype;
    std::uint8_t arity;  // of the formula `of`, which is summed along long rows; 0: none, in[0] itself is reduced
    SumOf of;
    std::uint16_t in[kMostTerms];
    Location out, parts;
  };
  DimVector dims;  // collapsed
  std::int64_t numel;
  std::vector<Register> registers;
  std::vector<Instruction> instructions;
  std::uint16_t tiles;
  std::vector<Reduction> reductions;
  std::int64_t outer, n, inner, part;
  bool read_soon = false;     // by a step of the same block of rows: results stay in the caches
  bool follows_sums = false;  // over rows, which it reads, and updates what nobody else needs: right behind them

  std::int64_t parts() const { return (n + part - 1) / part; }
};

// Elements from one strided place to another.
struct CopyStep {
  DimVector dims;  // collapsed
  DimVector from_strides, to_strides;
  std::uint8_t element_size;
  Location from, to;
};

// in is [outer][n][inner] contiguous, out [outer][inner].
struct ReduceStep {
  Reduce kernel;
  DType dtype;
  std::int64_t outer, n, inner;
  Location in, out;
};

// Along n of [outer][n][inner], contiguous.
struct RowwiseStep {
  Rowwise kernel;
  DType dtype;
  std::int64_t outer, n, inner;
  Location in, out;
  bool read_soon = false;  // as of an elementwise step
};

// Along n of [outer][n][inner], contiguous.
struct ScanStep {
  Scan kernel;
  DType dtype, out_dtype;
  std::int64_t outer, n, inner;
  Location in, out;
};

// in is [rows][n], out [rows][count].
struct ArgsortStep {
  DType dtype;
  bool descending;
  std::int64_t rows, n, count;
  Location in, out;
};

// Rows of n elements, contiguous, to mean 0 and variance 1, their columns times scale plus shift. back: the gradient by
// x, from `gradient`; then also the gradients of scale and shift, from every `part` rows, [parts][n].
struct StandardizeStep {
  bool back, has_scale, has_shift, sums_scale, sums_shift;
  DType dtype;
  std::int64_t rows, n, part;
  double eps;
  Location gradient, x, out, scale, shift, scale_parts, shift_parts;
  bool read_soon = false;  // as of an elementwise step

  bool sums() const { return sums_scale || sums_shift; }
  std::int64_t parts() const { return (rows + part - 1) / part; }
};

// Where each of `count` numbers a row belongs in the row's sorted `length` elements; one row (rows is 1) may serve all.
struct SearchStep {
  DType dtype;
  bool behind_equals;
  std::int64_t rows, length, count;
  Location sorted, numbers, out;
};

// X with a X = b, matrix by matrix: a is [matrices][n][n], b and x [matrices][n][m]; a lower triangle, or an upper one,
// whose places are swapped if transposed. unit: its diagonal is not read and counts as ones.
struct SolveTriangleStep {
  DType dtype;
  bool upper, transposed, unit;
  std::int64_t matrices, n, m;
  Location a, b, x;
};

// Transforms of n points along the middle axis of [outer][in_places][inner], contiguous, to [outer][out_places][inner];
// dtype: of real numbers, and of the parts of complex ones. See ops/op_list.inc.
struct FourierStep {
  Fourier kind;
  DType dtype;
  bool inverse, adjoint;
  std::int64_t outer, n, inner, in_places, out_places;
  double scale;
  Location in, out;

  std::int64_t in_parts() const { return kind == Fourier::half ? 1 : 2; }  // floats of an element
  std::int64_t out_parts() const { return kind == Fourier::real ? 1 : 2; }
  bool paired() const { return kind != Fourier::complex && n % 2 == 0; }  // real points, two as a complex one
  std::int64_t points() const { return paired() ? n / 2 : n; }            // complex ones
};

// In elements.
using Offsets = SmallVector<std::ptrdiff_t, 1>;

// c = relu(a @ b + bias + addend), then 0 where mask is <= 0; updated = base - c * rate. See kernels/table.h.
struct MatmulStep {
  DType dtype;
  bool has_bias, has_addend, relu, has_mask, has_update;
  std::int64_t m, n, k;
  std::int64_t a_row, a_column, b_row, b_column;  // strides in elements
  Offsets a_offsets, b_offsets, c_offsets;        // a batch entry each, in elements
  Location a, b, bias, c;
  Location addend, mask, base, rate, updated;  // all but rate lie as c does
};

// Windows over images: x (images, channels, height, width), weight (out, channels / groups, height, width), y (images,
// out, height, width), of which `kind` says which is written. Pairs are vertical, horizontal.
struct ConvolutionStep {
  using Pair = std::int64_t[2];
  Convolution kind;
  DType dtype;
  std::int64_t images, channels, out, groups;
  Pair x_size, window, y_size, stride, padding, dilation;
  Location x, weight, y;
  Location rearranged;  // input: memory for the weight in another order
};

// Positions of the largest elements of windows over planes.
struct MaxPoolStep {
  using Pair = std::int64_t[2];
  DType dtype;
  std::int64_t planes;
  Pair x_size, y_size, window, stride, padding, dilation;
  Location x, positions;
};

// Sums of windows over planes; back: of the windows that see an element, of which in_size says how many there are.
struct WindowSumsStep {
  using Pair = std::int64_t[2];
  bool back;
  DType dtype;
  std::int64_t planes;
  Pair in_size, out_size, window, stride, padding;
  Location in, out;
};

// Planes (depth, height, width) y that reach beyond the borders of x, or not as far; back: x, each element the sum of
// those that are made of it.
struct ExtendStep {
  using Sizes = std::int64_t[3];
  bool back;
  Borders borders;
  DType dtype;
  std::int64_t planes;
  Sizes x_size, y_size, before;
  Location x, y;
};

// Elements addressed by an index along one axis. Entry i of the index (row-major over dims) meets the table's element
// sum(coordinate * stride) + index[i] * axis_stride, and elements[i * element_stride].
struct IndexStep {
  enum class Kind : std::uint8_t { kGather, kScatter, kScatterAdd };
  Kind kind;
  DType dtype;
  DimVector dims, strides;  // the axis's own stride is 0 in strides
  std::int64_t axis_stride;
  std::int64_t element_stride;  // 0: one number for all entries
  std::int64_t places;          // elements of the table
  Location table, index, elements;
};

// Rows addressed by number: elements[i] = table[index[i]] (kTake), or written (kPut) or added (kAdd) back.
struct RowsStep {
  enum class Kind : std::uint8_t { kTake, kPut, kAdd };
  Kind kind;
  DType dtype;
  std::int64_t places, count, row;  // rows of the table; rows addressed; elements a row
  Location table, index, elements;
};

// Sums of weighed slices: y (batch, outer, count, inner) has in slice j those of x (batch, outer, places, inner) that
// index (batch, count, taps) names for j, times the weights (batch, count, taps). `kind` says which of y, x and the
// weights is written: put and dots are the adjoints.
struct WeighedStep {
  enum class Kind : std::uint8_t { kTake, kPut, kDots };
  Kind kind;
  DType dtype;
  std::int64_t batch, outer, places, inner, count, taps;
  Location x, index, weights, y;
};

struct RandomStep {
  enum class Kind : std::uint8_t { kUniform, kNormal, kBits };
  Kind kind;
  DType dtype;
  std::int64_t n;
  Location seed, out;  // seed: two 64-bit words, key and position
};

// Elements of a row that every step that goes by rows computes as a whole: who cuts longer ones into parts sums them in
// another order, and may share them out.
constexpr std::int64_t kWholeRow = 1 << 14;

using Step = std::variant<ElementwiseStep, CopyStep, ReduceStep, RowwiseStep, StandardizeStep, ScanStep, ArgsortStep,
                          SearchStep, FourierStep, MatmulStep, SolveTriangleStep, ConvolutionStep, MaxPoolStep,
                          WindowSumsStep, ExtendStep, IndexStep, RowsStep, WeighedStep, RandomStep>;

// What of a step is done by each of the threads that go through a stretch side by side.
struct Share {
  std::int64_t rows = 0;    // of the result, or groups of these, cut evenly; 0: one thread does it all
  std::uint32_t after = 0;  // it waits until all have done the steps below this number; in turns, if it is not cut
  bool transposes = false;  // a product of a turn by a transposed weight, of which a copy may be made before it begins
  Location ahead;           // a matrix of the next product: asked for while this one multiplies
  std::int64_t ahead_bytes = 0;
};

// Neighboring steps of a stretch that one thread has to itself, so that the weights that they read and update stay in
// its caches: steps that go by rows, once for each thread's rows, then those that need all rows. Meanwhile the others
// go through other turns with the rows that have been there or will come there.
struct Turn {
  std::uint32_t first, end;  // numbers of steps
  std::uint32_t owner;       // modulo the number of threads
  // It begins with a thread's rows when the steps below `after_rows` are done with these, and those below `after` with
  // all rows.
  std::uint32_t after_rows = 0, after = 0;
};

// Neighboring steps, each too short to be worth waking threads for, that threads go through side by side.
struct Stretch {
  static constexpr std::uint32_t kMostThreads = 64;
  std::uint32_t first, end;  // numbers of steps
  std::uint32_t most;        // threads that its rows keep busy
  std::vector<Turn> turns;   // in order; steps in none are shared by all
  mutable Pace pace = {};    // kept by the runtime
};

// Neighboring steps over the same rows, of which each reads only its own: a block of rows goes through all of them
// before the next one does, so that memory which several steps look at comes into the cache once.
struct RowBlocks {
  std::uint32_t first, end;  // numbers of steps
  std::int64_t rows, block;
};

struct Plan {
  std::vector<Step> steps;
  std::vector<Share> shares;  // one a step, if there are stretches
  std::vector<Stretch> stretches;
  std::vector<RowBlocks> row_blocks;
  std::size_t arena_bytes = 0;
  std::uint32_t inputs = 0, scalars = 0;
  std::vector<std::size_t> output_bytes;  // storages to allocate, a slot each
  std::vector<float> nanoseconds;         // of each step, roughly
  double estimated_nanoseconds = 0;       // of all; decides whether the interpreter's lock is released
  std::vector<std::string> notes;         // of each step, for people: what it computes; empty if nobody asked

  std::uint32_t first_input() const { return 1; }
  std::uint32_t first_scalar() const { return 1 + inputs; }
  std::uint32_t first_output() const { return 1 + inputs + scalars; }
  std::size_t slots() const { return first_output() + output_bytes.size(); }
};

}  // namespace lamina
