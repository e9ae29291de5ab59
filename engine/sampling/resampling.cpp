// Resampling a weighted population.
//
// Offspring are drawn so that item i is expected n w_i / W times, which keeps every estimate
// unbiased; the schemes differ in the variance they add. All but the first place n points on the
// line that the weights divide and count the points in each part:
//
//   weights  | a       | b  | c            |       n = 4
//   points     x     x      x      x               stratified: one uniform point in each quarter
//   points      x       x       x       x          systematic: one uniform offset for all quarters
//
// Multinomial uses n independent points, sorted. Residual gives floor(n w_i / W) offspring to item
// i for certain and draws the rest multinomially from the fractional parts.
//
// Invariants: ancestors ascend; an item of weight zero has no offspring. Cost: O(items + n),
// O(items + n log n) for multinomial. Reference: Douc, Cappe, Moulines, "Comparison of resampling
// schemes for particle filtering", 2005.

#include "engine/sampling/resampling.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/sampling/chance.h"

namespace espalier {
namespace {

/// Appends, for ascending points in [0, 1), the items on whose parts of the line they lie.
class Line {
 public:
  Line(std::span<const double> weights, std::vector<uint32_t>* ancestors)
      : weights_(weights), ancestors_(ancestors) {
    for (size_t i = 0; i < weights.size(); ++i) {
      total_ += weights[i];
      if (weights[i] > 0) last_ = i;
    }
    while (weights_[item_] <= 0 && item_ < last_) ++item_;
    end_ = weights_[item_];
  }

  void add(double point) {
    while (end_ <= point * total_ && item_ < last_) end_ += weights_[++item_];
    ancestors_->push_back(static_cast<uint32_t>(item_));
  }

 private:
  std::span<const double> weights_;
  std::vector<uint32_t>* ancestors_;
  double total_ = 0;
  double end_ = 0;
  size_t item_ = 0;
  size_t last_ = 0;  ///< the last item of positive weight: where rounding may not go beyond
};

/// Where the parts of the line end, as multiples of 1 / `count` of it.
std::vector<double> part_ends(std::span<const double> weights, size_t count) {
  std::vector<double> ends;
  double sum = 0;
  for (const double weight : weights) ends.push_back(sum += weight);
  for (double& end : ends) end *= static_cast<double>(count) / sum;
  return ends;
}

void multinomial(std::span<const double> weights, size_t count, Chance* chance,
                 std::vector<uint32_t>* ancestors) {
  std::vector<double> points(count);
  const Chance::Cuts cuts = [&] { return part_ends(weights, 1); };
  for (double& point : points) point = chance->point(cuts);
  std::sort(points.begin(), points.end());
  Line line(weights, ancestors);
  for (const double point : points) line.add(point);
}

void stratified(std::span<const double> weights, size_t count, Chance* chance,
                std::vector<uint32_t>* ancestors) {
  Line line(weights, ancestors);
  for (size_t i = 0; i < count; ++i) {
    const auto begin = static_cast<double>(i);
    const double offset = chance->point([&] {
      std::vector<double> cuts = part_ends(weights, count);
      for (double& cut : cuts) cut -= begin;
      return cuts;
    });
    line.add((begin + offset) / static_cast<double>(count));
  }
}

void systematic(std::span<const double> weights, size_t count, Chance* chance,
                std::vector<uint32_t>* ancestors) {
  const double offset = chance->point([&] {
    std::vector<double> cuts = part_ends(weights, count);
    for (double& cut : cuts) cut -= std::floor(cut);
    return cuts;
  });
  Line line(weights, ancestors);
  for (size_t i = 0; i < count; ++i) {
    line.add((static_cast<double>(i) + offset) / static_cast<double>(count));
  }
}

void residual(std::span<const double> weights, size_t count, Chance* chance,
              std::vector<uint32_t>* ancestors) {
  double total = 0;
  for (const double weight : weights) total += weight;
  std::vector<double> rest(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    const double expected = static_cast<double>(count) * (weights[i] / total);
    const double whole = std::floor(expected);
    rest[i] = expected - whole;
    ancestors->insert(ancestors->end(), static_cast<size_t>(whole), static_cast<uint32_t>(i));
  }
  if (ancestors->size() > count) ancestors->resize(count);  // rounding of equal shares
  const size_t missing = count - ancestors->size();
  if (missing == 0) return;
  const bool any = std::any_of(rest.begin(), rest.end(), [](double x) { return x > 0; });
  multinomial(any ? std::span<const double>(rest) : weights, missing, chance, ancestors);
  std::sort(ancestors->begin(), ancestors->end());
}

}  // namespace

std::vector<uint32_t> resample(Resampling scheme, std::span<const double> weights, size_t count,
                               Chance* chance) {
  std::vector<uint32_t> ancestors;
  if (weights.empty() || count == 0) return ancestors;
  ancestors.reserve(count);
  switch (scheme) {
    case Resampling::kMultinomial:
      multinomial(weights, count, chance, &ancestors);
      break;
    case Resampling::kStratified:
      stratified(weights, count, chance, &ancestors);
      break;
    case Resampling::kSystematic:
      systematic(weights, count, chance, &ancestors);
      break;
    case Resampling::kResidual:
      residual(weights, count, chance, &ancestors);
      break;
  }
  return ancestors;
}

double log_sum_exp(std::span<const double> values) {
  double max = -std::numeric_limits<double>::infinity();
  for (const double value : values) max = std::max(max, value);
  if (std::isinf(max)) return max;
  double sum = 0;
  for (const double value : values) sum += std::exp(value - max);
  return max + std::log(sum);
}

double effective_sample_size(std::span<const double> log_weights) {
  double max = -std::numeric_limits<double>::infinity();
  for (const double value : log_weights) max = std::max(max, value);
  if (std::isinf(max)) return 0;
  double sum = 0;
  double squares = 0;
  for (const double value : log_weights) {
    const double weight = std::exp(value - max);
    sum += weight;
    squares += weight * weight;
  }
  return sum * sum / squares;
}

}  // namespace espalier
