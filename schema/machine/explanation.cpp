// Why a byte was refused: SchemaMachine::explain.
//
// The idea: ask the machine the same question again with less and less of the schema. At a value
// the nodes that must hold are taken apart keyword by keyword (Expansion::pieces); the first
// keyword that refuses the byte by itself is to blame, and through $ref and allOf the search goes
// down. In a container the formula's own literals say what is missing. A byte that no schema could
// allow is a matter of syntax.
//
// Cost: not on any hot path; builds a few leaves.
#include <algorithm>
#include <set>

#include "schema/machine/schema_machine.h"

namespace espalier {
namespace {

// The JSON pointer of the place that a JSON text's prefix has reached.
std::string instance_pointer(std::string_view text) {
  struct Level {
    bool object;
    std::string name;
    size_t index = 0;
  };
  std::vector<Level> levels;
  std::string last;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      last.clear();
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        last += text[i];
        if (text[i] == '\\' && i + 1 < text.size()) last += text[++i];
      }
    } else if (c == '{' || c == '[') {
      levels.push_back({c == '{', "", 0});
    } else if (c == '}' || c == ']') {
      if (!levels.empty()) levels.pop_back();
    } else if (c == ':') {
      if (!levels.empty()) levels.back().name = last;
    } else if (c == ',' && !levels.empty()) {
      ++levels.back().index;
      levels.back().name.clear();
    }
  }
  std::string pointer;
  for (const Level& level : levels) {
    if (level.object && level.name.empty()) continue;
    pointer += '/';
    if (!level.object) {
      pointer += std::to_string(level.index);
      continue;
    }
    for (const char c : level.name)
      pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return pointer;
}

std::string quoted(uint8_t byte) {
  if (byte >= 0x20 && byte < 0x7F) return std::string("'") + static_cast<char>(byte) + "'";
  static constexpr char kHex[] = "0123456789ABCDEF";
  return std::string("byte 0x") + kHex[byte >> 4] + kHex[byte & 15];
}

std::string utf8(const std::u32string& text) {
  std::string out;
  for (const char32_t c : text) append_wtf8(&out, c);
  return out;
}

}  // namespace

struct SchemaMachine::Blame {
  std::string pointer;
  std::string keyword;
};

bool SchemaMachine::blame(NodeId id, ValueClass c, const std::function<bool(FormulaId)>& refuses,
                          Blame* out) {
  if (!refuses(expansion_.expand(id, c))) return false;
  for (const Expansion::Piece& piece : expansion_.pieces(id, c)) {
    if (!refuses(piece.formula)) continue;
    if (piece.node != kNoNode && piece.node != id && blame(piece.node, c, refuses, out))
      return true;
    *out = {expansion_.node(id).pointer, piece.keyword};
    return true;
  }
  *out = {expansion_.node(id).pointer, "the combination of its keywords"};
  return true;
}

Explanation SchemaMachine::explain(State s, const std::string& text, uint8_t byte) {
  const std::lock_guard lock(mutex_);
  Explanation out;
  out.keyword = "syntax";
  out.instance_path = instance_pointer(text);
  if (s.dead()) {
    out.keyword = "schema";
    out.sentence = "no instance satisfies the schema";
    return out;
  }
  if (!advance(s, byte, Mode::kProbe).dead()) return out;
  if (s.leaf >= kFirstLeaf || s.leaf == kValue) {
    explain_value(s, text, byte, &out);
  } else if (s.leaf == kKey) {
    explain_name(s, byte, &out);
  } else if (s.leaf == kDone) {
    out.sentence = quoted(byte) + " follows the end of the value";
  } else if (s.leaf == kColon) {
    out.sentence = "expected ':' after the property name, not " + quoted(byte);
  } else {
    explain_container(s, byte, &out);
  }
  return out;
}

void SchemaMachine::explain_value(State s, const std::string& text, uint8_t byte,
                                  Explanation* out) {
  const bool inside = s.leaf >= kFirstLeaf;
  std::string scalar;  // the value's bytes so far, its first byte included
  if (inside) {
    // The value starts after the last structural byte outside a string.
    size_t start = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.size(); ++i) {
      if (in_string) {
        if (text[i] == '\\') ++i;
        if (i < text.size() && text[i] == '"') in_string = false;
      } else if (text[i] == '"') {
        in_string = true;
        start = i;
      } else if (std::string_view("{}[],: \t\r\n").find(text[i]) != std::string_view::npos) {
        start = i + 1;
      }
    }
    scalar = text.substr(start);
  }
  const uint8_t first = inside && !scalar.empty() ? static_cast<uint8_t>(scalar[0]) : byte;
  ValueClass c = ValueClass::kNumber;
  switch (first) {
    case 'n':
      c = ValueClass::kNull;
      break;
    case 'f':
      c = ValueClass::kFalse;
      break;
    case 't':
      c = ValueClass::kTrue;
      break;
    case '"':
      c = ValueClass::kString;
      break;
    case '[':
      c = ValueClass::kArray;
      break;
    case '{':
      c = ValueClass::kObject;
      break;
    default:
      break;
  }
  const bool is_scalar = c == ValueClass::kString || c == ValueClass::kNumber;
  if (first != '-' && !(first >= '0' && first <= '9') && c == ValueClass::kNumber) {
    out->sentence = "expected a JSON value, not " + quoted(byte);
    return;
  }
  const auto refuses = [&](FormulaId f) {
    if (!inside) return existence_.value_of_class(f, c) == kNever;
    if (!is_scalar) return false;
    std::shared_ptr<const ScalarLeaf> leaf;
    if (c == ValueClass::kString) {
      leaf = string_leaf(pool_, {f}, expansion_.atoms(), strings_, nullptr);
    } else {
      auto number = number_leaf(pool_, {f}, expansion_.atoms(), numbers_, nullptr);
      if (number.ok()) leaf = *number;
    }
    if (leaf == nullptr) return false;
    uint32_t state = leaf->start();
    for (const char b : scalar.substr(c == ValueClass::kString ? 1 : 0)) {
      if (state != 0) state = leaf->step(state, static_cast<uint8_t>(b));
    }
    if (state == 0) return true;
    return leaf->step(state, byte) == 0 && !(c == ValueClass::kNumber && leaf->can_exit(state));
  };
  if (inside && refuses(FormulaPool::kTrue)) {
    out->sentence = quoted(byte) + " is not allowed at this place of a JSON " +
                    (c == ValueClass::kString   ? "string"
                     : c == ValueClass::kNumber ? "number"
                                                : "literal");
    return;
  }
  Blame culprit;
  const Ask ask = asks_[frames_[s.frame].ask];
  for (const NodeId id : ask[0]) {
    if (!blame(id, c, refuses, &culprit)) continue;
    out->schema_pointer = culprit.pointer;
    out->keyword = culprit.keyword;
    out->sentence = quoted(byte) + " is refused by " + culprit.keyword + " of the schema at '" +
                    culprit.pointer + "'";
    return;
  }
  if (frames_[s.frame].forbidden != 0) {
    explain_repetition(s.frame, byte, out);
    return;
  }
  if (inside && (!is_scalar || ask[0].empty())) {
    out->sentence = quoted(byte) + " is not allowed here";
    return;
  }
  out->keyword = "schema";
  if (!ask[0].empty()) out->schema_pointer = expansion_.node(ask[0][0]).pointer;
  out->sentence =
      "with " + quoted(byte) + " the value could no longer satisfy all schemas that apply to it";
}

void SchemaMachine::explain_name(State s, uint8_t byte, Explanation* out) {
  const Frame frame = frames_[s.frame];
  KeyShape& shape = *shapes_[frame.shape];
  const uint32_t next = shape.machine().step(s.state, byte);
  if (next == 0) {
    out->sentence = quoted(byte) + " is not allowed at this place of a property name";
    return;
  }
  const std::string name = utf8(texts_.text(s.text));
  const std::vector<FormulaId> formulas = formula_lists_[frame.formulas];
  if (shape.machine().ended(next)) {
    const uint32_t id = shape.class_of(shape.machine().signature(shape.machine().product(next)));
    const KeyClass key = shape.key_class(id);
    const uint32_t key_text = key.string != StringSignature::kOther ? key.text : s.text;
    if (sets_.contains(frame.seen, key_text)) {
      out->sentence = "the property name \"" + name + "\" was used before";
      return;
    }
    if (ordered_ && key.order < frame.order) {
      out->keyword = "properties";
      out->sentence = "the property \"" + name +
                      "\" was used before or comes too late for the order of properties";
      return;
    }
    if (NodeId holder = kNoNode; leaves_unevaluated(frame, key, &holder)) {
      out->schema_pointer = expansion_.node(holder).pointer;
      out->keyword = "unevaluatedProperties";
      out->sentence = "no subschema that can still hold evaluates the property \"" + name + "\"";
      return;
    }
    for (size_t i = 0; i < shape.nodes().size(); ++i) {
      if (!key.effects[i].violates) continue;
      const SchemaNode& node = expansion_.node(shape.nodes()[i]);
      out->schema_pointer = node.pointer;
      out->keyword = node.property_names != kNoNode ? "propertyNames" : "additionalProperties";
      out->sentence = "the property name \"" + name + "\" is refused by " + out->keyword;
      return;
    }
  }
  for (const NodeId id : shape.nodes()) {
    const SchemaNode& node = expansion_.node(id);
    if (node.additional_properties == kNoNode && node.property_names == kNoNode) continue;
    if (!forced(formulas[0], pool_.atom({Atom::Kind::kProperties, id, 0}))) continue;
    out->schema_pointer = node.pointer;
    out->keyword = node.property_names != kNoNode ? "propertyNames" : "additionalProperties";
    out->sentence =
        "no allowed property name starts with \"" + name + static_cast<char>(byte) + "\"";
    return;
  }
  out->keyword = "schema";
  out->sentence = "a property named \"" + name + "\" leaves no way to satisfy the schema";
}

// The pointer of a node that applies to the slot's value and has a keyword, "" if there is none.
std::string SchemaMachine::holder(FrameId slot, const std::function<bool(const SchemaNode&)>& has) {
  std::vector<NodeId> queue = asks_[frames_[slot].ask][0];
  std::set<NodeId> seen(queue.begin(), queue.end());
  for (size_t i = 0; i < queue.size(); ++i) {
    const SchemaNode& node = expansion_.node(queue[i]);
    if (has(node)) return node.pointer;
    std::vector<NodeId> below = node.all_of;
    below.insert(below.end(), node.any_of.begin(), node.any_of.end());
    below.insert(below.end(), node.one_of.begin(), node.one_of.end());
    for (const NodeId id : {node.ref, node.if_schema, node.then_schema, node.else_schema})
      below.push_back(id);
    for (const auto& [name, id] : node.dependent_schemas) below.push_back(id);
    for (const NodeId id : below) {
      if (id != kNoNode && seen.insert(id).second) queue.push_back(id);
    }
  }
  return "";
}

// Where a value must differ from those of earlier items: the array's uniqueItems.
void SchemaMachine::explain_repetition(FrameId slot, uint8_t byte, Explanation* out) {
  while (frames_[slot].parent != 0) {
    const Frame container = frames_[frames_[slot].parent];
    slot = container.parent;
    if (container.kind != Frame::Kind::kArray ||
        !unique_pending(formula_lists_[container.formulas]))
      continue;
    out->keyword = "uniqueItems";
    out->schema_pointer = holder(slot, [](const SchemaNode& node) { return node.unique_items; });
    out->sentence = "with " + quoted(byte) + " an item would repeat an earlier one";
    return;
  }
}

void SchemaMachine::explain_container(State s, uint8_t byte, Explanation* out) {
  const Frame frame = frames_[s.frame];
  const bool object = frame.kind == Frame::Kind::kObject;
  const std::vector<FormulaId> formulas = formula_lists_[frame.formulas];
  const auto blame_keyword = [&](const std::string& keyword, const std::string& sentence,
                                 const std::function<bool(const SchemaNode&)>& has) {
    out->keyword = keyword;
    out->schema_pointer = holder(frame.parent, has);
    out->sentence = sentence;
  };
  if (byte == (object ? '}' : ']')) {
    if (sets_.contains(frames_[frame.parent].forbidden, content_value(frame))) {
      explain_repetition(frame.parent, byte, out);
      return;
    }
    for (const FormulaId atom : pool_.atoms(formulas[0])) {
      if (!forced(formulas[0], atom)) continue;
      const Atom a = pool_.atom_of(atom);
      if (a.kind == Atom::Kind::kRequired) {
        const std::string name = utf8(texts_.text(a.index));
        blame_keyword("required", "the required property \"" + name + "\" is missing",
                      [&](const SchemaNode& node) {
                        return std::find(node.required.begin(), node.required.end(), name) !=
                               node.required.end();
                      });
        return;
      }
      if (a.kind == Atom::Kind::kMoreProperties) {
        blame_keyword("minProperties", std::to_string(a.bound) + " more properties are needed",
                      [](const SchemaNode& node) { return node.min_properties.has_value(); });
        return;
      }
      if (a.kind == Atom::Kind::kMoreItems) {
        blame_keyword("minItems", std::to_string(a.bound) + " more items are needed",
                      [](const SchemaNode& node) { return node.min_items.has_value(); });
        return;
      }
      if (a.kind == Atom::Kind::kContains) {
        blame_keyword("contains", std::to_string(a.bound) + " more matching items are needed",
                      [](const SchemaNode& node) { return node.contains != kNoNode; });
        return;
      }
    }
    blame_keyword(
        "schema",
        std::string("the ") + (object ? "object" : "array") + " does not yet satisfy its schema",
        [](const SchemaNode&) { return true; });
    return;
  }
  if (s.leaf == kArrayStart && byte != ',') {
    const FrameId slot = item_slot(s.frame);
    if (slot != 0) {
      explain_value({slot, kValue, 0, 0}, "", byte, out);
      return;
    }
  }
  if (byte == ',' && s.leaf == kAfterValue) {
    if (object) {
      blame_keyword(
          "additionalProperties", "no further property is possible", [](const SchemaNode& node) {
            return node.max_properties.has_value() || node.additional_properties != kNoNode;
          });
      if (holder(frame.parent, [](const SchemaNode& node) {
            return node.max_properties.has_value();
          }) == out->schema_pointer) {
        out->keyword = "maxProperties";
      }
    } else {
      blame_keyword("maxItems", "no further item is possible", [](const SchemaNode& node) {
        return node.max_items.has_value() || node.items != kNoNode;
      });
    }
    return;
  }
  out->sentence =
      quoted(byte) + " cannot come here: expected " +
      (s.leaf == kAfterValue ? (object ? "',' or '}'" : "',' or ']'")
       : object ? (s.leaf == kObjectStart ? "a property name or '}'" : "a property name")
                : "an item or ']'");
}

}  // namespace espalier
