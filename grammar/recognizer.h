#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "espalier/status.h"
#include "grammar/byte_set.h"
#include "grammar/leaf.h"

namespace espalier {

/// One configuration of a recognizer: a small value that is copied freely. The four numbers name
/// *content*, never history: equal states have equal futures, so any memo keyed on a state is right
/// under rollback, along any path, and in any sequence that shares the recognizer.
///
///   frame  top of the structural stack (frames are interned with their parent)
///   leaf   which scalar machine is running, or a structural position
///   state  the state inside that leaf
///   text   what must be remembered verbatim (the free property name or the value that must differ
///          from others being spelled), else 0
struct State {
  uint32_t frame = 0;
  uint32_t leaf = 0;
  uint32_t state = 0;
  uint32_t text = 0;

  /// The dead state is all zero: no byte leads out of it.
  bool dead() const { return frame == 0; }
  /// A probed state that stands for "it depends on a text that was not remembered": every byte
  /// leads back to it, and only stepping the same bytes tells whether they are allowed.
  static State doubt() { return {1, kDoubtful, 0, kDoubtful}; }
  bool doubtful() const { return leaf == kDoubtful; }
  static constexpr uint32_t kDoubtful = UINT32_MAX;
  friend bool operator==(const State&, const State&) = default;
};

/// The part of a state that lies inside one scalar leaf; see Recognizer::bulk. A token that takes
/// the leaf to exit state e and then spells `suffix` is allowed iff stepping `suffix` from
/// leave(s, e) stays alive.
struct Bulk {
  /// Texts for which these rules do not hold; Recognizer::exceptional_bytes leads to them.
  enum class Exceptions : uint8_t {
    kNone,
    kEnds,  ///< only where the leaf ends there, that is, with the token's closing quote
    kAll,   ///< also inside the leaf
  };
  const Leaf* leaf = nullptr;  ///< nullptr: nothing is known in bulk, walk the whole trie.
  uint32_t state = 0;
  Exceptions exceptions = Exceptions::kNone;
  /// The leaf is the white space that may stand at a structural place: leaving it changes nothing,
  /// leave(s, e) is s, and most tokens are decided by what follows it.
  bool spacing = false;
  /// The leaf stands for one with a predicate in it: a token that it refuses is refused, what
  /// becomes of any other only the recognizer can tell.
  bool relaxed = false;
};

/// How far the tokens of a vocabulary look into names. Those that begin within a token, after a
/// comma and a quote (`,"#`):
struct NameHeads {
  ByteSet first;  ///< the first byte of the name, backslashes aside
  /// Some token spells a whole name like that, or more of an escape than its backslash, or begins a
  /// name with a byte above 0x7F.
  bool deep = false;

  /// May a token spell a whole name after white space and a quote, and the quote that ends it? Says
  /// yes where it is not sure. Thread-safe.
  std::function<bool(std::u32string_view name)> whole;
  uint64_t uid = 0;  ///< of the vocabulary's index; never that of another one
};

/// Why a byte was refused.
struct Explanation {
  std::string instance_path;   ///< JSON pointer into the instance being written.
  std::string schema_pointer;  ///< JSON pointer into the schema, "" for plain JSON syntax.
  std::string keyword;         ///< The schema keyword, or "syntax".
  std::string sentence;
};

/// The one interface between constraints and the engine: a byte machine whose states are interned
/// and built lazily. Every live state has a completion (to the extent the implementation can
/// decide it). Thread-safety: all methods may be called from several threads; implementations lock
/// or publish internally.
class Recognizer {
 public:
  virtual ~Recognizer() = default;

  /// The state before the first byte; dead when the constraint is unsatisfiable.
  virtual State start() = 0;

  /// The state after one more byte, interned; dead when `byte` is not allowed.
  virtual State step(State s, uint8_t byte) = 0;

  /// Like step, but remembers nothing about verbatim text: for looking ahead over a vocabulary. A
  /// probed state may be passed to probe, next_bytes, accepting, bulk and leave only. Where the
  /// answer depends on text that was not remembered, the state is doubtful.
  virtual State probe(State s, uint8_t byte) = 0;

  /// A superset of the bytes that step accepts, as small as is cheap to compute.
  virtual void next_bytes(State s, ByteSet* out) = 0;

  /// May the text end here?
  virtual bool accepting(State s) = 0;

  /// If s is inside a scalar leaf of which the tokens that *stay inside* are known by the leaf
  /// alone (allowed iff the leaf stays alive), that leaf.
  virtual Bulk bulk(State s) = 0;

  /// In a state whose bulk has exceptions (or a probed one that follows): the bytes that may lead
  /// on towards an exceptional text, or end one; empty where none begins like this.
  /// `characters`: the first bytes of the code points that these may spell, a superset.
  virtual void exceptional_bytes(State /*s*/, ByteSet* out, ByteSet* characters) {
    *out = *characters = ByteSet();
  }

  /// A state with the same mask as s under a vocabulary with these heads, the same for as many
  /// states as is cheap to tell: texts that nothing distinguishes are forgotten, and so is what the
  /// tokens cannot look into. It may be used as a probed state.
  virtual State representative(State s, const NameHeads& /*heads*/) { return s; }

  /// The state after the leaf of s (see bulk) has ended in its exit state, exceptions aside.
  virtual State leave(State s, uint32_t exit_state) = 0;

  /// A shortest (in bytes, to the extent known) text that completes s; empty when s accepts.
  /// A status when none is found within the budget.
  virtual Result<std::string> shortest_completion(State s) = 0;

  /// After the '{' of an object whose members must come in an order: the place of a name in it.
  /// Names of equal rank come in any order, as all do where nothing is demanded.
  virtual uint32_t name_rank(State /*s*/, std::u32string_view /*name*/) { return 0; }

  /// Why `byte` is refused after `text` (which leads to s).
  virtual Explanation explain(State s, const std::string& text, uint8_t byte) = 0;

  /// ok, or the budget that was exceeded: from then on every step is refused.
  virtual Status status() const = 0;

  /// Bytes of memory held by interned states.
  virtual size_t memory_bytes() const = 0;

  /// Bytes of the scalar leaves it uses, which others may share.
  virtual size_t leaf_memory_bytes() const { return 0; }

  /// A recognizer of the same language that has nothing in store yet, its states unrelated to those
  /// of this one; nullptr when there is nothing worth dropping.
  virtual std::shared_ptr<Recognizer> fresh() const { return nullptr; }
};

}  // namespace espalier
