// The normalizers and pre-tokenizers of Hugging Face's tokenizer.json.
//
// Both are trees of typed components: {"type": "Sequence", "normalizers": [...]}, {"type": "NFC"},
// {"type": "Split", "pattern": {"Regex": "..."}, "behavior": "Isolated"}, ... They are flattened
// into the steps of text_normalizer.h and the rules of pretokenizer.h.
//
// Example: Llama-3's Sequence[Split(Regex, Isolated), ByteLevel(use_regex: false)] is one rule.
//
// Invariants: a component that cannot be carried over exactly is refused by name, never left out.
// The pre-tokenizers that also change the text (Metaspace, ByteLevel with add_prefix_space) are
// accepted as normalizer steps where nothing was split before them, which is where models have
// them.
//
// Reference: huggingface/tokenizers, documentation of Normalizers and Pre-tokenizers.
#include "engine/vocabulary/huggingface_stages.h"

#include "engine/tokenizers/sentencepiece.h"

namespace espalier {
namespace {

using Json = rapidjson::Value;
using Kind = NormalizerStep::Kind;

constexpr int kMaxDepth = 16;
constexpr const char* kAsciiAndUnicodePunctuation = R"([\p{P}!-/:-@\[-`{-~])";

Status unsupported(const std::string& pointer, const std::string& what) {
  return Status(StatusCode::kUnsupported, what + " is not supported, so text cannot be encoded.",
                pointer);
}

Status read_normalizer(const Json& json, const std::string& pointer, int depth,
                       std::vector<NormalizerStep>& steps) {
  if (json.IsNull()) return Status();
  const std::string type = json_string(json, "type");
  if (type == "Sequence") {
    const Json* list = json_member(json, "normalizers");
    if (list == nullptr || !list->IsArray() || depth >= kMaxDepth) {
      return unsupported(pointer, "This normalizer sequence");
    }
    for (rapidjson::SizeType i = 0; i < list->Size(); ++i) {
      Status status = read_normalizer((*list)[i], pointer + "/normalizers/" + std::to_string(i),
                                      depth + 1, steps);
      if (!status.ok()) return status;
    }
    return Status();
  }
  if (type == "NFC") {
    steps.push_back({Kind::kNfc, "", ""});
  } else if (type == "NFD") {
    steps.push_back({Kind::kNfd, "", ""});
  } else if (type == "NFKC") {
    steps.push_back({Kind::kNfkc, "", ""});
  } else if (type == "NFKD") {
    steps.push_back({Kind::kNfkd, "", ""});
  } else if (type == "Lowercase") {
    steps.push_back({Kind::kLowercase, "", ""});
  } else if (type == "Strip") {
    if (json_bool(json, "strip_left", true)) steps.push_back({Kind::kStripLeft, "", ""});
    if (json_bool(json, "strip_right", true)) steps.push_back({Kind::kStripRight, "", ""});
  } else if (type == "Prepend") {
    steps.push_back({Kind::kPrepend, "", json_string(json, "prepend")});
  } else if (type == "Replace") {
    const Json* pattern = json_member(json, "pattern");
    const std::string from = pattern != nullptr ? json_string(*pattern, "String") : "";
    if (from.empty()) return unsupported(pointer, "A Replace normalizer without a string pattern");
    steps.push_back({Kind::kReplace, from, json_string(json, "content")});
  } else {
    return unsupported(pointer, "The normalizer \"" + type + "\"");
  }
  return Status();
}

bool read_behavior(const Json& json, SplitBehavior& behavior) {
  const std::string name = json_string(json, "behavior");
  if (name == "Isolated") {
    behavior = SplitBehavior::kIsolated;
  } else if (name == "Removed") {
    behavior = SplitBehavior::kRemoved;
  } else if (name == "MergedWithPrevious") {
    behavior = SplitBehavior::kMergedWithPrevious;
  } else if (name == "MergedWithNext") {
    behavior = SplitBehavior::kMergedWithNext;
  } else if (name == "Contiguous") {
    behavior = SplitBehavior::kContiguous;
  } else {
    return false;
  }
  return true;
}

Status read_metaspace(const Json& json, const std::string& pointer, HuggingFaceStages& stages) {
  if (!stages.rules.empty()) return unsupported(pointer, "Metaspace after another split");
  std::string replacement = json_string(json, "replacement");
  if (replacement.empty()) replacement = kSentencePieceSpace;
  stages.normalizer.push_back({Kind::kReplace, " ", replacement});
  std::string scheme = json_string(json, "prepend_scheme");
  if (scheme.empty()) scheme = json_bool(json, "add_prefix_space", true) ? "always" : "never";
  if (scheme == "always") {
    stages.normalizer.push_back({Kind::kPrependUnless, "", replacement});
  } else if (scheme == "first") {
    stages.normalizer.push_back({Kind::kPrependFirstUnless, "", replacement});
  } else if (scheme != "never") {
    return unsupported(pointer, "The prepend scheme \"" + scheme + "\"");
  }
  if (json_bool(json, "split", true)) {
    stages.rules.push_back({replacement, true, false, SplitBehavior::kMergedWithNext});
  }
  return Status();
}

Status read_split(const Json& json, const std::string& pointer, HuggingFaceStages& stages) {
  SplitRule rule;
  const Json* pattern = json_member(json, "pattern");
  const Json* regex = pattern != nullptr ? json_member(*pattern, "Regex") : nullptr;
  rule.literal = regex == nullptr;
  rule.pattern = pattern != nullptr ? json_string(*pattern, rule.literal ? "String" : "Regex") : "";
  rule.invert = json_bool(json, "invert", false);
  if (rule.pattern.empty() || !read_behavior(json, rule.behavior)) {
    return unsupported(pointer, "This Split");
  }
  stages.rules.push_back(std::move(rule));
  return Status();
}

Status read_pretokenizer(const Json& json, const std::string& pointer, int depth,
                         HuggingFaceStages& stages) {
  if (json.IsNull()) return Status();
  const std::string type = json_string(json, "type");
  if (type == "Sequence") {
    const Json* list = json_member(json, "pretokenizers");
    if (list == nullptr || !list->IsArray() || depth >= kMaxDepth) {
      return unsupported(pointer, "This pre-tokenizer sequence");
    }
    for (rapidjson::SizeType i = 0; i < list->Size(); ++i) {
      Status status = read_pretokenizer((*list)[i], pointer + "/pretokenizers/" + std::to_string(i),
                                        depth + 1, stages);
      if (!status.ok()) return status;
    }
    return Status();
  }
  if (type == "Split") return read_split(json, pointer, stages);
  if (type == "Metaspace") return read_metaspace(json, pointer, stages);
  if (type == "ByteLevel") {
    if (json_bool(json, "add_prefix_space", true)) {
      if (!stages.rules.empty()) return unsupported(pointer, "add_prefix_space after a split");
      stages.normalizer.push_back({Kind::kPrependUnless, "", " "});
    }
    if (json_bool(json, "use_regex", true)) {
      const std::optional<PretokenizerPreset> gpt2 = pretokenizer_preset("gpt2");
      stages.rules.insert(stages.rules.end(), gpt2->rules.begin(), gpt2->rules.end());
    }
  } else if (type == "Digits") {
    const bool individual = json_bool(json, "individual_digits", false);
    stages.rules.push_back({individual ? R"(\p{N})" : R"(\p{N}+)"});
  } else if (type == "Punctuation") {
    SplitRule rule{kAsciiAndUnicodePunctuation};
    if (json_member(json, "behavior") != nullptr && !read_behavior(json, rule.behavior)) {
      return unsupported(pointer, "This Punctuation");
    }
    stages.rules.push_back(std::move(rule));
  } else if (type == "WhitespaceSplit") {
    stages.rules.push_back({R"(\s+)", false, false, SplitBehavior::kRemoved});
  } else {
    return unsupported(pointer, "The pre-tokenizer \"" + type + "\"");
  }
  return Status();
}

bool tree_has(const Json& json, const char* type, int depth) {
  if (!json.IsObject() || depth > kMaxDepth) return false;
  if (json_string(json, "type") == type) return true;
  for (const char* list : {"normalizers", "pretokenizers", "decoders"}) {
    const Json* items = json_member(json, list);
    if (items == nullptr || !items->IsArray()) continue;
    for (const Json& item : items->GetArray()) {
      if (tree_has(item, type, depth + 1)) return true;
    }
  }
  return false;
}

}  // namespace

const Json* json_member(const Json& object, const char* name) {
  if (!object.IsObject()) return nullptr;
  const auto found = object.FindMember(name);
  return found != object.MemberEnd() ? &found->value : nullptr;
}

bool json_bool(const Json& object, const char* name, bool fallback) {
  const Json* value = json_member(object, name);
  return value != nullptr && value->IsBool() ? value->GetBool() : fallback;
}

std::string json_string(const Json& object, const char* name) {
  const Json* value = json_member(object, name);
  if (value == nullptr || !value->IsString()) return {};
  return std::string(value->GetString(), value->GetStringLength());
}

bool has_component(const Json& root, const char* member, const char* type) {
  const Json* tree = json_member(root, member);
  return tree != nullptr && tree_has(*tree, type, 0);
}

Result<HuggingFaceStages> read_huggingface_stages(const Json& root) {
  HuggingFaceStages stages;
  if (const Json* normalizer = json_member(root, "normalizer")) {
    Status status = read_normalizer(*normalizer, "/normalizer", 0, stages.normalizer);
    if (!status.ok()) return status;
  }
  if (const Json* pretokenizer = json_member(root, "pre_tokenizer")) {
    Status status = read_pretokenizer(*pretokenizer, "/pre_tokenizer", 0, stages);
    if (!status.ok()) return status;
  }
  return stages;
}

}  // namespace espalier
