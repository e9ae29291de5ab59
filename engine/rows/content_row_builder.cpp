// Rows of strings between two code points.
//
// Such strings are read by code points (content_leaf.h). Where the leaf can say how it loops on
// plain text (leaf_loop.h), the inside tokens are put together from bitmaps; else the vocabulary's
// plain texts are walked, whole subtrees being taken where any text is alive and skipped where none
// is. The boundary is found among the few hundred texts that stand before a quote, and the tokens
// with escapes by what their escapes mean.
//
// Where nothing but the rest of listed strings may follow, these alone are gone down. Elsewhere the
// leaf is first asked what other leaves were asked: the same answers give the same tokens
// (row_memo.cpp).
//
// Example: for ^[^x]*$ the row is the plain tokens without those that contain an x; for
// ^[0-9]{4}-x*$ a walk goes down the few texts that begin with a digit.
//
// Invariants: see leaf_row_builder.cpp.
//
// Cost: bitmaps some microseconds; a walk about three nanoseconds for each node that is neither
// dead nor free.
#include "engine/rows/content_row_builder.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/rows/content_facts.h"
#include "engine/rows/content_high.h"
#include "engine/rows/content_listed_walk.h"
#include "engine/rows/content_long_tokens.h"
#include "engine/rows/content_loop.h"
#include "engine/rows/content_products_cache.h"
#include "engine/rows/content_walk.h"
#include "engine/rows/row_memo.h"
#include "engine/tokens/content_index.h"
#include "grammar/strings/content_leaf.h"

namespace espalier {
namespace {

/// Tokens that are read one by one rather than in a walk of all plain texts, which shares what
/// tokens have in common (it is long where many are alive); and beside a loop, rather than asking
/// for regions, which are small where a leaf remembers().
constexpr size_t kMaxStrays = 12'000, kMaxLoopStrays = 500, kMaxRememberedStrays = 80'000;
/// With fewer code points to an end the tokens that are longer are too many to be read one by one.
constexpr uint32_t kMinHorizon = 40;

class ContentRowBuilder {
 public:
  ContentRowBuilder(const Vocabulary& vocabulary, const Leaf& leaf, const ContentLeaf& content)
      : vocabulary_(vocabulary),
        index_(ContentIndex::of(vocabulary)),
        leaf_(leaf),
        content_(content),
        lease_(ContentProductsCache::process().borrow(leaf.uid(), content)),
        products_(*lease_),
        walk_(&products_, index_->plain_texts().counts()) {}

  std::shared_ptr<const LeafRow> build(uint32_t state, uint32_t product) {
    ContentListedWalk listed(content_);
    if (listed.listed(product)) return build_listed(state, product, &listed);
    auto row = attempt(state, product);
    // What was met on the way may show that distances matter: then they are told apart.
    return doubtful() ? attempt(state, product) : row;
  }

 private:
  struct Exit {
    uint32_t state;
    std::vector<uint32_t> plain;  ///< indices into the vocabulary's enders
    std::vector<ContentIndex::Ender> escaped;
  };

  bool doubtful() const { return products_.distances_matter() && horizon_ != UINT32_MAX; }

  std::shared_ptr<const LeafRow> attempt(uint32_t state, uint32_t product) {
    exits_.clear();
    other_enders_.clear();
    escaped_inside_.clear();
    product_ = product;
    start(product);
    products_.begin_row(start_);
    loops_ = content_.loop(state, &loop_);
    const ContentIndex::Escapes& escapes = index_->escapes(content_.spelling());
    read_bytes(escapes.others, state);

    auto row = near_row();
    if (row != nullptr && horizon_ < index_->plain_texts().depth()) {
      LongTokens(vocabulary_, *index_, content_, &products_, loops_ ? &loop_ : nullptr, product_)
          .drop_dead(horizon_, row.get());
    }
    return row;
  }

  /// The row without a look at tokens that are longer than the horizon; nullptr if doubtful.
  std::shared_ptr<LeafRow> near_row() {
    if (content_.remembers()) return build();
    ContentFacts facts(&products_, start_);
    RowMemo::Search search;
    const auto answer = [&](const RowQuestion& question) { return facts.answer(question); };
    const auto known = RowMemo::process().find(first_answer(&facts), answer, &search);
    if (doubtful()) return nullptr;
    if (known) {
      auto row = std::make_shared<LeafRow>();
      row->index = index_;
      row->tokens = known->tokens;
      for (const uint32_t name : known->ends) row->end_states.push_back(facts.exit_state(name));
      return row;
    }
    auto row = build();
    std::vector<std::pair<RowQuestion, RowAnswer>> answers;
    const auto asked = [&](const RowQuestion& question) { return search.asked(question); };
    if (!facts.answers(asked, &answers) || doubtful()) return row;
    std::vector<uint32_t> ends;
    for (const uint32_t state : row->end_states) ends.push_back(facts.exit_name(state));
    RowMemo::process().insert(std::move(search), std::move(answers), {row->tokens, ends});
    return row;
  }

  /// What a row depends on beside what its products are asked for.
  RowAnswer first_answer(ContentFacts* facts) const {
    RowAnswer out{RowMemo::kContent, static_cast<uint32_t>(index_->uid()),
                  static_cast<uint32_t>(index_->uid() >> 32),
                  static_cast<uint32_t>(content_.spelling())};
    out.push_back(products_.everlasting() ? 1 : products_.universal(start_) ? 2 : 0);
    out.push_back(loops_ ? 1 : 0);
    if (loops_) {
      for (const ByteSet* set : {&loop_.bytes, &loop_.others}) {
        for (const uint64_t word : set->words) {
          out.push_back(static_cast<uint32_t>(word));
          out.push_back(static_cast<uint32_t>(word >> 32));
        }
      }
      out.push_back(index_->longest_within(loop_.max_codepoints));
      out.push_back(static_cast<uint32_t>(loop_.num_exceptions));
      out.insert(out.end(), loop_.exceptions.begin(),
                 loop_.exceptions.begin() + loop_.num_exceptions);
    }
    out.push_back(static_cast<uint32_t>(escaped_inside_.size()));
    for (const TokenId token : escaped_inside_) out.push_back(static_cast<uint32_t>(token));
    for (const auto& [state, ender] : other_enders_) {
      out.insert(out.end(),
                 {facts->exit_name(state), ender.suffix, static_cast<uint32_t>(ender.token)});
    }
    return out;
  }

  std::shared_ptr<LeafRow> build() {
    auto tokens = std::make_shared<LeafRow::Tokens>();
    read_escaped();
    if (!inside_from_loop(tokens.get()) && !inside_from_regions(tokens.get())) {
      inside_by_walk(tokens.get());
    }
    find_enders();
    return with_ends(std::move(tokens));
  }

  /// The row of a product that only the rest of listed strings may follow.
  std::shared_ptr<const LeafRow> build_listed(uint32_t state, uint32_t product,
                                              ContentListedWalk* walk) {
    auto tokens = std::make_shared<LeafRow::Tokens>();
    std::vector<TokenId>& inside = escaped_inside_;
    const auto find_inside = [&](const ContentTrie& trie) {
      const auto take = [&](uint32_t first, uint32_t last) {
        for (uint32_t k = first; k < last; ++k) inside.push_back(trie.value(k));
      };
      walk->walk(
          trie, product, [&](uint32_t first, uint32_t last, uint32_t) { take(first, last); }, take);
    };
    const auto find_enders = [&](const ContentTrie& trie, auto&& take) {
      walk->walk(
          trie, product,
          [&](uint32_t first, uint32_t last, uint32_t reached) {
            const uint32_t exit_state = first == last ? 0 : content_.quote(reached);
            if (exit_state == 0) return;
            for (uint32_t k = first; k < last; ++k) take(exit_state, trie.value(k));
          },
          [](uint32_t, uint32_t) {});
    };
    const ContentIndex::Escapes& escapes = index_->escapes(content_.spelling());
    find_inside(index_->plain_texts());
    find_inside(escapes.inside);
    read_bytes(escapes.others, state);
    tokens->set_inside(std::move(inside), vocabulary_.row_words());
    find_enders(index_->ender_texts(), [&](uint32_t exit_state, int32_t i) {
      exit_at(exit_state).plain.push_back(static_cast<uint32_t>(i));
    });
    find_enders(escapes.ender_texts, [&](uint32_t exit_state, int32_t i) {
      exit_at(exit_state).escaped.push_back(escapes.enders[static_cast<size_t>(i)]);
    });
    for (const auto& [exit_state, ender] : other_enders_)
      exit_at(exit_state).escaped.push_back(ender);
    return with_ends(std::move(tokens));
  }

  /// A row of these tokens and the exits that were found.
  std::shared_ptr<LeafRow> with_ends(std::shared_ptr<LeafRow::Tokens> tokens) {
    auto row = std::make_shared<LeafRow>();
    row->index = index_;
    for (Exit& found : exits_) {
      LeafRow::Tokens::Ends ends;
      ends.all = found.plain.size() == index_->enders().size();
      ends.enders = std::move(found.escaped);
      if (!ends.all) {
        for (const uint32_t i : found.plain) ends.enders.push_back(index_->enders()[i]);
      }
      ends.enders.shrink_to_fit();
      row->end_states.push_back(found.state);
      tokens->ends.push_back(std::move(ends));
    }
    row->tokens = std::move(tokens);
    return row;
  }

  Exit& exit_at(uint32_t state) {
    if (exits_.empty() || exits_.back().state != state) {
      const auto it = std::find_if(exits_.begin(), exits_.end(),
                                   [&](const Exit& exit) { return exit.state == state; });
      if (it != exits_.end()) return *it;
      exits_.push_back({state, {}, {}});
    }
    return exits_.back();
  }

  /// Starts from the product that stands for all such, if it does so for all tokens but long ones.
  void start(uint32_t product) {
    const ContentIndex::Escapes& escapes = index_->escapes(content_.spelling());
    const uint32_t needed = std::max({index_->ender_texts().depth(), escapes.inside.depth(),
                                      escapes.ender_texts.depth(), kMinHorizon});
    uint32_t distant = product;
    horizon_ = products_.distances_matter() ? 0 : content_.distant(&distant);
    if (horizon_ < needed) {
      horizon_ = UINT32_MAX;
      start_ = products_.number(product);
    } else {
      start_ = products_.distant_number(distant);
    }
  }

  /// False when the leaf cannot tell, or when a walk is cheaper.
  bool inside_from_loop(LeafRow::Tokens* row) {
    if (!loops_) return false;
    std::vector<MaskWord> strays(vocabulary_.row_words(), 0);
    const size_t most = content_.remembers() ? kMaxRememberedStrays : kMaxLoopStrays;
    if (!split_by_loop(*index_, loop_, most, &row->dense, strays)) return false;
    for_each_mask_bit(strays, [&](TokenId token) {
      if (survives(vocabulary_.bytes(token))) set_mask_bit(row->dense, token);
      return true;
    });
    for (const TokenId token : escaped_inside_) set_mask_bit(row->dense, token);
    return true;
  }

  /// What regions settle, and the strays they leave; false where a walk is cheaper.
  bool inside_from_regions(LeafRow::Tokens* row) {
    const size_t words = vocabulary_.row_words();
    const ContentRegion& region = products_.region(start_, index_->plain_texts().counts());
    if (region.depth == 0) return false;
    std::vector<MaskWord>& bits = row->dense;
    std::vector<MaskWord> strays(words, 0);
    bits.assign(index_->plain().begin(), index_->plain().end());
    const bool spaces = region.inside.has(' ');
    if (const auto deadly = spaces && !content_.remembers()
                                ? deadly_above_ascii(&products_, start_, region)
                                : std::nullopt) {
      ContentRegion wide = region;
      wide.inside = wide.inside | Letters::high();
      settle(wide, 0, bits, strays);
      const HighTexts& texts = index_->high_texts();
      texts.for_each(*deadly, [&](TokenId token) { clear_mask_bit(bits, token); });
      for (const TokenId token : texts.cut()) {
        if (mask_bit(bits, token) && !survives(vocabulary_.bytes(token)))
          clear_mask_bit(bits, token);
      }
    } else if (spaces) {
      settle(region, 0, bits, strays);
    } else {
      // A word is often preceded by a space that may not occur within.
      and_not_mask(bits, index_->leading_space());
      settle(region, 0, bits, strays);
      const uint32_t next = products_.step(start_, ' ');
      if (next != ContentProducts::kDead) {
        std::vector<MaskWord> words_bits(index_->leading_space().begin(),
                                         index_->leading_space().end());
        std::vector<MaskWord> words_strays(words, 0);
        settle(products_.region(next, index_->plain_texts().counts()), 1, words_bits, words_strays);
        or_mask(bits, words_bits);
        or_mask(strays, words_strays);
      }
    }
    const Letters firsts = Letters::all() - region.inside - region.fatal - Letters::high();
    walk_strays(firsts, bits, strays);
    if (count_mask_bits(strays) > std::max(kMaxStrays, count_mask_bits(bits) / 4)) {
      bits.clear();
      return false;
    }
    for_each_mask_bit(strays, [&](TokenId token) {
      if (survives(vocabulary_.bytes(token))) set_mask_bit(bits, token);
      return true;
    });
    for (const TokenId token : escaped_inside_) set_mask_bit(bits, token);
    return true;
  }

  /// Walks to the tokens that begin with one of these letters, instead of reading them one by one.
  void walk_strays(Letters firsts, std::span<MaskWord> bits, std::span<MaskWord> strays) {
    firsts.remove(' ');
    if (!firsts.any()) return;
    const ContentTrie& trie = index_->plain_texts();
    const auto for_each_value = [&](uint32_t i, uint32_t end, auto&& visit) {
      for (uint32_t k = trie.node(i).first_value; k < trie.node(end).first_value; ++k) {
        visit(trie.value(k));
      }
    };
    for (uint32_t i = 1; i < trie.size() && trie.node(i).codepoint < 0x80; i = trie.node(i).end) {
      if (!firsts.has(trie.node(i).codepoint)) continue;
      for_each_value(i, trie.node(i).end, [&](TokenId token) { clear_mask_bit(strays, token); });
    }
    const auto take = [&](uint32_t i, uint32_t end) {
      for_each_value(i, end, [&](TokenId token) { set_mask_bit(bits, token); });
    };
    walk_.walk(
        trie, start_, firsts, [&](uint32_t i, uint32_t) { take(i, i + 1); }, take,
        [](uint32_t, uint32_t) {},
        [&](uint32_t i, uint32_t end, const Letters& fatal) {
          return walk_.for_each_part(trie, i, end, fatal, [&](TokenId token, bool alive) {
            if (alive) set_mask_bit(bits, token);
          });
        });
  }

  /// Splits the plain tokens in `bits`, of which `read` code points have been read: keeps those
  /// that the region settles as alive, drops the dead and puts the others into `strays`, which is
  /// empty.
  void settle(const ContentRegion& region, uint32_t read, std::span<MaskWord> bits,
              std::span<MaskWord> strays) const {
    const Letters others = Letters::all() - region.inside;
    (others - region.fatal).for_each([&](uint32_t letter) {
      or_mask(strays, index_->with_letter(letter));
    });
    for (const Letters& word : region.words) {
      std::vector<MaskWord> with_all(bits.begin(), bits.end());
      word.for_each([&](uint32_t l) { and_mask(with_all, index_->with_letter(l)); });
      or_mask(strays, with_all);
    }
    const bool bounded = region.depth != ContentRegion::kAnyDepth;
    if (bounded && !region.ends) or_mask(strays, index_->longer_than(region.depth + read));
    and_mask(strays, bits);
    and_not_mask(bits, strays);
    if (bounded) and_not_mask(bits, index_->longer_than(region.depth + read));
    const bool high = !region.inside.meets(Letters::high());
    if (high) and_not_mask(bits, index_->high());
    for (uint32_t first = 0; first < 0x80; first += ContentIndex::kGroupBytes) {
      Letters group;
      for (uint32_t i = 0; i < ContentIndex::kGroupBytes; ++i) group.add(first + i);
      if (first < 0x20 && high) continue;
      if (first > 0x20 && (group & Letters::all()).within(others)) {
        and_not_mask(bits, index_->containing_group(first / ContentIndex::kGroupBytes));
      } else {
        (group & others).for_each([&](uint32_t letter) {
          and_not_mask(bits, index_->with_letter(letter));
        });
      }
    }
  }

  /// True also for some that are longer than the horizon and are dropped in the end.
  bool survives(std::string_view text) {
    for (uint32_t at = start_; !text.empty();) {
      const auto byte = static_cast<uint8_t>(text[0]);
      if (byte < 0x80) {
        if (text.size() == 1 && products_.remembers()) return products_.survives(at, byte);
        at = products_.step_ascii(at, byte);
        text.remove_prefix(1);
      } else {
        const PlainCodepoint next = first_codepoint(text);
        if (!next.whole()) return products_.any(at, next.lo, next.hi);
        at = products_.step(at, next.lo);
        text.remove_prefix(next.bytes);
      }
      if (at == ContentProducts::kDead) return false;
    }
    return true;
  }

  void inside_by_walk(LeafRow::Tokens* row) {
    const ContentTrie& trie = index_->plain_texts();
    const auto nothing = [](uint32_t, uint32_t) {};
    const auto first_value = [&](uint32_t i) { return trie.node(i).first_value; };
    if (walk_.mostly_alive(trie, start_)) {
      row->dense.assign(index_->plain().begin(), index_->plain().end());
      const auto drop = [&](uint32_t i, uint32_t end) {
        for (uint32_t k = first_value(i); k < first_value(end); ++k) {
          clear_mask_bit(row->dense, trie.value(k));
        }
      };
      walk_.walk(trie, start_, {}, nothing, nothing, drop,
                 [&](uint32_t i, uint32_t end, const Letters& fatal) {
                   return walk_.for_each_part(trie, i, end, fatal, [&](TokenId token, bool alive) {
                     if (!alive) clear_mask_bit(row->dense, token);
                   });
                 });
      for (const TokenId token : escaped_inside_) set_mask_bit(row->dense, token);
      return;
    }
    std::vector<TokenId> tokens = std::move(escaped_inside_);
    const auto take = [&](uint32_t i, uint32_t end) {
      for (uint32_t k = first_value(i); k < first_value(end); ++k) tokens.push_back(trie.value(k));
    };
    walk_.walk(
        trie, start_, {}, [&](uint32_t i, uint32_t) { take(i, i + 1); }, take, nothing,
        [&](uint32_t i, uint32_t end, const Letters& fatal) {
          return walk_.for_each_part(trie, i, end, fatal, [&](TokenId token, bool alive) {
            if (alive) tokens.push_back(token);
          });
        });
    row->set_inside(std::move(tokens), vocabulary_.row_words());
  }

  /// The values of an index of enders at whose texts the leaf may end, by exit state.
  template <typename Take>
  void for_each_ender(const ContentTrie& trie, Take&& take) {
    const auto end_here = [&](uint32_t i, uint32_t product) {
      const uint32_t first = trie.node(i).first_value, last = trie.node(i + 1).first_value;
      const uint32_t exit_state = first == last ? 0 : products_.quote(product);
      if (exit_state == 0) return;
      for (uint32_t k = first; k < last; ++k) take(exit_state, static_cast<size_t>(trie.value(k)));
    };
    if (trie.size() == 0) return;
    end_here(0, start_);
    walk_.walk(trie, start_, end_here, ContentWalk::Ignore(), ContentWalk::Ignore());
  }

  void find_enders() {
    for_each_ender(index_->ender_texts(), [&](uint32_t state, size_t i) {
      exit_at(state).plain.push_back(static_cast<uint32_t>(i));
    });
    const ContentIndex::Escapes& escapes = index_->escapes(content_.spelling());
    for_each_ender(escapes.ender_texts, [&](uint32_t state, size_t i) {
      exit_at(state).escaped.push_back(escapes.enders[i]);
    });
    for (const auto& [state, ender] : other_enders_) exit_at(state).escaped.push_back(ender);
  }

  /// Tokens with a backslash before any quote that do not end the string, without surrogates.
  void read_escaped() {
    const ContentIndex::Escapes& escapes = index_->escapes(content_.spelling());
    const ContentTrie& inside = escapes.inside;
    const auto take = [&](uint32_t i, uint32_t end) {
      escaped_inside_.insert(escaped_inside_.end(), &inside.value(inside.node(i).first_value),
                             &inside.value(inside.node(end).first_value));
    };
    walk_.walk(
        inside, start_, [&](uint32_t i, uint32_t) { take(i, i + 1); }, take, ContentWalk::Ignore());
  }

  /// Tokens that escape surrogates, or end where one may be.
  void read_bytes(const TokenTrie& trie, uint32_t state) {
    if (trie.size() == 0) return;
    std::vector<std::pair<uint32_t, uint32_t>> stack{{0, state}}, below;
    while (!stack.empty()) {
      const auto [at, from] = stack.back();
      stack.pop_back();
      const TokenTrie::Node& node = trie.node(at);
      trie.for_each_spelling(node.token, [&](TokenId t) { escaped_inside_.push_back(t); });
      for (uint32_t i = 0; i < node.num_children; ++i) {
        const uint32_t child = node.first_child + i;
        const uint32_t next = leaf_.step(from, trie.node(child).byte);
        if (next == 0) continue;
        if (!leaf_.is_final(next)) {
          stack.emplace_back(child, next);
          continue;
        }
        below.assign(1, {child, 0});  // (node, bytes after the quote)
        while (!below.empty()) {
          const auto [under, depth] = below.back();
          below.pop_back();
          trie.for_each_spelling(trie.node(under).token, [&, depth = depth](TokenId token) {
            const std::string_view bytes = vocabulary_.bytes(token);
            const uint32_t suffix = index_->suffix_id(bytes.substr(bytes.size() - depth));
            other_enders_.push_back({next, {suffix, token}});
          });
          for (uint32_t k = 0; k < trie.node(under).num_children; ++k) {
            below.emplace_back(trie.node(under).first_child + k, depth + 1);
          }
        }
      }
    }
  }

  const Vocabulary& vocabulary_;
  const std::shared_ptr<const ContentIndex> index_;
  const Leaf& leaf_;
  const ContentLeaf& content_;
  ContentProductsCache::Lease lease_;
  ContentProducts& products_;
  ContentWalk walk_;
  uint32_t product_ = 0;           // of the row's state
  uint32_t start_ = 0;             // the number of the one to start from
  uint32_t horizon_ = UINT32_MAX;  // that one is good for so many code points
  bool loops_ = false;             // is something known of loops?
  LeafLoop loop_;
  std::vector<Exit> exits_;
  std::vector<std::pair<uint32_t, ContentIndex::Ender>> other_enders_;
  std::vector<TokenId> escaped_inside_;
};

}  // namespace

std::shared_ptr<const LeafRow> build_content_row(const Vocabulary& vocabulary, const Leaf& leaf,
                                                 const ContentLeaf& content, uint32_t state,
                                                 uint32_t product) {
  return ContentRowBuilder(vocabulary, leaf, content).build(state, product);
}

}  // namespace espalier
