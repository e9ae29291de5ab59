// What a row asks of a leaf, in a form that says nothing about the leaf.
//
// Products are numbered in the order in which answers name them, the row's own first, and so are
// the final states after a quote; neighbouring ranges that lead to the same product are one. See
// row_memo.cpp for what this is good for.
//
// Example: for ^[0-9]{2}$ where does product 0 lead? To nothing up to "/", to product 1 up to "9",
// to nothing above.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/rows/content_products.h"
#include "engine/rows/row_memo.h"
#include "grammar/tables/id_table.h"

namespace espalier {

class ContentFacts {
 public:
  ContentFacts(ContentProducts* products, uint32_t start) : products_(*products) { name(start); }

  RowAnswer answer(const RowQuestion& question) {
    const uint32_t number = numbers_[question.product];
    RowAnswer out;
    if (question.kind == RowQuestion::Kind::kQuote) {
      const uint32_t state = products_.quote(number);
      out.push_back(state == 0 ? kNone : exit_name(state));
      return out;
    }
    products_.for_each_step(number, [&](uint32_t last, uint32_t next) {
      const size_t known = numbers_.size();
      const uint32_t to = next == ContentProducts::kDead ? kNone : name(next);
      if (!out.empty() && out.back() == to) {
        out[out.size() - 2] = last;
        return;
      }
      // A product is universal or not from the answer on that names it.
      if (numbers_.size() != known) out.push_back(products_.universal(next) ? kUniversal : kNew);
      out.push_back(last);
      out.push_back(to);
    });
    return out;
  }
  /// The answers that a row depends on and that were not among those `asked` for before; false if
  /// they are too many.
  template <typename Asked>
  bool answers(Asked&& asked, std::vector<std::pair<RowQuestion, RowAnswer>>* out) {
    constexpr size_t kMost = 256;
    const std::vector<uint32_t> steps(products_.asked().begin(), products_.asked().end());
    const std::vector<uint32_t> quotes(products_.asked_quotes().begin(),
                                       products_.asked_quotes().end());
    if (steps.size() + quotes.size() > kMost) return false;
    std::vector<uint32_t> left = steps;
    while (!left.empty()) {
      const size_t before = left.size();
      std::erase_if(left, [&](uint32_t number) { return add(kSteps, number, asked, out); });
      if (left.size() == before) return false;
    }
    return std::all_of(quotes.begin(), quotes.end(),
                       [&](uint32_t number) { return add(kQuote, number, asked, out); });
  }

  uint32_t exit_name(uint32_t state) {
    const auto it = std::find(exits_.begin(), exits_.end(), state);
    const auto name = static_cast<uint32_t>(it - exits_.begin());
    if (it == exits_.end()) exits_.push_back(state);
    return name;
  }
  uint32_t exit_state(uint32_t name) const { return exits_[name]; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kUniversal = UINT32_MAX - 1, kNew = UINT32_MAX - 2;
  static constexpr auto kSteps = RowQuestion::Kind::kSteps, kQuote = RowQuestion::Kind::kQuote;

  uint32_t name(uint32_t number) {
    const auto [it, inserted] = names_.try_emplace(number, static_cast<uint32_t>(numbers_.size()));
    if (inserted) numbers_.push_back(number);
    return it->second;
  }
  template <typename Asked>
  bool add(RowQuestion::Kind kind, uint32_t number, Asked&& asked,
           std::vector<std::pair<RowQuestion, RowAnswer>>* out) {
    const auto it = names_.find(number);
    if (it == nullptr) return false;
    const RowQuestion question{kind, it->second};
    if (!asked(question)) out->emplace_back(question, answer(question));
    return true;
  }

  ContentProducts& products_;
  std::vector<uint32_t> numbers_;  // by name
  FlatMap<uint32_t> names_;        // of products
  std::vector<uint32_t> exits_;    // by name
};

}  // namespace espalier
