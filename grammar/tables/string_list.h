#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

/// A list of strings in one block of letters, so that machines with hundreds of names are made and
/// freed at once. Views hold until the next change.
class StringList {
 public:
  StringList() = default;
  StringList(std::initializer_list<std::u32string_view> strings) { append(strings); }

  size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  std::u32string_view operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::u32string_view(letters_).substr(begin, ends_[i] - begin);
  }
  std::u32string_view front() const { return (*this)[0]; }
  std::u32string_view back() const { return (*this)[size() - 1]; }

  void push_back(std::u32string_view string) {
    letters_ += string;
    ends_.push_back(static_cast<uint32_t>(letters_.size()));
  }
  template <typename Strings>
  void append(const Strings& strings) {
    for (const std::u32string_view string : strings) push_back(string);
  }
  /// In a sorted list: the index of the first string that is not less.
  size_t lower_bound(std::u32string_view string) const {
    size_t first = 0, last = size();
    while (first < last) {
      const size_t middle = (first + last) / 2;
      if ((*this)[middle] < string) {
        first = middle + 1;
      } else {
        last = middle;
      }
    }
    return first;
  }
  /// All letters, one string after the other, and where each string ends.
  std::u32string_view letters() const { return letters_; }
  const std::vector<uint32_t>& ends() const { return ends_; }
  size_t memory_bytes() const {
    return letters_.capacity() * sizeof(char32_t) + ends_.capacity() * sizeof(uint32_t);
  }

  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = std::u32string_view;
    using difference_type = std::ptrdiff_t;
    using pointer = const std::u32string_view*;
    using reference = std::u32string_view;
    Iterator() = default;
    Iterator(const StringList* list, size_t i) : list_(list), i_(i) {}
    std::u32string_view operator*() const { return (*list_)[i_]; }
    Iterator& operator++() {
      ++i_;
      return *this;
    }
    Iterator operator++(int) { return {list_, i_++}; }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const StringList* list_ = nullptr;
    size_t i_ = 0;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

 private:
  std::u32string letters_;
  std::vector<uint32_t> ends_;
};

}  // namespace espalier
