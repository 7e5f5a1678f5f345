// Where temporaries lie: memory by offset, taken and given back step by step. Part of assign_memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

namespace lamina {

// The smallest free block that fits is taken. But for some steps small memory is only given to what is as large: steps
// that threads go through side by side are cut at the same bytes then, and no thread waits for another one's rows.
class Arena {
 public:
  static constexpr std::int64_t kAlignment = 64;

  // From here on it is the step's turn to take and to give back.
  void come_to(std::size_t step);
  std::int64_t take(std::size_t bytes);
  // Not taken by anybody before the step `until`, unless too much rests.
  void give_back(std::int64_t start, std::size_t bytes, std::size_t until);
  std::size_t size() const { return static_cast<std::size_t>(size_); }

 private:
  struct Block {
    std::int64_t start, bytes;
  };
  struct Ended {
    std::int64_t start;
    std::size_t until;  // the step from which on it may be given to anything
  };

  std::map<std::int64_t, std::int64_t>::iterator smallest_that_fits(std::int64_t bytes);
  std::int64_t take_free(std::int64_t bytes);
  void free(std::int64_t start, std::int64_t bytes);
  void free_resting(std::multimap<std::size_t, Block>::iterator block);
  void free_oldest(std::map<std::int64_t, std::deque<Ended>>::iterator kept);

  std::size_t step_ = 0;
  std::int64_t size_ = 0;
  std::map<std::int64_t, std::int64_t> free_;       // bytes by offset
  std::map<std::int64_t, std::deque<Ended>> kept_;  // for what is as large: by bytes, in the order of their ends
  std::multimap<std::size_t, Block> resting_;       // for nobody, by the step until which
  std::int64_t kept_bytes_ = 0, resting_bytes_ = 0;
};

}  // namespace lamina
