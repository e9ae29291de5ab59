#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "espalier/grammar.h"
#include "grammar/recognizer.h"
#include "grammar/tables/stable_vector.h"
#include "grammar/tables/step_memo.h"
#include "schema/expansion/alike_nodes.h"
#include "schema/expansion/expansion.h"
#include "schema/leaves/name_set.h"
#include "schema/leaves/scalar_leaf.h"
#include "schema/machine/frames.h"
#include "schema/satisfiability/canonical_value.h"
#include "schema/satisfiability/key_shape.h"
#include "schema/satisfiability/satisfiability.h"
#include "schema/schema_graph.h"

namespace espalier {

/// Compiles a JSON Schema text into a recognizer of JSON texts; see schema_machine.cpp. Errors:
/// those of load_schema.
Result<std::shared_ptr<Recognizer>> make_schema_recognizer(std::string_view text,
                                                           const SchemaOptions& options);

/// The recognizer of one schema. Thread-safe: one mutex guards everything that is not yet built;
/// steps that were taken before are read without it.
class SchemaMachine final : public Recognizer {
 public:
  SchemaMachine(std::shared_ptr<const SchemaGraph> graph, const SchemaOptions& options);

  State start() override { return start_; }
  State step(State s, uint8_t byte) override;
  State probe(State s, uint8_t byte) override;
  void next_bytes(State s, ByteSet* out) override;
  bool accepting(State s) override;
  Bulk bulk(State s) override;
  void exceptional_bytes(State s, ByteSet* out, ByteSet* characters) override;
  State representative(State s, const NameHeads& heads) override;
  State leave(State s, uint32_t exit_state) override;
  Result<std::string> shortest_completion(State s) override;
  uint32_t name_rank(State s, std::u32string_view name) override;
  Explanation explain(State s, const std::string& text, uint8_t byte) override;
  Status status() const override;
  size_t memory_bytes() const override;
  size_t leaf_memory_bytes() const override;
  std::shared_ptr<Recognizer> fresh() const override;

  const SchemaGraph& graph() const { return *graph_; }
  /// Does any value satisfy the node, as far as that is decided?
  bool admits(NodeId node);

 private:
  // Structural positions: values of State::leaf below kFirstLeaf. kValue and kKeyQuote keep in
  // State::state what of a separator's white space may or must still come (gap_start_).
  enum Position : uint32_t {
    kValue = 1,    // frame = slot: a value must start
    kObjectStart,  // after '{'
    kKeyQuote,     // after ',' in an object
    kKey,          // inside a name; state = the shape's machine state
    kColon,        // frame = slot
    kArrayStart,   // after '['
    kAfterValue,   // frame = container
    kDone,         // after the root value
    kListedName,   // looking ahead, inside a name where listed ones alone may come: state = twice
                   // the node of the shape's trie, one more after a backslash
    kFirstLeaf = 16,
  };
  enum class Mode : uint8_t { kStep, kProbe };
  enum Gap : uint32_t { kAfterComma, kAfterColon };
  static constexpr uint8_t kYes = 1, kNo = 2;
  static constexpr size_t kMaxJointBits =
      8;  // tracked formulas whose outcomes are enumerated jointly

  // Which names an object may use besides those that are listed.
  enum class Names : uint8_t {
    kListed = 1,  // none
    kFree,        // any, and all mean the same
    kSome,        // those of a leaf
  };
  // Labels of steps_ beside the bytes.
  static constexpr uint32_t kProbeLabel = 256;  // a byte of a name, looked at only
  static constexpr uint32_t kLeaveLabel = 512;  // from {frame, leaf, exit state}: end_leaf
  static constexpr uint32_t kLikeLabel = 1024;  // before a name: like_before_name

  /// Has a budget been exceeded? An automaton that ran out of its own no longer tells what it
  /// accepts, which a negation would take for a refusal.
  bool gave_up() const {
    return failed_.load(std::memory_order_acquire) ||
           (CodepointAutomaton::exhausted() != exhausted_seen_.load(std::memory_order_acquire) &&
            !status().ok());
  }
  State look_up(State s, uint8_t byte, Mode mode);
  bool advance_unlocked(State* s, uint8_t byte, Mode mode) const;
  bool finish_unlocked(FrameId slot, State* s) const;
  bool leave_unlocked(State s, uint32_t exit_state, State* after) const;
  bool object_is_open(FrameId object);

  State advance(State s, uint8_t byte, Mode mode);

  // value_starts.cpp
  struct ValueStarts {
    std::atomic<uint8_t> known = 0;  // bit i for ValueClass i
    // By ValueClass: the state after the first byte; before it for numbers, which have several.
    std::array<State, kValueClasses> after;
  };
  State begin_value(FrameId slot, uint8_t byte);
  bool begin_value_unlocked(FrameId slot, uint8_t byte, State* s) const;
  void note_start(FrameId slot, ValueClass value_class, State after);
  void first_bytes(FrameId slot, ByteSet* out) const;

  State advance_leaf(State s, uint8_t byte, Mode mode);
  State advance_key(State s, uint8_t byte, Mode mode);
  State end_name(FrameId object, uint32_t key_class, uint32_t text);
  State as_listed_name(State s) const;
  bool advance_listed_unlocked(State* s, uint8_t byte) const;
  State advance_listed_name(State s, uint8_t byte);
  State end_leaf(State s, uint32_t exit_state, Mode mode);
  State finish(FrameId slot, const Outcome& outcome, uint32_t value);
  State close(FrameId container);
  bool closeable(FrameId container);
  bool whitespace(State s, uint8_t byte) const;
  static bool in_name(State s) { return s.leaf == kKey || s.leaf == kListedName; }
  std::string_view fixed_space(State s) const;

  // Questions about frames, all memoized.
  enum class Place : uint8_t { kInside, kOutside };  // of a scalar
  FrameId like(FrameId frame, Place place, const NameHeads& heads);
  FrameId like_inside(FrameId slot);
  FrameId like_container(FrameId container);
  FrameId first_like(const Frame& key, FrameId frame);
  bool heads_fit(const NameHeads& heads) const;
  bool take_heads(const NameHeads& heads);
  uint32_t like_ask(uint32_t ask);
  FrameId like_slot(FrameId slot);
  bool heads_tell_nothing(FrameId object);
  // name_likeness.cpp
  State like_before_name(State s, const NameHeads& heads);
  bool list_name_futures(State s, const NameHeads& heads, std::vector<uint32_t>* out);
  const std::vector<uint32_t>& whole_names(uint32_t shape, const NameHeads& heads);
  bool uses_whole_name(const Frame& object, const NameHeads& heads) const;

  FrameId container(FrameId slot, ValueClass value_class);
  FrameId property_slot(FrameId object, uint32_t key_class, uint32_t text);
  FrameId item_slot(FrameId array);
  bool slot_live(FrameId slot);
  bool value_live(const Frame& slot, ValueClass value_class);
  bool class_live(FrameId slot, ValueClass value_class);
  bool find_class_live(FrameId slot, ValueClass value_class);
  uint8_t class_known(FrameId slot, ValueClass value_class) const {
    return class_memo_.get(slot) >> 2 * static_cast<uint32_t>(value_class) & 3;
  }
  bool frame_live(FrameId container);
  Cost frame_cost(FrameId container);
  Cost best_rest(FrameId container, Answer answer);
  Cost rest_cost(const Frame& frame, FormulaId f, Answer answer);
  bool example_accepted(FrameId slot, const std::vector<FormulaId>& formulas,
                        const Example& example, uint64_t index);
  bool example_rest(FrameId object, std::optional<uint32_t> first, uint32_t order);
  bool example_value(FrameId slot, ValueClass value_class, const std::vector<FormulaId>& formulas);
  Satisfiability make_satisfiability(Answer answer);
  Satisfiability& costs();
  bool visit_outcomes(const std::vector<FormulaId>& formulas,
                      const std::function<bool(const Outcome&)>& visit);
  FormulaId joint(const std::vector<FormulaId>& formulas, const Outcome& outcome);
  bool acceptable(FrameId slot, const Outcome& outcome, uint32_t value = ValueStore::kUnseen);
  void bind(const std::vector<Binding>& bindings, const Outcome& outcome,
            std::vector<FormulaId>* formulas);
  FormulaId without_failed(uint32_t bindings, const Outcome& outcome, FormulaId f);
  FrameId apply(FrameId slot, const Outcome& outcome, uint32_t value = ValueStore::kUnseen);
  uint32_t leaf_of(FrameId slot, ValueClass value_class);

  // frame_names.cpp
  struct PlainNames {
    std::vector<uint32_t> nodes;  // those that look at names, by index in the shape; all must hold
    std::vector<uint8_t> possible;  // by class: kYes, kNo
  };
  struct PlainObject {
    PlainNames* names = nullptr;       // null: not plain
    std::vector<uint32_t> required;    // texts
    std::vector<uint32_t> conditions;  // texts whose presence matters to something, sorted
    uint32_t last = UINT32_MAX;        // the greatest rank of a name that may come: last_rank()
  };
  const PlainObject& plain_object(const Frame& object);
  uint32_t last_rank(FormulaId f, const KeyShape& shape);
  bool outlives_name(const Frame& object, const KeyClass& key);
  std::optional<bool> plainly_live(FrameId object, uint32_t key_class);
  bool name_live(FrameId object, uint32_t key_class);
  bool value_possible(const std::vector<uint32_t>& nodes, const KeyClass& key);
  NameSet& names(FrameId object);
  bool listed_live(FrameId object, NameSet& names, uint32_t first, uint32_t last);
  bool others_live(FrameId object, OtherNames& others, uint32_t product);
  bool others_live_after(FrameId object, OtherNames& others, uint32_t state);
  uint32_t count_others(FrameId object, OtherNames& others, uint32_t product, uint32_t wanted,
                        uint32_t* budget);
  bool many_others(FrameId object, OtherNames& others, uint32_t product, uint32_t wanted);
  bool many_others_after(FrameId object, OtherNames& others, uint32_t state, uint32_t wanted);
  bool open_object(FrameId object);
  bool name_possible(FrameId object);
  Names names_of(FrameId object);
  uint32_t unlisted_position(FrameId object, OtherNames& others, uint32_t state);
  State end_unlisted_name(FrameId object, uint32_t exit_state);
  bool may_repeat(FrameId object, uint32_t key_class) const;
  bool may_lack_names(FrameId object, uint32_t state);
  bool product_live(FrameId object, uint32_t product);
  bool key_state_live(FrameId object, uint32_t state, uint32_t text);
  bool name_left(FrameId object, uint32_t product, uint32_t text);
  bool find_name_left(FrameId object, uint32_t product, uint32_t text);
  bool name_left_after(FrameId object, uint32_t product, uint32_t text, CodepointRange range,
                       const std::vector<uint32_t>& stored);

  const std::vector<FormulaId>& typed(uint32_t ask, ValueClass value_class);
  uint32_t typed_id(uint32_t ask, ValueClass value_class);
  FrameId make_slot(const Frame& container, Ask ask, std::vector<Binding> bindings, uint32_t name);
  uint32_t shape_id(const std::vector<FormulaId>& formulas);
  bool forced(FormulaId f, FormulaId atom) const;
  FormulaId count_one(FormulaId f);
  Outcome outcome_now(const std::vector<FormulaId>& formulas) const;
  void fail(Status status);
  std::set<const CodepointAutomaton*> automata() const;

  // unevaluated.cpp
  FormulaId take_unevaluated(FormulaId atom, const std::function<bool(NodeId)>& evaluates);
  FormulaId this_value(NodeId node);
  FormulaId unevaluated_property(FormulaId atom, const KeyShape& shape, const KeyClass& key);
  uint64_t unevaluated_items(std::vector<FormulaId>* formulas, uint64_t index);
  void ask_value(std::vector<FormulaId>* formulas, Ask* ask, std::vector<Binding>* bindings);
  bool leaves_unevaluated(const Frame& frame, const KeyClass& key, NodeId* holder);

  // unique_rules.cpp
  bool unique_pending(const std::vector<FormulaId>& formulas);
  void prepare_item(Frame* array, std::vector<FormulaId> formulas, std::vector<Binding>* bindings,
                    Ask* ask);
  bool repetition_helps(const Frame& array, const Ask& ask, const std::vector<Binding>& bindings);
  bool live_after(const Frame& container, const std::vector<Binding>& bindings,
                  const Outcome& outcome, uint32_t name, uint32_t value);
  bool indifferent(FrameId container);
  bool indifferent_locked(FrameId container);
  bool compute_indifferent(const Frame& container);
  enum class Outcomes : uint8_t { kOfAny, kOfValue };
  bool live_with(const Frame& container, const Ask& ask, const std::vector<Binding>& bindings,
                 uint32_t name, uint32_t value, Outcomes outcomes);
  void violate_unique(std::vector<FormulaId>* formulas);
  void prepare_slot(Frame* slot, uint32_t name);
  uint32_t remember_byte(const Leaf& leaf, State s, uint8_t byte, Mode mode);
  uint32_t scalar_value(State s, Mode mode);
  uint32_t content_value(const Frame& container);
  bool in_doubt(FrameId slot, uint32_t value);
  void take_value(Frame* container, std::vector<FormulaId>* formulas, uint32_t name,
                  uint32_t value);
  bool all_forbidden(const Frame& slot, ValueClass value_class);
  uint32_t forbidden_of_class(uint32_t values, ValueClass value_class);
  uint32_t forbidden_items(const Frame& array, const Frame& slot);
  uint32_t forbidden_parts(const Frame& container, const Frame& slot);
  uint32_t keep(uint32_t values, const std::function<bool(uint32_t)>& wanted);
  bool can_differ(FrameId container);
  FormulaId rest_of(const Frame& container, uint32_t value);
  NodeId one_of(uint32_t values);
  enum class Avoid : uint8_t { kWhereNeeded, kAlways };
  const std::vector<FormulaId>& formulas_avoiding(FrameId slot, ValueClass value_class,
                                                  Avoid avoid);
  std::shared_ptr<const ScalarLeaf> listed_leaf(const Frame& slot,
                                                const std::vector<FormulaId>& asked);
  bool append_other_string(std::string exit, State* s, std::string* out);
  bool rest_live(FrameId container);

  // completion.cpp
  bool accepting_locked(State s) const;
  Cost total_cost(FrameId container);
  bool better_closed(FrameId container);
  Cost class_cost(FrameId slot, ValueClass value_class);
  Cost slot_cost(FrameId slot);
  bool append(std::string_view bytes, State* s, std::string* out);
  bool append_value(State* s, std::string* out);
  bool append_name(State* s, std::string* out);
  std::optional<std::u32string_view> required_name(FrameId object);
  bool append_listed(std::u32string_view name, State* s, std::string* out);
  static constexpr uint32_t kAnyClass = UINT32_MAX;
  bool finish_name(State* s, uint32_t key_class, std::string* out);
  Cost tracked_scalar(FrameId slot, std::string* text);
  bool append_tracked_scalar(State* s, std::string* out);
  bool append_known_value(State* s, std::string* out);

  // explanation.cpp
  struct Blame;
  bool blame(NodeId node, ValueClass value_class, const std::function<bool(FormulaId)>& refuses,
             Blame* out);
  void explain_value(State s, const std::string& text, uint8_t byte, Explanation* out);
  void explain_container(State s, uint8_t byte, Explanation* out);
  void explain_name(State s, uint8_t byte, Explanation* out);
  void explain_repetition(FrameId slot, uint8_t byte, Explanation* out);
  std::string holder(FrameId slot, const std::function<bool(const SchemaNode&)>& has);

  std::shared_ptr<const SchemaGraph> graph_;
  SchemaOptions options_;
  bool any_space_;  // white space wherever RFC 8259 allows it
  bool ordered_;    // names come in the order of their ranks
  // What follows ',' and ':', by Gap, and the State::state that stands before it: 0 is nothing
  // fixed, 1 one optional space, else the bytes still to come and the gap.
  std::string gaps_[2];
  uint32_t gap_start_[2] = {0, 0};
  StringSpelling strings_;
  NumberSpelling numbers_;

  StepMemo steps_;                                    // written under mutex_
  std::atomic<bool> failed_{false};                   // status_ is not ok
  mutable std::atomic<uint64_t> exhausted_seen_ = 0;  // the last CodepointAutomaton::exhausted()
  mutable std::mutex mutex_;
  FormulaPool pool_;
  TextStore texts_;
  SetStore sets_;
  Expansion expansion_;
  std::vector<std::unique_ptr<KeyShape>> shapes_;
  StableVector<const StringMachine*> key_machines_;  // of each shape, read unlocked
  std::map<std::pair<std::vector<NodeId>, std::vector<uint32_t>>, uint32_t> shape_ids_;
  ValueStore values_;
  Satisfiability existence_;
  std::unique_ptr<Satisfiability> costs_;  // made when a completion is first asked for
  FrameStore frames_;
  Interner<Ask> asks_;
  Interner<std::vector<Binding>> bindings_;
  Interner<std::vector<FormulaId>> formula_lists_;
  StableVector<std::shared_ptr<const Leaf>> leaves_;  // State::leaf - kFirstLeaf
  std::unordered_map<const Leaf*, uint32_t> leaf_ids_;
  uint32_t literal_leaves_[3] = {0, 0, 0};  // null, false, true
  std::shared_ptr<const Leaf> space_;
  std::shared_ptr<const ScalarLeaf> free_string_;

  // frame_likeness.cpp
  NameHeads heads_;  // those that like_memo_ is for
  std::atomic<bool> heads_known_{false};
  uint32_t texts_compared_ = 0;  // the last text of one code point that was compared with heads_
  bool heads_clash_ = false;
  AtomicTable<FrameId> like_memo_, inside_memo_;
  AlikeNodes alike_nodes_;
  FlatMap<uint32_t> like_asks_;
  Interner<std::vector<uint32_t>> like_lists_;
  std::vector<State> like_names_;  // by like_lists_ id: the first state with that list
  std::unordered_map<uint32_t, std::vector<uint32_t>> whole_names_;  // by shape
  FrameStore like_keys_;
  std::vector<FrameId> like_frames_;  // by like_keys_ id: the first frame with that key

  FlatMap<uint32_t> typed_memo_, leaf_memo_, container_memo_;
  std::unordered_map<FrameId, Cost> cost_memo_, total_memo_;
  FlagTable slot_memo_, frame_memo_, close_memo_, open_memo_, name_memo_;  // by frame: kYes, kNo
  FlagTable names_memo_;                                                   // by frame: Names
  FlagTable indifferent_memo_;                                             // by frame: kYes, kNo
  AtomicTable<FrameId> item_memo_;  // by array: item_slot(), kNoSlot where there is none
  static constexpr FrameId kNoSlot = UINT32_MAX;
  AtomicTable<ValueStarts*> value_starts_;  // by slot
  std::vector<std::unique_ptr<ValueStarts>> owned_value_starts_;
  std::unordered_map<uint64_t, PlainObject> plain_objects_;  // (formulas, shape)
  std::map<std::pair<uint32_t, std::vector<uint32_t>>, PlainNames> plain_names_;
  // (shape, 0, classes); where not all classes are known (shape, object, none)
  std::map<std::tuple<uint32_t, FrameId, std::vector<uint32_t>>, OtherNames> other_names_;
  AtomicTable<NameSet*> name_sets_;  // by frame
  std::vector<std::unique_ptr<NameSet>> owned_name_sets_;
  FlatMap<bool> left_memo_;           // (object, text) -> name_left()
  AtomicTable<uint16_t> class_memo_;  // by slot: two bits for each class, kYes or kNo
  // property_slot() by object and class, and by text too where the class leaves the name open.
  FlatMap<FrameId> class_slots_;
  std::map<std::tuple<FrameId, uint32_t, uint32_t>, FrameId> named_slots_;
  // The parts of a disjunction, by one of the bits that make them false, with all such bits.
  struct Branches {
    std::vector<FormulaId> free;
    std::unordered_map<uint32_t, std::vector<std::pair<FormulaId, std::vector<uint32_t>>>> bound;
  };
  std::unordered_map<uint64_t, Branches> branches_memo_;  // (bindings, formula)
  FormulaId unique_;                                      // the kUnique atom
  bool compares_items_ = false;                           // does it occur?
  FlatMap<FrameId> after_memo_;                           // (slot, value or outcome) -> apply()
  std::unordered_map<uint32_t, NodeId> one_of_memo_;
  // A list of strings: its machine, and which of them values are that were forbidden.
  struct ListedStrings {
    static constexpr uint32_t kNone = UINT32_MAX;
    std::shared_ptr<const StringMachine> machine;
    std::unordered_map<uint32_t, uint32_t> index;
  };
  std::unordered_map<FormulaId, ListedStrings> listed_strings_;  // by kOneOfStrings formula
  std::unordered_map<uint64_t, uint32_t> avoiding_memo_;         // (slot, class) -> FormulaList

  // What the running shortest_completion has written: unlisted names, scalars whose outcome
  // matters.
  size_t free_names_ = 0, tracked_scalars_ = 0;
  State start_;
  Status status_;
};

}  // namespace espalier
