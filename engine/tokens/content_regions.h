// What a product survives, told by the letters that texts are made of.
//
// The idea: from most states of a pattern nearly all letters lead to states from which the same
// letters may follow; the few that do not (`.` and `@` in an e-mail address) are rare in tokens. A
// *region* of a product is a set of letters of which any text of up to `depth` is survived. All
// tokens of such letters are settled at once by bitmaps; all with a letter that is fatal wherever
// the region leads are dead; and what is left, the tokens with one of the rare letters, is read one
// by one.
//
// Example: for ^[a-z]+(\.[a-z]+)*$ after an "x" the region is [a-z], of any depth; after "x" the
// dot is alive, but not after "x.", and so it is left out; everything else is fatal.
// For ^[a-z]{1,3}$ the region is [a-z] with depth 3, and it ends there: four letters are fatal.
//
// How it is found: breadth first from the product. A state that some letter of the region does not
// survive can be dealt with in four ways: leave that letter out; leave out those that lead to the
// state; let the region end before, at this depth; or leave out letters that every way found to the
// state takes, and begin again. Whatever leaves the fewest tokens to be read is done. The same
// where letters are fatal no more: anything may follow `.com` of ^[a-z.-]+\.[a-z]{2}, but not
// without a dot.
//
// Where any letter may follow, but a word that is completed kills (none of several patterns may
// match beside another), no letter is left out: a text is survived that lacks a letter of each such
// word. The letters of a word are those that every way to its end takes; a few bitmaps find who has
// all.
//
// Invariants: texts of at most `depth` letters of `inside` are survived, if they have all letters
// of none of the `words`. A text of at most `depth` letters that are inside or fatal, one at least
// fatal, is not. If `ends`, no text of more letters that are inside or fatal is survived.
//
// Cost: one expansion for each state met, up to kStates.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/tokens/content_letters.h"

namespace espalier {

/// Where the letters lead from a product.
struct LetterSteps {
  struct Step {
    uint32_t next;
    Letters letters;
  };
  std::vector<Step> steps;  ///< all code points of these letters lead to `next`
  Letters dead;             ///< none of their code points is survived; the rest are mixed
};

/// How many texts there are to be settled: those with a letter, and those that are longer.
struct LetterCounts {
  static constexpr uint32_t kLengths = 24;
  std::array<uint32_t, Letters::kCount> with{};
  std::array<uint32_t, kLengths + 1> longer{};
  std::array<uint32_t, kLengths + 1> longer_words{};  ///< without any of others()
  /// ASCII characters that are neither letters nor digits.
  static constexpr Letters others() {
    Letters others = Letters::all() - Letters::high();
    for (uint32_t c = 0; c < 26; ++c) {
      others.remove('a' + c);
      others.remove('A' + c);
      if (c < 10) others.remove('0' + c);
    }
    return others;
  }
};

struct ContentRegion {
  static constexpr uint32_t kAnyDepth = UINT32_MAX;
  Letters inside;
  Letters fatal;
  uint32_t depth = 0;
  bool ends = false;
  std::vector<Letters> words = {};
};

/// The regions of products, by number. Not thread-safe.
class ContentRegions {
 public:
  /// `expand(product)` gives its LetterSteps, which stay where they are; `expanded(product)` says
  /// whether they are known already. With few texts that depend on a region, one that is not known
  /// is not searched for: it is empty then.
  template <typename Expanded, typename Expand>
  const ContentRegion& find(uint32_t product, const LetterCounts& counts, uint32_t dependent,
                            Expanded&& expanded, Expand&& expand) {
    static const ContentRegion kNone;
    const auto known = regions_.find(product);
    if (known != regions_.end()) return known->second;
    if (patience_ == 0 || dependent < kTextsPerState) return kNone;
    std::optional<ContentRegion> found = search_words(product, counts, expanded, expand);
    for (Excluded excluded; !found;) found = search(product, counts, &excluded, expanded, expand);
    return regions_.emplace(product, *std::move(found)).first->second;
  }
  /// To be called for each row, which may meet fewer states where there are many: most alike, or
  /// settling to a few.
  enum class Many : uint8_t { kNo, kAlike, kSettling };
  void begin_row(Many many) { patience_ = kPatience[static_cast<size_t>(many)]; }
  size_t size() const { return regions_.size(); }

 private:
  // States that all regions of a row may meet, by Many.
  static constexpr std::array<size_t, 3> kPatience{400, 60, 16};
  static constexpr size_t kStates = 160;         // that one region may meet
  static constexpr size_t kTextsPerState = 150;  // to be read in the time that a new state takes
  static constexpr int kFewDeaths = 4, kWordLetters = 3;
  static constexpr size_t kWords = 40;
  static constexpr int kFewLetters = 12;  // what is alive goes down few branches

  struct Reached {
    uint32_t state;
    Letters by;
    Letters cut;  // without these, no way that was found leads there
  };
  /// Letters that a region does without, and how often more may be found.
  struct Excluded {
    Letters letters;
    int more = 4;
  };

  static uint32_t texts(const Letters& letters, const LetterCounts& counts) {
    uint32_t sum = 0;
    letters.for_each([&](uint32_t letter) { sum += counts.with[letter]; });
    return sum;
  }

  static uint32_t texts_longer(const Letters& inside, uint32_t depth, const LetterCounts& counts) {
    const bool few = (inside & LetterCounts::others()).count() < LetterCounts::others().count() / 2;
    return (few ? counts.longer_words : counts.longer)[std::min(depth, LetterCounts::kLengths)];
  }

  /// Are there few texts with all these letters, if each occurs independently of the others?
  static bool few_texts(const Letters& letters, const LetterCounts& counts) {
    constexpr double kFew = 16;
    double texts = counts.longer[0];
    letters.for_each([&](uint32_t letter) { texts *= counts.with[letter] / counts.longer[0]; });
    return letters.count() >= kWordLetters && texts < kFew;
  }

  /// The region of a product that any letter may follow, if nothing but words kills it. States that
  /// only few texts reach are not looked into: the letters that every way there takes count as a
  /// word.
  template <typename Expanded, typename Expand>
  std::optional<ContentRegion> search_words(uint32_t root, const LetterCounts& counts,
                                            Expanded&& expanded, Expand&& expand) {
    if (expand(root).dead.any()) return std::nullopt;
    struct Met {
      uint32_t state;
      Letters needed;  // on every way from the root
      Letters path;    // on the first that was found
    };
    struct Way {
      size_t from, to;
      Letters needed;
    };
    std::vector<Met> met{{root, {}, {}}};
    std::unordered_map<uint32_t, size_t> index{{root, 0}};
    std::vector<Way> ways;
    std::vector<std::pair<size_t, Letters>> deaths;
    std::vector<size_t> left;  // places in `met` that were not looked into
    ContentRegion region;
    region.inside = Letters::all();
    region.depth = ContentRegion::kAnyDepth;
    for (size_t i = 0; i < met.size(); ++i) {
      if (few_texts(met[i].path, counts)) {
        left.push_back(i);
        continue;
      }
      if (met.size() > kStates) return std::nullopt;
      if (!expanded(met[i].state) && patience_-- == 0) {
        patience_ = 0;
        return std::nullopt;
      }
      const LetterSteps& steps = expand(met[i].state);
      Letters known = steps.dead;
      for (const LetterSteps::Step& step : steps.steps) {
        known = known | step.letters;
        const Letters needed = step.letters.count() == 1 ? step.letters : Letters();
        const auto [it, inserted] = index.try_emplace(step.next, met.size());
        if (inserted) met.push_back({step.next, Letters::all(), met[i].path | needed});
        ways.push_back({i, it->second, needed});
      }
      region.inside = region.inside & known;
      if (steps.dead.count() > kFewDeaths) return std::nullopt;
      if (steps.dead.any()) deaths.emplace_back(i, steps.dead);
    }
    if ((Letters::all() - region.inside).count() > kFewDeaths) return std::nullopt;
    for (bool changed = true; changed;) {
      changed = false;
      for (const Way& way : ways) {
        const Letters needed = met[way.to].needed & (met[way.from].needed | way.needed);
        changed = changed || needed != met[way.to].needed;
        met[way.to].needed = needed;
      }
    }
    // A word is not needed where its letters contain those of another.
    const auto add_word = [&](const Letters& word) {
      if (std::any_of(region.words.begin(), region.words.end(),
                      [&](const Letters& each) { return each.within(word); }))
        return;
      std::erase_if(region.words, [&](const Letters& each) { return word.within(each); });
      region.words.push_back(word);
    };
    for (const size_t state : left) add_word(met[state].needed);
    for (const auto& [state, letters] : deaths) {
      letters.for_each([&](uint32_t letter) {
        Letters word = met[state].needed;
        word.add(letter);
        add_word(word);
      });
    }
    const bool plain =
        region.words.size() <= kWords &&
        std::all_of(region.words.begin(), region.words.end(),
                    [](const Letters& word) { return word.count() >= kWordLetters; });
    return plain ? std::optional(std::move(region)) : std::nullopt;
  }

  /// nullopt where a region without more letters seems better, which are excluded then.
  template <typename Expanded, typename Expand>
  std::optional<ContentRegion> search(uint32_t root, const LetterCounts& counts, Excluded* excluded,
                                      Expanded&& expanded, Expand&& expand) {
    ContentRegion region;
    const LetterSteps* at = &expand(root);
    Letters inside;
    for (const LetterSteps::Step& step : at->steps) inside = inside | step.letters;
    inside = inside - excluded->letters;
    Letters fatal = at->dead;
    region.inside = inside;
    region.fatal = fatal;
    if (inside.count() < kFewLetters) return region;
    std::vector<Reached> level, next;
    std::vector<Reached> met{{root, Letters::all(), Letters::all()}};
    // Was the state met, and is it still reached? Letters that led there may have been left out.
    const auto find_met = [&](uint32_t state) {
      return std::find_if(met.begin(), met.end(), [&](const Reached& each) {
               return each.state == state && each.cut.meets(inside);
             }) != met.end();
    };
    for (const LetterSteps::Step& step : at->steps) {
      if (step.next != root) level.push_back({step.next, step.letters, step.letters});
    }
    bool loops = level.size() < at->steps.size();
    uint32_t depth = 1;
    for (;; ++depth) {
      const uint32_t longer = texts_longer(inside, depth, counts);
      bool ends = !loops, stop = depth >= LetterCounts::kLengths;
      if (longer < level.size() * kTextsPerState) {
        const size_t fresh = std::count_if(level.begin(), level.end(), [&](const Reached& reached) {
          return !expanded(reached.state);
        });
        stop = stop || longer < fresh * kTextsPerState;
      }
      next.clear();
      for (const Reached& reached : level) {
        const Letters by = reached.by & inside;
        if (!by.any()) continue;
        if (!loops && !reached.cut.meets(inside)) continue;
        if (find_met(reached.state)) {
          loops = true;
          ends = false;
          continue;
        }
        if (!stop && !expanded(reached.state) && texts(by, counts) < kTextsPerState) {
          inside = inside - by;
          continue;
        }
        if (!expanded(reached.state)) {
          if (patience_ == 0) {
            stop = true;
            ends = false;
            break;
          }
          --patience_;
        }
        const LetterSteps& steps = expand(reached.state);
        ends = ends && inside.within(steps.dead);
        stop = stop || met.size() > kStates;
        if (stop) {
          if (!ends) break;
          continue;
        }
        Letters alive;
        for (const LetterSteps::Step& step : steps.steps) alive = alive | step.letters;
        const Letters lost = inside - alive;
        const Letters no_longer_fatal = fatal - steps.dead;
        if (lost.any() || no_longer_fatal.any()) {
          const uint32_t without_lost = texts(lost | no_longer_fatal, counts);
          const uint32_t without_by = texts(by, counts);
          // Is this the end of all?
          const bool end = level.size() == 1 && !loops && inside.within(steps.dead);
          const uint32_t shorter = end ? 0 : longer;
          if (excluded->more > 0 && (inside - reached.cut).count() >= kFewLetters &&
              texts(reached.cut, counts) < std::min({shorter, without_lost, without_by})) {
            --excluded->more;
            excluded->letters = excluded->letters | reached.cut;
            return std::nullopt;
          }
          if (shorter < without_lost && shorter < without_by) {
            stop = true;
            continue;
          }
          if (without_by <= without_lost) {
            inside = inside - by;
            continue;
          }
          inside = inside - lost;
          fatal = fatal & steps.dead;
        }
        met.push_back(reached);
        for (const LetterSteps::Step& step : steps.steps) {
          const Letters letters = step.letters & inside;
          if (!letters.any()) continue;
          if (find_met(step.next)) {
            loops = true;
            continue;
          }
          const auto same = std::find_if(next.begin(), next.end(), [&](const Reached& each) {
            return each.state == step.next;
          });
          const bool fewer = texts(letters, counts) < texts(reached.cut & inside, counts);
          const Letters cut = fewer ? letters : reached.cut;
          if (same == next.end()) {
            next.push_back({step.next, letters, cut});
          } else {
            same->by = same->by | letters;
            same->cut = same->cut | cut;
          }
        }
      }
      if (stop) {
        region.ends = ends;
        for (const Reached& reached : level) {
          if (ends && reached.by.meets(inside)) fatal = fatal & expand(reached.state).dead;
        }
        break;
      }
      if (next.empty()) {
        depth = ContentRegion::kAnyDepth;
        break;
      }
      std::swap(level, next);
    }
    region.inside = inside;
    region.fatal = fatal;
    region.depth = depth;
    return region;
  }

  std::unordered_map<uint32_t, ContentRegion> regions_;
  size_t patience_ = kPatience[0];
};

}  // namespace espalier
