#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/corpus.h"
#include "espalier/model.h"
#include "espalier/status.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// What `espalier train` is asked to do.
struct TrainOptions {
  std::string data_dir;    ///< folder of MaskBench files, searched recursively for *.json
  std::string output;      ///< the model file to write
  std::string vocabulary;  ///< a vocabulary file to train over; "": learn one from the text
  VocabularyOptions vocabulary_options;  ///< how to read `vocabulary`
  size_t vocabulary_size = 4096;  ///< of a learned vocabulary, end of sequence included (>= 257)
  int order = 6;                  ///< longest n-gram, 1..kMaxNgramOrder
  size_t max_bytes = 3'500'000;   ///< the file is pruned to fit
  CorpusHalf half = CorpusHalf::kTrain;
};

/// How well a model predicts a set of documents; each document counts its end of sequence.
struct Evaluation {
  size_t documents = 0;
  size_t bytes = 0;
  size_t tokens = 0;
  double bits = 0;            ///< total -log2 probability
  double perplexity() const;  ///< per token
  double bits_per_byte() const;
};

struct TrainReport {
  size_t files = 0;
  size_t documents = 0;
  size_t text_bytes = 0;
  size_t tokens = 0;
  size_t file_bytes = 0;
  std::vector<size_t> ngrams_counted;  ///< by order, from 1
  std::vector<size_t> ngrams_kept;
};

/// Called with one line of progress at a time (no newline).
using TrainProgress = std::function<void(std::string_view line)>;

/// Trains an n-gram model and writes it. Equal inputs give equal files, bit for bit.
Status train_ngram(const TrainOptions& options, const TrainProgress& progress = nullptr,
                   TrainReport* report = nullptr);

/// Scores `model` on the documents of one half of a corpus (held out: CorpusHalf::kHeldOut),
/// encoded by the model's vocabulary or, if given, by `encoder`, whose ids must mean the same.
Result<Evaluation> evaluate_model(LanguageModel& model, const std::string& data_dir,
                                  CorpusHalf half, const Vocabulary* encoder = nullptr);

}  // namespace espalier
