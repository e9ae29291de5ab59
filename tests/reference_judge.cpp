// The reference validator as a program, so that a script can ask it about many texts.
//
// Each line of standard input is an object with `file`, a schema or MaskBench file, and `text`, an
// instance; the answer to each is one line: "valid", "invalid", or "error: " and the reason where
// the validator has no answer. Formats are asserted.

#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "tests/reference_json.h"
#include "tests/reference_metaschemas.h"
#include "tests/reference_validator.h"

namespace espalier::reference {
namespace {

class Judge {
 public:
  std::string answer(const std::string& line) {
    std::string error;
    const auto question = parse_json(line, &error);
    if (!question) return "error: " + error;
    const Json* file = question->find("file");
    const Json* text = question->find("text");
    if (file == nullptr || text == nullptr) return "error: `file` or `text` is missing";
    if (file->text != file_) {
      file_ = file->text;
      validator_ = open(file_, &error_);
    }
    if (validator_ == nullptr) return "error: " + error_;
    try {
      return validator_->valid(text->text) ? "valid" : "invalid";
    } catch (const std::exception& fault) {
      return std::string("error: ") + fault.what();
    }
  }

 private:
  static std::unique_ptr<ReferenceValidator> open(const std::string& path, std::string* error) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream all;
    all << stream.rdbuf();
    const auto file = parse_json(all.str(), error);
    if (!file) return nullptr;
    const bool maskbench = file->find("schema") != nullptr && file->find("tests") != nullptr;
    ValidatorOptions options;
    options.assert_formats = true;
    options.documents = metaschemas();
    return ReferenceValidator::create(maskbench ? print_json(*file->find("schema")) : all.str(),
                                      options, error);
  }

  std::string file_, error_;
  std::unique_ptr<ReferenceValidator> validator_;
};

}  // namespace
}  // namespace espalier::reference

int main() {
  espalier::reference::Judge judge;
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << judge.answer(line) << std::endl;
  }
  return 0;
}
