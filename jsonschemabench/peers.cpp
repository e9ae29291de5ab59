// Other engines beside ours: installed from PyPI, fed the same token ids, timed by the same rules.
//
// An engine is a Python package behind a thin adapter (jsonschemabench/peers, built into the
// program and written beside the virtual environment). We tokenize, so every engine sees the ids
// that we see; the adapter times and checks as maskbench_job.cpp does and answers with the same
// line of results. It also measures what two calls through its binding cost without work, which is
// reported and never subtracted. Nothing of this is needed to build or to run espalier.
//
// Invariant: run() answers for every file. A peer that dies or hangs is a crash or a timeout of
// that file and is started again for the next one (seconds, outside every clock).

#include "jsonschemabench/peers.h"

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "jsonschemabench/peer_adapters.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Writer = rapidjson::Writer<rapidjson::StringBuffer>;
constexpr auto kStartLimit = std::chrono::minutes(5);

struct Package {
  std::string_view name;
  std::string_view requirement;
};
constexpr Package kPackages[] = {{"llguidance", "llguidance==1.9.1"},
                                 {"xgrammar", "xgrammar==0.2.6rc2"}};

const Package* package_named(std::string_view name) {
  for (const Package& package : kPackages) {
    if (package.name == name) return &package;
  }
  return nullptr;
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string last_line(const std::string& path) {
  std::ifstream stream(path);
  std::string line;
  std::string last;
  while (std::getline(stream, line)) {
    if (!line.empty()) last = line;
  }
  return last;
}

bool succeeds(const std::string& command, const std::string& log) {
  return std::system(fmt::format("{} > {} 2>&1 < /dev/null", command, quoted(log)).c_str()) == 0;
}

Status write_adapters(const fs::path& folder) {
  for (const PeerAdapter& adapter : kPeerAdapters) {
    std::ofstream stream(folder / adapter.file, std::ios::binary | std::ios::trunc);
    stream << adapter.text;
    if (!stream.flush()) {
      return Status(StatusCode::kIoError, "The adapter cannot be written.",
                    (folder / adapter.file).string());
    }
  }
  return {};
}

void key(Writer* writer, std::string_view name) {
  writer->Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}

void text(Writer* writer, std::string_view name, std::string_view value) {
  key(writer, name);
  writer->String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

void ids(Writer* writer, std::string_view name, std::span<const TokenId> tokens) {
  key(writer, name);
  writer->StartArray();
  for (TokenId token : tokens) writer->Int(token);
  writer->EndArray();
}

std::string hexadecimal(std::string_view bytes) {
  std::string out;
  for (unsigned char byte : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", byte);
  return out;
}

std::string line_of(const rapidjson::StringBuffer& buffer) {
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace

std::string default_peer_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    return fmt::format("{}/espalier/peers", cache);
  }
  const char* home = std::getenv("HOME");
  return fmt::format("{}/.cache/espalier/peers", home != nullptr ? home : ".");
}

Result<PeerInstallation> set_up_peers(const std::vector<std::string>& names,
                                      const std::string& folder) {
  std::error_code error;
  const fs::path root = fs::absolute(folder, error);
  fs::create_directories(root, error);
  if (error) return Status(StatusCode::kIoError, "The folder cannot be made.", folder);
  const std::string python = (root / "venv/bin/python").string();
  const std::string log = (root / "setup.log").string();
  for (const std::string& name : names) {
    const Package* package = package_named(name);
    if (package == nullptr) {
      return Status(StatusCode::kInvalidArgument,
                    "It is not a known peer; there are llguidance and xgrammar.", name);
    }
    const size_t equals = package->requirement.find("==");
    const std::string check = fmt::format(
        "{} -c 'from importlib.metadata import version; import sys; "
        "sys.exit(version(\"{}\") != \"{}\")'",
        quoted(python), name, package->requirement.substr(equals + 2));
    if (succeeds(check, log)) continue;
    fmt::print(stderr, "espalier: installing {} from PyPI into {} (once)\n", package->requirement,
               root.string());
    std::string maker = "python3";
    if (fs::exists("/usr/bin/python3", error)) maker = "/usr/bin/python3";
    if (!fs::exists(python, error) &&
        !succeeds(fmt::format("{} -m venv {}", maker, quoted((root / "venv").string())), log)) {
      return Status(StatusCode::kIoError,
                    fmt::format("No virtual environment can be made (Debian: python3-venv): {}",
                                last_line(log)),
                    root.string());
    }
    const std::string install = fmt::format(
        "{} -m pip install --quiet --disable-pip-version-check --retries 1 "
        "--timeout 20 numpy {}",
        quoted(python), quoted(std::string(package->requirement)));
    if (!succeeds(install, log)) {
      return Status(StatusCode::kIoError,
                    fmt::format("PyPI does not give {}: {}", package->requirement, last_line(log)),
                    "peers");
    }
  }
  if (Status status = write_adapters(root); !status.ok()) return status;
  return PeerInstallation{root.string(), python};
}

std::string peer_header(const Vocabulary& vocabulary, const PeerOptions& options) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  key(&writer, "cold");
  writer.Bool(options.cold);
  key(&writer, "memory_limit_mib");
  writer.Uint64(options.memory_limit_mib);
  key(&writer, "vocabulary");
  writer.StartObject();
  key(&writer, "width");
  writer.Uint64(vocabulary.width());
  ids(&writer, "eos", vocabulary.eos_ids());
  text(&writer, "pattern", vocabulary.pretokenization());
  std::vector<TokenId> special;
  key(&writer, "tokens");
  writer.StartArray();
  for (TokenId id = 0; id < static_cast<TokenId>(vocabulary.size()); ++id) {
    if (vocabulary.is_special(id)) special.push_back(id);
    writer.String(hexadecimal(vocabulary.bytes(id)).c_str());
  }
  writer.EndArray();
  ids(&writer, "special", special);
  writer.EndObject();
  writer.EndObject();
  return line_of(buffer);
}

Peer::Peer(PeerOptions options, PeerInstallation installation,
           std::shared_ptr<const Vocabulary> vocabulary, std::string header)
    : options_(std::move(options)),
      installation_(std::move(installation)),
      vocabulary_(std::move(vocabulary)),
      header_(std::move(header)),
      engine_(options_.name) {}

Status Peer::start() {
  const std::string log = fmt::format("{}/{}.log", installation_.folder, options_.name);
  const std::string script = fmt::format("{}/{}_peer.py", installation_.folder, options_.name);
  if (!process_.start({installation_.python, script}, log)) {
    return Status(StatusCode::kIoError, "No process can be started.", options_.name);
  }
  std::string answer;
  if (process_.ask(header_, kStartLimit, &answer) != PeerProcess::Answer::kLine) {
    return Status(StatusCode::kIoError,
                  fmt::format("{} did not start: {}; see {}", options_.name, answer, log));
  }
  rapidjson::Document ready;
  ready.Parse(answer.data(), answer.size());
  if (ready.HasParseError() || !ready.IsObject() || !ready.HasMember("version") ||
      !ready["version"].IsString() || !ready.HasMember("call_overhead_us") ||
      !ready["call_overhead_us"].IsNumber()) {
    process_.stop();
    return Status(StatusCode::kParseError, "The adapter's greeting cannot be read.", options_.name);
  }
  engine_ = fmt::format("{} {}", options_.name, ready["version"].GetString());
  call_overhead_ns_ =
      static_cast<uint64_t>(std::llround(ready["call_overhead_us"].GetDouble() * 1e3));
  return {};
}

FileResult Peer::run(const MaskbenchFile& file, const std::string& name) {
  FileResult failed;
  failed.file = name;
  failed.split = split_of(fs::path(name).filename().string());
  failed.outcome = Outcome::kCrash;
  if (!process_.running()) {
    if (const Status status = start(); !status.ok()) failed.reason = status.to_string();
  }
  failed.engine = engine_;
  failed.call_overhead_ns = call_overhead_ns_;
  if (!process_.running()) return failed;

  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  text(&writer, "file", name);
  text(&writer, "split", failed.split);
  text(&writer, "schema", file.schema);
  key(&writer, "tests");
  writer.StartArray();
  for (const MaskbenchTest& test : file.tests) {
    const auto tokens = vocabulary_->encode(test.text);
    if (!tokens.ok()) continue;
    writer.StartObject();
    key(&writer, "valid");
    writer.Bool(test.valid);
    text(&writer, "description", test.description);
    ids(&writer, "tokens", *tokens);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();

  std::string answer;
  const PeerProcess::Answer end = process_.ask(line_of(buffer), options_.time_limit, &answer);
  if (end == PeerProcess::Answer::kLine) {
    auto result = parse_json_line(answer);
    if (!result.ok()) {
      failed.reason = "the adapter's answer cannot be read";
      return failed;
    }
    result->engine = engine_;
    result->call_overhead_ns = call_overhead_ns_;
    return std::move(result).value();
  }
  failed.reason = answer;
  if (end == PeerProcess::Answer::kTimedOut) {
    failed.outcome = Outcome::kTimeout;
    failed.timed = true;
    failed.compile_ns = failed.first_mask_ns =
        static_cast<uint64_t>(std::chrono::nanoseconds(options_.time_limit).count());
  }
  return failed;
}

}  // namespace espalier
