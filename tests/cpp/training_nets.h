// Programs recorded as training steps are, and orders of their steps' shares that their plans allow.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <random>
#include <vector>

#include "compiled_program.h"
#include "plan_memory.h"
#include "runtime/course.h"
#include "runtime/thread_pool.h"

namespace lamina::testing {

using build::operator*;
using build::operator+;
using build::operator-;

inline constexpr StretchLimits kAnyStretch{1e12, 0}, kAnyTurns{1e12, 0, 1};

// A program over random numbers, recorded as a training step is, and its plan.
class RecordedNet {
 public:
  Compiled c;
  Plan& plan = c.plan;

  Memory memory() { return {plan, c.tape.recording()}; }
  Memory alone() {
    Memory result = memory();
    int threads = runtime::num_threads();
    runtime::set_num_threads(1);
    execute(plan, result.slots());
    runtime::set_num_threads(threads);
    return result;
  }

 protected:
  explicit RecordedNet(unsigned seed) : random_(seed) {}

  ValuePtr leaf(std::initializer_list<std::int64_t> dims) { return leaf(Shape::of(dims)); }
  ValuePtr leaf(const Shape* shape) {
    std::vector<float> numbers(static_cast<std::size_t>(shape->numel()));
    for (float& number : numbers) number = std::uniform_real_distribution<float>(-1, 1)(random_);
    return leaf_of(shape, DType::kFloat32, numbers);
  }
  void finish(const std::vector<ValuePtr>& live, const std::vector<ValuePtr>& dying, bool gathers,
              const StretchLimits& limits) {
    c.read(live, dying);
    c.finish(gathers);
    share_steps(c.plan, limits);
  }
  // g: the gradient by the program's input. Parameters are updated when all gradients have been recorded.
  void finish_with_updates(const ValuePtr& g, const std::vector<ValuePtr>& parameters,
                           const std::vector<ValuePtr>& gradients, const StretchLimits& limits, bool gathers = true,
                           bool momentum = false) {
    const ValuePtr rate = build::number(0.125, DType::kFloat32), kept = build::number(0.75, DType::kFloat32);
    std::vector<ValuePtr> live{g}, dying = parameters;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      live.push_back(gradients[i]);
      ValuePtr direction = gradients[i];
      if (momentum) {
        dying.push_back(leaf(parameters[i]->shape));
        direction = dying.back() * kept + gradients[i];
        live.push_back(direction);
      }
      live.push_back(parameters[i] - direction * rate);
    }
    finish(live, dying, gathers, limits);
  }

 private:
  std::mt19937 random_;
};

// A few residual blocks with their gradients and updates over the weights, as a training step records them.
class Net : public RecordedNet {
 public:
  Net(unsigned seed, std::int64_t rows, std::int64_t width, int blocks, bool trains, bool gathers = true,
      const StretchLimits& limits = kAnyStretch, bool updates_last = false)
      : RecordedNet(seed) {
    ValuePtr x = leaf({rows, width}), rate = build::number(0.125, DType::kFloat32);
    struct Block {
      ValuePtr in, weight, bias, hidden, out;
    };
    std::vector<Block> chain;
    for (int i = 0; i < blocks; ++i) {
      Block b{x, leaf({width, width}), leaf({width}), nullptr, leaf({width, width})};
      b.hidden = build::relu(build::matmul(x, b.weight, false, true) + b.bias);
      x = x + build::matmul(b.hidden, b.out, false, true);
      chain.push_back(b);
    }
    ValuePtr g = build::rowwise(Op::softmax, x);
    std::vector<ValuePtr> live{g, build::reduce(Op::amax, x, DimVector{1}, false)}, dying, gradients;
    const auto update = [&](const ValuePtr& parameter, const ValuePtr& gradient) {
      dying.push_back(parameter);
      if (!updates_last) live.push_back(parameter - gradient * rate);
      gradients.push_back(gradient);
    };
    for (std::size_t i = trains ? chain.size() : 0; i-- > 0;) {
      Block& b = chain[i];
      ValuePtr masked = build::relu_gradient(b.hidden, build::matmul(g, b.out));
      update(b.out, build::matmul(g, b.hidden, true, false));
      if (!updates_last) update(b.weight, build::matmul(masked, b.in, true, false));
      update(b.bias, build::sum(masked, DimVector{0}, false));
      g = g + build::matmul(masked, b.weight);
      if (updates_last) update(b.weight, build::matmul(masked, b.in, true, false));
    }
    for (std::size_t i = 0; updates_last && i < dying.size(); ++i)
      live.insert(live.end(), {gradients[i], dying[i] - gradients[i] * rate});
    live.push_back(g);
    finish(live, dying, gathers, limits);
  }
};

// Layers whose activation stands in a step of its own, with gradients and updates over the weights; those with momentum
// are steps of their own.
class TanhNet : public RecordedNet {
 public:
  TanhNet(unsigned seed, std::int64_t rows, std::int64_t width, int layers, const StretchLimits& limits,
          bool gathers = true, bool momentum = false)
      : RecordedNet(seed) {
    ValuePtr x = leaf({rows, width});
    struct Layer {
      ValuePtr in, weight, bias, out;
    };
    std::vector<Layer> chain;
    for (int i = 0; i < layers; ++i) {
      Layer layer{x, leaf({width, width}), leaf({width}), nullptr};
      x = build::unary(Op::tanh, build::matmul(x, layer.weight, false, true) + layer.bias);
      layer.out = x;
      chain.push_back(layer);
    }
    ValuePtr g = build::rowwise(Op::softmax, x);
    std::vector<ValuePtr> dying, gradients;
    for (std::size_t i = chain.size(); i-- > 0;) {
      const Layer& layer = chain[i];
      g = g - layer.out * layer.out * g;
      ValuePtr below = build::matmul(g, layer.weight);
      gradients.push_back(build::matmul(g, layer.in, true, false));
      gradients.push_back(build::sum(g, DimVector{0}, false));
      dying.insert(dying.end(), {layer.weight, layer.bias});
      g = below;
    }
    finish_with_updates(g, dying, gradients, limits, gathers, momentum);
  }
};

// Blocks that bring rows to mean 0 and variance 1, with gradients of scale and shift, and updates over the weights.
class NormedNet : public RecordedNet {
 public:
  NormedNet(unsigned seed, std::int64_t rows, std::int64_t width, int blocks, const StretchLimits& limits)
      : RecordedNet(seed) {
    ValuePtr x = leaf({rows, width});
    const Attribute* eps = Attribute::of({std::bit_cast<std::int64_t>(1e-5)});
    struct Block {
      ValuePtr in, scale, shift, normed, weight;
    };
    std::vector<Block> chain;
    for (int i = 0; i < blocks; ++i) {
      Block block{x, leaf({width}), leaf({width}), nullptr, leaf({width, width})};
      block.normed = build::standardize(x, eps) * block.scale + block.shift;
      x = x + build::matmul(block.normed, block.weight, false, true);
      chain.push_back(block);
    }
    ValuePtr g = build::rowwise(Op::softmax, x);
    std::vector<ValuePtr> dying, gradients;
    for (std::size_t i = chain.size(); i-- > 0;) {
      const Block& block = chain[i];
      ValuePtr below = build::matmul(g, block.weight), of_weight = build::matmul(g, block.normed, true, false);
      ValuePtr of_shift = build::sum(below, DimVector{0}, false);
      ValuePtr of_scale = build::sum(below * build::standardize(block.in, eps), DimVector{0}, false);
      g = g + build::standardize_input(below * block.scale, block.in, eps);
      gradients.insert(gradients.end(), {of_weight, of_shift, of_scale});
      dying.insert(dying.end(), {block.weight, block.shift, block.scale});
    }
    finish_with_updates(g, dying, gradients, limits);
  }
};

// Goes through the stretch on one thread, with an order of the members' shares that the plan allows.
inline void interleave(const Plan& plan, const Stretch& stretch, std::byte* const* slots, std::uint32_t members,
                       std::mt19937& random) {
  std::vector<runtime::Course> courses;
  for (std::uint32_t place = 0; place < members; ++place) courses.emplace_back(plan, stretch, place, members);
  std::uint32_t favorite = 0;
  while (!std::all_of(courses.begin(), courses.end(), [](const runtime::Course& one) { return one.ended(); })) {
    if (random() % 8 == 0) favorite = random() % members;  // stays ahead for a while
    std::uint32_t place = random() % 4 ? favorite : random() % members;
    runtime::Course& course = courses[place];
    if (course.ended()) {
      favorite = (favorite + 1) % members;
      continue;
    }
    if (course.has_share()) {
      course.transpose_weights(slots);
      bool may = true;
      for (std::uint32_t other = 0; other < members; ++other)
        may = may && (other == place || courses[other].progress() >= course.needed_of(other));
      if (!may) {
        favorite = random() % members;
        continue;
      }
      course.run_share(slots);
    }
    std::uint32_t progress = course.progress();
    course.go_on();
    ASSERT_GT(course.progress(), progress);
  }
}

inline void run_interleaved(const Plan& plan, std::byte* const* slots, std::uint32_t members, std::mt19937& random) {
  std::uint32_t next = 0;
  auto one_by_one = [&](std::uint32_t end) {
    Plan part = plan;
    part.stretches.clear();
    part.steps.assign(plan.steps.begin() + next, plan.steps.begin() + end);
    execute(part, slots);
    next = end;
  };
  for (const Stretch& stretch : plan.stretches) {
    one_by_one(stretch.first);
    interleave(plan, stretch, slots, members, random);
    next = stretch.end;
  }
  one_by_one(static_cast<std::uint32_t>(plan.steps.size()));
}

inline void expect_same_bits_in_some_orders(RecordedNet& net, std::int64_t rows, std::mt19937& random) {
  Memory expected = net.alone();
  for (int round = 0; round < 8; ++round) {
    auto most = static_cast<std::uint32_t>(rows / 8), members = 2 + static_cast<std::uint32_t>(random() % 4);
    Memory got = net.memory();
    run_interleaved(net.plan, got.slots(), std::min(members, most), random);
    ASSERT_TRUE(got.same_results(expected)) << rows << " rows, round " << round;
  }
}

inline void expect_same_bits(RecordedNet& net, int threads) {
  Memory expected = net.alone();
  runtime::set_num_threads(threads);
  for (int round = 0; round < 10; ++round) {
    Memory got = net.memory();
    execute(net.plan, got.slots());
    ASSERT_TRUE(got.same_results(expected)) << threads << " threads, round " << round;
  }
}

}  // namespace lamina::testing
