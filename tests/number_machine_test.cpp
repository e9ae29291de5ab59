// The number machine against Decimal on whole texts, and against brute force over continuations.

#include "grammar/numbers/number_machine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/test_seed.h"

namespace espalier {
namespace {

using Kind = NumberAtom::Kind;
using Truth = NumberMachine::Truth;
using Machine = std::shared_ptr<const NumberMachine>;
using Random = std::mt19937_64;

int below(Random& random, int n) { return static_cast<int>(random() % static_cast<uint64_t>(n)); }

Decimal decimal(std::string_view text) { return *Decimal::parse(text); }
NumberAtom less(std::string_view text) { return {Kind::kLess, decimal(text), {}}; }
NumberAtom equal(std::string_view text) { return {Kind::kEqual, decimal(text), {}}; }
NumberAtom multiple(std::string_view text) { return {Kind::kMultipleOf, decimal(text), {}}; }
NumberAtom integer() { return {Kind::kInteger, {}, {}}; }
NumberAtom integer_spelling() { return {Kind::kIntegerSpelling, {}, {}}; }

Machine create(std::vector<NumberAtom> atoms, NumberSpelling spelling = NumberSpelling::kJson) {
  auto machine = NumberMachine::create(std::move(atoms), spelling);
  EXPECT_TRUE(machine.ok()) << machine.status().to_string();
  return machine.value();
}

std::string describe(const std::vector<NumberAtom>& atoms) {
  static const char* kNames[] = {"<", "==", "multipleOf ", "integer", "spelled ", "one of "};
  std::string text;
  for (const auto& atom : atoms) {
    text += "[" + std::string(kNames[static_cast<int>(atom.kind)]) + atom.operand.to_string();
    for (const Decimal& member : atom.members) text += " " + member.to_string();
    text += "]";
  }
  return text;
}

bool oracle_complete(std::string_view text, NumberSpelling spelling) {
  const auto value = Decimal::parse(text);
  if (!value) return false;
  if (spelling == NumberSpelling::kJson) return true;
  return text.find_first_of("eE") == std::string_view::npos &&
         !(value->is_zero() && text[0] == '-');
}

Truth oracle_truth(const std::vector<NumberAtom>& atoms, std::string_view text) {
  const Decimal value = decimal(text);
  Truth truth = 0;
  for (size_t i = 0; i < atoms.size(); ++i) {
    bool holds = false;
    switch (atoms[i].kind) {
      case Kind::kLess:
        holds = compare(value, atoms[i].operand) < 0;
        break;
      case Kind::kEqual:
        holds = compare(value, atoms[i].operand) == 0;
        break;
      case Kind::kMultipleOf:
        holds = is_multiple(value, atoms[i].operand);
        break;
      case Kind::kInteger:
        holds = value.is_integer();
        break;
      case Kind::kIntegerSpelling:
        holds = text.find_first_of(".eE") == std::string_view::npos;
        break;
      case Kind::kOneOf:
        for (const Decimal& member : atoms[i].members) holds |= compare(value, member) == 0;
        break;
    }
    if (holds) truth |= Truth{1} << i;
  }
  return truth;
}

std::string random_digits(Random& random, int most) {
  std::string digits;
  for (int i = below(random, most + 1); i > 0; --i) digits += "0001259"[below(random, 7)];
  return digits;
}

std::string random_number(Random& random, bool exponent) {
  std::string text = below(random, 4) == 0 ? "-" : "";
  text += below(random, 3) == 0
              ? "0"
              : std::string(1, "1125789"[below(random, 7)]) + random_digits(random, 3);
  if (below(random, 2) == 0) text += "." + random_digits(random, 3) + "0125"[below(random, 4)];
  if (exponent && below(random, 3) == 0) {
    text += below(random, 2) == 0 ? "e" : "E";
    text += std::string(1, "+-"[below(random, 2)]) + std::to_string(below(random, 7));
  }
  return text;
}

std::vector<NumberAtom> random_atoms(Random& random) {
  static const char* kDivisors[] = {"1",   "2",   "3",   "4",      "5",    "7",   "10",
                                    "12",  "25",  "100", "0.1",    "0.01", "0.5", "0.25",
                                    "1.5", "0.3", "1e3", "2.5e-3", "64",   "125", "6"};
  std::vector<NumberAtom> atoms;
  const int count = below(random, 5);
  for (int i = 0; i < count; ++i) {
    switch (below(random, 9)) {
      case 0:
      case 1:
      case 2:
        atoms.push_back(less(below(random, 4) == 0 ? "0" : random_number(random, true)));
        break;
      case 3:
        atoms.push_back(equal(below(random, 6) == 0 ? "0" : random_number(random, true)));
        break;
      case 4:
      case 5:
        atoms.push_back(multiple(kDivisors[below(random, std::size(kDivisors))]));
        break;
      case 6:
        atoms.push_back(integer());
        break;
      case 7: {
        NumberAtom one_of{Kind::kOneOf, {}, {}};
        for (int members = 1 + below(random, 4); members > 0; --members)
          one_of.members.push_back(decimal(random_number(random, true)));
        atoms.push_back(std::move(one_of));
        break;
      }
      default:
        atoms.push_back(integer_spelling());
        break;
    }
  }
  return atoms;
}

uint32_t run(const NumberMachine& machine, std::string_view text) {
  uint32_t state = machine.start();
  for (char c : text) state = machine.step(state, static_cast<uint8_t>(c));
  return state;
}

// A text that often follows an operand for a while.
std::string random_text(Random& random, const std::vector<NumberAtom>& atoms) {
  if (atoms.empty() || below(random, 2) == 0) return random_number(random, true);
  const auto& atom = atoms[static_cast<size_t>(below(random, static_cast<int>(atoms.size())))];
  std::string text = atom.operand.to_string();
  if (below(random, 2) == 0)
    text.resize(static_cast<size_t>(below(random, static_cast<int>(text.size()) + 1)));
  text += random_digits(random, 2);
  if (below(random, 3) == 0) text += "e" + std::to_string(below(random, 9) - 4);
  return text;
}

TEST(NumberMachine, TruthAtEveryPrefix) {
  Random random(testing::test_seed());
  for (int round = 0; round < 2000; ++round) {
    const auto atoms = random_atoms(random);
    const auto spelling = below(random, 2) == 0 ? NumberSpelling::kJson : NumberSpelling::kPlain;
    const Machine machine = create(atoms, spelling);
    for (int i = 0; i < 10; ++i) {
      const std::string text = random_text(random, atoms);
      uint32_t state = machine->start();
      for (size_t n = 0; n <= text.size(); ++n) {
        const std::string prefix = text.substr(0, n);
        if (n > 0) state = machine->step(state, static_cast<uint8_t>(text[n - 1]));
        if (state == 0) {
          ASSERT_FALSE(oracle_complete(prefix, spelling)) << prefix;
          break;
        }
        ASSERT_EQ(machine->complete(state), oracle_complete(prefix, spelling)) << prefix;
        if (!machine->complete(state)) continue;
        ASSERT_EQ(machine->truth(state), oracle_truth(atoms, prefix))
            << prefix << " " << describe(atoms);
      }
    }
  }
}

// All truths of completions by at most `depth` more bytes, with the length of a shortest one.
void enumerate(const NumberMachine& machine, const std::vector<NumberAtom>& atoms,
               NumberSpelling spelling, const std::string& text, size_t added, size_t depth,
               std::map<Truth, size_t>& out) {
  if (oracle_complete(text, spelling)) {
    const auto [place, fresh] = out.try_emplace(oracle_truth(atoms, text), added);
    if (!fresh) place->second = std::min(place->second, added);
  }
  if (added == depth) return;
  for (char c : std::string_view("01257.e-")) {
    const std::string longer = text + c;
    if (run(machine, longer) != 0)
      enumerate(machine, atoms, spelling, longer, added + 1, depth, out);
  }
}

TEST(NumberMachine, ReachableIsExact) {
  Random random(testing::test_seed());
  for (int round = 0; round < 400; ++round) {
    const auto atoms = random_atoms(random);
    const auto spelling = below(random, 2) == 0 ? NumberSpelling::kJson : NumberSpelling::kPlain;
    const Machine machine = create(atoms, spelling);
    for (int i = 0; i < 4; ++i) {
      std::string text = random_text(random, atoms);
      text.resize(static_cast<size_t>(below(random, static_cast<int>(text.size()) + 1)));
      const uint32_t state = run(*machine, text);
      if (state == 0) continue;
      const auto reachable = machine->reachable(state);
      ASSERT_TRUE(std::is_sorted(reachable.begin(), reachable.end()));
      ASSERT_FALSE(reachable.empty());
      const std::string where = "'" + text + "' " + describe(atoms) +
                                (spelling == NumberSpelling::kPlain ? " plain" : "");
      std::map<Truth, size_t> found;
      enumerate(*machine, atoms, spelling, text, 0, 3, found);
      for (const auto& [truth, length] : found) {
        ASSERT_TRUE(std::binary_search(reachable.begin(), reachable.end(), truth))
            << where << " lacks " << truth;
      }
      for (size_t k = 0; k < reachable.size(); ++k) {
        std::vector<char> flags(reachable.size(), 0);
        flags[k] = 1;
        const std::span<const bool> wanted(reinterpret_cast<const bool*>(flags.data()),
                                           flags.size());
        const std::string whole = text + machine->shortest(state, wanted);
        ASSERT_TRUE(oracle_complete(whole, spelling))
            << where << " completed to '" << whole << "' for " << reachable[k];
        ASSERT_EQ(oracle_truth(atoms, whole), reachable[k]) << where << " completed to " << whole;
        const auto seen = found.find(reachable[k]);
        if (seen != found.end()) {
          ASSERT_LE(whole.size() - text.size(), seen->second) << where << " " << whole;
        }
      }
    }
  }
}

TEST(NumberMachine, ReachableIsTheUnionOverNextBytes) {
  Random random(testing::test_seed());
  for (int round = 0; round < 600; ++round) {
    const auto atoms = random_atoms(random);
    const auto spelling = below(random, 2) == 0 ? NumberSpelling::kJson : NumberSpelling::kPlain;
    const Machine machine = create(atoms, spelling), fresh = create(atoms, spelling);
    for (int i = 0; i < 8; ++i) {
      const std::string text = random_text(random, atoms);
      uint32_t state = machine->start();
      for (size_t n = 0; n <= text.size() && state != 0; ++n) {
        std::set<Truth> expected;
        if (machine->complete(state)) expected.insert(machine->truth(state));
        for (int byte = 0; byte < 256; ++byte) {
          const auto next = machine->reachable(machine->step(state, static_cast<uint8_t>(byte)));
          expected.insert(next.begin(), next.end());
        }
        const auto reachable = machine->reachable(state);
        ASSERT_EQ(std::vector<Truth>(expected.begin(), expected.end()),
                  std::vector<Truth>(reachable.begin(), reachable.end()))
            << "'" << text.substr(0, n) << "' " << describe(atoms)
            << (spelling == NumberSpelling::kPlain ? " plain" : "");
        // Another machine, which has not listed them.
        const uint32_t same = run(*fresh, text.substr(0, n));
        for (const Truth truth : expected) {
          ASSERT_TRUE(fresh->reaches(same, [&](Truth t) { return t == truth; }));
        }
        ASSERT_FALSE(fresh->reaches(same, [&](Truth t) { return expected.count(t) == 0; }))
            << "'" << text.substr(0, n) << "' " << describe(atoms);
        if (n < text.size()) state = machine->step(state, static_cast<uint8_t>(text[n]));
      }
    }
  }
}

bool can(const NumberMachine& machine, std::string_view text, Truth truth) {
  const auto reachable = machine.reachable(run(machine, text));
  return std::binary_search(reachable.begin(), reachable.end(), truth);
}

TEST(NumberMachine, SharesStatesWithoutNeed) {
  const Machine any = create({});
  EXPECT_EQ(run(*any, "1"), run(*any, "123"));
  EXPECT_EQ(run(*any, "-1.5"), run(*any, "9.25"));
  EXPECT_EQ(run(*any, "1e5"), run(*any, "1e+55"));
  const Machine whole = create({integer()});
  EXPECT_EQ(run(*whole, "1"), run(*whole, "123"));
  EXPECT_EQ(run(*whole, "-7"), run(*whole, "100207"));
  const Machine plain = create({integer(), less("100")}, NumberSpelling::kPlain);
  EXPECT_EQ(run(*plain, "1001"), run(*plain, "99999999"));
  EXPECT_EQ(run(*plain, "1.5"), run(*plain, "1.50000001"));
}

TEST(NumberMachine, ExponentsDecideLate) {
  const Machine machine = create({less("1")});
  EXPECT_TRUE(can(*machine, "0.", 0));
  EXPECT_TRUE(can(*machine, "0.001", 0));
  EXPECT_TRUE(can(*machine, "12345", 1));
  EXPECT_FALSE(can(*machine, "1e5", 1));
  EXPECT_TRUE(can(*machine, "1e-", 1));
  EXPECT_EQ(machine->truth(run(*machine, "0.001e4")), 0u);
  EXPECT_EQ(machine->truth(run(*machine, "0.001e2")), 1u);
  const Machine whole = create({integer()});
  EXPECT_TRUE(can(*whole, "1.5", 1));
  EXPECT_EQ(whole->truth(run(*whole, "1.5e1")), 1u);
  EXPECT_EQ(whole->truth(run(*whole, "150e-2")), 0u);
  EXPECT_EQ(whole->truth(run(*whole, "-0")), 1u);
}

TEST(NumberMachine, NoMultipleInANarrowRange) {
  const Machine machine = create({less("10"), less("12"), multiple("7")});
  for (Truth truth : {Truth{0b010}, Truth{0b000}, Truth{0b011}, Truth{0b111}, Truth{0b100}}) {
    EXPECT_TRUE(can(*machine, "", truth)) << truth;
  }
  EXPECT_FALSE(can(*machine, "", 0b110));
  const Machine big = create({multiple("123456789123456789"), less("123456789123456790")});
  EXPECT_TRUE(can(*big, "12345678912345678", 0b11));
  EXPECT_FALSE(can(*big, "2", 0b11));
  EXPECT_TRUE(can(*big, "2", 0b01));  // 246913578246913578
  EXPECT_TRUE(can(*big, "-2", 0b11));
}

TEST(NumberMachine, HugeExponents) {
  const Machine machine = create({less("1e400000"), multiple("0.01"), equal("-1e-400000")});
  EXPECT_EQ(machine->truth(run(*machine, "1e400000")), 0b010u);
  EXPECT_EQ(machine->truth(run(*machine, "1e399999")), 0b011u);
  EXPECT_EQ(machine->truth(run(*machine, "1e-99999999999999999999")), 0b001u);
  EXPECT_EQ(machine->truth(run(*machine, "1e99999999999999999999")), 0b010u);
  EXPECT_EQ(machine->truth(run(*machine, "-1e-400000")), 0b101u);
  EXPECT_EQ(run(*machine, "1e" + std::string(100000, '9')),
            run(*machine, "1e" + std::string(100, '9')));
  EXPECT_TRUE(can(*machine, "-", 0b101));
  const auto reachable = machine->reachable(machine->start());
  for (size_t k = 0; k < reachable.size(); ++k) {
    std::vector<char> flags(reachable.size(), 0);
    flags[k] = 1;
    const std::string text = machine->shortest(
        machine->start(), {reinterpret_cast<const bool*>(flags.data()), flags.size()});
    EXPECT_LE(text.size(), 12u) << text;
    EXPECT_EQ(machine->truth(run(*machine, text)), reachable[k]) << text;
  }
}

TEST(NumberMachine, LongNumbers) {
  const Machine machine = create({less("0"), multiple("7"), integer()});
  std::string text(500, '7');
  uint32_t state = machine->start();
  for (char c : text) {
    state = machine->step(state, static_cast<uint8_t>(c));
    ASSERT_FALSE(machine->reachable(state).empty());
  }
  EXPECT_EQ(machine->truth(state), 0b110u);
}

TEST(NumberMachine, PlainHasNoExponentAndNoNegativeZero) {
  const Machine machine = create({}, NumberSpelling::kPlain);
  EXPECT_EQ(run(*machine, "1e"), 0u);
  EXPECT_FALSE(machine->complete(run(*machine, "-0")));
  EXPECT_FALSE(machine->complete(run(*machine, "-0.00")));
  EXPECT_TRUE(machine->complete(run(*machine, "-0.001")));
  EXPECT_TRUE(machine->complete(run(*machine, "0.0")));
  EXPECT_EQ(run(*machine, "-0"), run(*machine, "-0"));
}

TEST(NumberMachine, ManyConstants) {
  std::vector<NumberAtom> atoms;
  for (int i = 0; i < 63; ++i) atoms.push_back(equal(std::to_string(i * 37 - 400)));
  atoms.push_back(integer());
  const Machine machine = create(atoms);
  for (int i = 0; i < 63; ++i) {
    EXPECT_TRUE(can(*machine, "", (Truth{1} << i) | (Truth{1} << 63)));
  }
  EXPECT_FALSE(can(*machine, "3e", Truth{1} << 62));
  atoms.push_back(integer());
  EXPECT_FALSE(NumberMachine::create(atoms, NumberSpelling::kJson).ok());
  EXPECT_FALSE(NumberMachine::create({{Kind::kMultipleOf, {}}}, NumberSpelling::kJson).ok());
}

TEST(NumberMachine, ThreadsAgree) {
  const Machine shared = create({less("12.5"), less("-3"), multiple("0.05"), integer()});
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Random random(t % 2);
      const std::vector<NumberAtom> atoms{less("12.5"), less("-3"), multiple("0.05"), integer()};
      for (int i = 0; i < 3000; ++i) {
        const std::string text = random_number(random, true);
        const uint32_t state = run(*shared, text);
        const bool good = shared->truth(state) == oracle_truth(atoms, text) &&
                          can(*shared, text, shared->truth(state));
        if (!good) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(NumberMachine, ListsThousandsOfNumbersInOneAtom) {
  Random random(testing::test_seed());
  NumberAtom one_of{Kind::kOneOf, {}, {}};
  std::set<int> members;
  while (members.size() < 5000) members.insert(below(random, 40'000) - 20'000);
  for (const int member : members) one_of.members.push_back(decimal(std::to_string(member)));
  const Machine machine = create({one_of, less("0")});
  for (int round = 0; round < 500; ++round) {
    const int value = below(random, 40'000) - 20'000;
    std::string text = std::to_string(value);
    // A zero before another digit is no number.
    const std::string shifted = value == 0 ? "e-1" : "0e-1";
    if (below(random, 2) == 0) text += below(random, 2) == 0 ? ".00" : shifted;
    uint32_t state = machine->start();
    for (const char byte : text) state = machine->step(state, static_cast<uint8_t>(byte));
    ASSERT_NE(state, 0u) << text;
    EXPECT_EQ(machine->truth(state), (members.contains(value) ? 1u : 0u) | (value < 0 ? 2u : 0u))
        << text;
  }
}

}  // namespace
}  // namespace espalier
