// The table model: contexts looked up by their longest listed suffix. Loading checks everything, so
// that a row can be copied out without a question: each context has one finite or null weight per
// token, at least one of them finite, and is normalized once, in double precision.

#include "backends/table_model.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "engine/vocabulary/mapped_file.h"

namespace espalier {
namespace {

constexpr float kImpossible = -std::numeric_limits<float>::infinity();
constexpr uint32_t kLastByte = 0xff;

std::string_view text_of(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

/// The bytes that a string's code points name, or nullopt if one is above 255. Code points up to
/// 255 take at most two bytes of UTF-8, whose first is then C2 or C3.
std::optional<std::string> token_bytes(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    uint32_t code_point = static_cast<uint8_t>(text[i]);
    if (code_point >= 0x80) {
      if (code_point != 0xc2 && code_point != 0xc3) return std::nullopt;
      if (i + 1 == text.size() || (text[i + 1] & 0xc0) != 0x80) return std::nullopt;
      code_point = (code_point & 0x1f) << 6 | (text[++i] & 0x3f);
    }
    bytes += static_cast<char>(code_point & kLastByte);
  }
  return bytes;
}

std::string escape_pointer(std::string_view token) {
  std::string out;
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

/// Reads the parts of a table in turn; each returns a Status that names the place.
class Loader {
 public:
  explicit Loader(const std::string& name) : name_(name) {}

  Status read(const rapidjson::Document& document) {
    if (!document.IsObject()) return error("", "a table model is a JSON object");
    std::vector<std::string_view> seen;
    for (const auto& member : document.GetObject()) {
      const std::string_view key = text_of(member.name);
      const std::string pointer = "/" + escape_pointer(key);
      if (key != "tokens" && key != "eos" && key != "contexts") {
        return error(pointer,
                     "unknown member; a table model has \"tokens\", \"eos\", \"contexts\"");
      }
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
        return error(pointer, "the member occurs twice");
      }
      seen.push_back(key);
    }
    for (const char* key : {"tokens", "eos", "contexts"}) {
      if (!document.HasMember(key)) {
        return error("", std::string("the member \"") + key + "\" is missing");
      }
    }
    if (Status status = read_tokens(document["tokens"]); !status.ok()) return status;
    if (Status status = read_eos(document["eos"]); !status.ok()) return status;
    return read_contexts(document["contexts"]);
  }

  std::vector<std::string> tokens;
  TokenId eos = 0;
  std::map<std::vector<TokenId>, std::vector<float>> rows;

 private:
  Status error(const std::string& pointer, std::string message) const {
    return {StatusCode::kParseError, std::move(message), name_ + ":" + pointer};
  }

  Status read_tokens(const rapidjson::Value& list) {
    if (!list.IsArray() || list.Empty()) {
      return error("/tokens", "\"tokens\" is an array of at least one string");
    }
    for (const auto& item : list.GetArray()) {
      const std::string pointer = "/tokens/" + std::to_string(tokens.size());
      if (!item.IsString()) return error(pointer, "a token is a string");
      auto bytes = token_bytes(text_of(item));
      if (!bytes) {
        return error(pointer, "a token's code points stand for bytes: none is above 255");
      }
      tokens.push_back(std::move(*bytes));
    }
    return {};
  }

  Status read_eos(const rapidjson::Value& value) {
    if (!value.IsUint() || value.GetUint() >= tokens.size()) {
      return error("/eos",
                   "\"eos\" is the id of one of the " + std::to_string(tokens.size()) + " tokens");
    }
    eos = static_cast<TokenId>(value.GetUint());
    return {};
  }

  Status read_contexts(const rapidjson::Value& contexts) {
    if (!contexts.IsObject()) return error("/contexts", "\"contexts\" is an object");
    for (const auto& member : contexts.GetObject()) {
      const std::string_view key = text_of(member.name);
      const std::string pointer = "/contexts/" + escape_pointer(key);
      std::vector<TokenId> context;
      if (Status status = read_ids(key, pointer, &context); !status.ok()) return status;
      std::vector<float> row;
      if (Status status = read_row(member.value, pointer, &row); !status.ok()) return status;
      if (!rows.emplace(std::move(context), std::move(row)).second) {
        return error(pointer, "the context is listed twice");
      }
    }
    if (!rows.contains({})) return error("/contexts", "the empty context \"\" is missing");
    return {};
  }

  /// Ids in decimal with one space between.
  Status read_ids(std::string_view key, const std::string& pointer, std::vector<TokenId>* ids) {
    const char* at = key.data();
    const char* end = at + key.size();
    while (at != end) {
      uint32_t id = 0;
      const auto parsed = std::from_chars(at, end, id);
      if (parsed.ec != std::errc() || (parsed.ptr != end && *parsed.ptr != ' ')) {
        return error(pointer, "a context is a list of ids with one space between");
      }
      if (id >= tokens.size()) {
        return error(pointer, "there is no token " + std::to_string(id));
      }
      ids->push_back(static_cast<TokenId>(id));
      at = parsed.ptr;
      if (at != end && ++at == end) {
        return error(pointer, "a context is a list of ids with one space between");
      }
    }
    return {};
  }

  Status read_row(const rapidjson::Value& list, const std::string& pointer,
                  std::vector<float>* row) {
    if (!list.IsArray() || list.Size() != tokens.size()) {
      return error(pointer, "a context has one log-weight for each of the " +
                                std::to_string(tokens.size()) + " tokens");
    }
    std::vector<double> weights;
    for (const auto& item : list.GetArray()) {
      if (!item.IsNumber() && !item.IsNull()) {
        return error(pointer + "/" + std::to_string(weights.size()),
                     "a log-weight is a number or null");
      }
      weights.push_back(item.IsNull() ? kImpossible : item.GetDouble());
    }
    const double largest = *std::max_element(weights.begin(), weights.end());
    if (std::isinf(largest)) return error(pointer, "every token is impossible");
    double sum = 0;
    for (const double weight : weights) sum += std::exp(weight - largest);
    for (const double weight : weights) {
      const double log_probability = weight - largest - std::log(sum);
      row->push_back(static_cast<float>(
          std::isinf(weight)
              ? kImpossible
              : std::max<double>(log_probability, std::numeric_limits<float>::lowest())));
    }
    return {};
  }

  const std::string& name_;
};

}  // namespace

TableModel::TableModel(std::shared_ptr<const Vocabulary> vocabulary, Rows rows, std::string name)
    : HistoryModel(std::move(vocabulary)), name_(std::move(name)), rows_(std::move(rows)) {
  for (const auto& [context, row] : rows_) longest_ = std::max(longest_, context.size());
}

Result<std::unique_ptr<TableModel>> TableModel::load(const std::string& path) {
  const auto file = MappedFile::open(path);
  if (!file.ok()) return file.status();
  return from_json(file->bytes(), path);
}

Result<std::unique_ptr<TableModel>> TableModel::from_json(std::string_view text,
                                                          const std::string& name) {
  rapidjson::Document document;
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag |
                              rapidjson::kParseValidateEncodingFlag;
  document.Parse<kFlags>(text.data(), text.size());
  if (document.HasParseError()) {
    return Status(StatusCode::kParseError, rapidjson::GetParseError_En(document.GetParseError()),
                  name + ":" + std::to_string(document.GetErrorOffset()));
  }
  Loader loader(name);
  if (Status status = loader.read(document); !status.ok()) return status;
  auto vocabulary = Vocabulary::from_tokens(std::move(loader.tokens), {loader.eos});
  if (!vocabulary.ok()) {
    return Status(vocabulary.status().code(), vocabulary.status().message(), name + ":/tokens");
  }
  return std::unique_ptr<TableModel>(
      new TableModel(std::move(vocabulary).value(), std::move(loader.rows), name));
}

void TableModel::fill_row(std::span<const TokenId> context, std::span<float> row) {
  for (size_t skip = 0; skip <= context.size(); ++skip) {
    const auto found = rows_.find({context.begin() + skip, context.end()});
    if (found == rows_.end()) continue;
    std::copy(found->second.begin(), found->second.end(), row.begin());
    return;
  }
}

}  // namespace espalier
