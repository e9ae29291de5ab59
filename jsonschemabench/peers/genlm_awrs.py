"""AWRS steps of espalier beside genlm-control's, over the same model and constraint.

The model is a mock, so that only the samplers are measured: token i of V has weight 1 / (i + 1), in every
context. The constraint allows the tokens whose number is a multiple of M. Both sides draw the first token of a
fresh sequence again and again, the pass over the row included, in turns (--repeats). Printed: processor time
(one thread on both sides) and constraint evaluations per token, the median over the turns and the range of the
ratios; the estimates of Z; and by how many standard errors a weighted posterior is off at most, among Z and
the 20 likeliest allowed tokens.

    pip install genlm-control==0.4.1        # optional; without it this script says so and exits with 77
    python3 jsonschemabench/peers/genlm_awrs.py --study build/release/bin/espalier_step_study

usage: genlm_awrs.py --study PROGRAM [--tokens V] [--moduli M,M] [--draws N] [--peer-draws N] [--repeats N]
"""

import argparse
import asyncio
import json
import math
import statistics
import subprocess
import sys
import time


def truth(tokens, modulus):
    """Z and the allowed tokens' probabilities."""
    total = sum(1 / (i + 1) for i in range(tokens))
    weights = {i: 1 / (i + 1) / total for i in range(0, tokens, modulus)}
    return sum(weights.values()), weights


def merge(runs):
    """Several runs' means as those of one."""
    total = {}
    for result in runs:
        for token, (weight, square) in result["weights"].items():
            old = total.get(token, (0, 0))
            total[token] = (old[0] + weight / len(runs), old[1] + square / len(runs))
    return total


def largest_deviation(sums, draws, weights):
    """Of Z and the likeliest tokens, in standard errors."""
    worst, z = 0, sum(weights.values())
    for tokens in [list(sums)] + [[i] for i in sorted(weights, key=weights.get, reverse=True)[:20]]:
        mean = sum(sums.get(i, (0, 0))[0] for i in tokens)
        square = sum(sums.get(i, (0, 0))[1] for i in tokens)
        wanted = z if len(tokens) > 1 else weights[tokens[0]]
        # No weight varies less than that of a draw from the allowed tokens themselves.
        variance = max(square - mean * mean, wanted * (z - wanted))
        error = math.sqrt(variance / draws) + 1e-6 * wanted
        worst = max(worst, abs(mean - wanted) / error)
    return worst


def run_espalier(study, tokens, modulus, draws, seed):
    command = [study, "--mock", str(tokens), "--modulus", str(modulus), "--draws", str(draws), "--seed", str(seed)]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    result["weights"] = {int(i): tuple(sums) for i, sums in result["weights"].items()}
    return result


def run_genlm(tokens, modulus, draws, seed):
    import numpy as np
    import torch
    from genlm.control import AWRS, Potential

    torch.set_num_threads(1)
    vocabulary = [b"%d;" % i for i in range(tokens)]
    number = {token: i for i, token in enumerate(vocabulary)}
    row = np.append(-np.log(np.arange(1, tokens + 1)), -np.inf)
    row -= np.logaddexp.reduce(row)
    calls = 0

    class Model(Potential):
        async def prefix(self, context):
            return 0.0

        async def complete(self, context):
            return 0.0

        async def logw_next(self, context):
            return self.make_lazy_weights(row)

    class Multiple(Potential):
        async def prefix(self, context):
            nonlocal calls
            calls += 1
            return 0.0 if all(number[token] % modulus == 0 for token in context) else -math.inf

        async def complete(self, context):
            return await self.prefix(context)

    sampler = AWRS(Model(vocabulary), Multiple(vocabulary), seed=seed)

    async def draw_all():
        weights = {}
        await sampler.sample([])
        nonlocal calls
        calls = 0
        begin = time.process_time()
        for _ in range(draws):
            token, log_weight, _ = await sampler.sample([])
            if log_weight > -math.inf:
                old, weight = weights.get(number[token], (0, 0)), math.exp(log_weight)
                weights[number[token]] = (old[0] + weight / draws, old[1] + weight * weight / draws)
        return (time.process_time() - begin) * 1e6 / draws, weights

    us, weights = asyncio.run(draw_all())
    return {"us_per_token": us, "evaluations": calls / draws, "weights": weights}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--study", required=True)
    parser.add_argument("--tokens", type=int, default=128256)
    parser.add_argument("--moduli", default="1,2,10")
    parser.add_argument("--draws", type=int, default=20000)
    parser.add_argument("--peer-draws", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    try:
        import genlm.control  # noqa: F401
    except ImportError:
        print("genlm-control is not installed: pip install genlm-control==0.4.1", file=sys.stderr)
        return 77
    print(f"{options.tokens} tokens; per drawn token, {options.repeats} turns")
    print(f"{'':14}{'allowed':>8}{'us':>10}{'ratio':>8}{'of turns':>16}{'evaluations':>13}{'Z':>9}{'true Z':>9}"
          f"{'off by':>8}")
    for modulus in (int(m) for m in options.moduli.split(",")):
        z, weights = truth(options.tokens, modulus)
        runs = {"espalier": [], "genlm-control": []}
        for turn in range(options.repeats):
            runs["espalier"].append(run_espalier(options.study, options.tokens, modulus, options.draws, turn))
            runs["genlm-control"].append(run_genlm(options.tokens, modulus, options.peer_draws, turn))
        median = {name: statistics.median(r["us_per_token"] for r in turns) for name, turns in runs.items()}
        ratios = [peer["us_per_token"] / own["us_per_token"]
                  for own, peer in zip(runs["espalier"], runs["genlm-control"])]
        for name, turns in runs.items():
            own = name == "espalier"
            sums = merge(turns)
            draws = options.repeats * (options.draws if own else options.peer_draws)
            ratio = f"{median['genlm-control'] / median['espalier']:.1f}" if own else ""
            spread = f"{min(ratios):.1f} to {max(ratios):.1f}" if own else ""
            evaluations = sum(r["evaluations"] for r in turns) / len(turns)
            print(f"{name:14}{'1 in ' + str(modulus):>8}{median[name]:10.1f}{ratio:>8}{spread:>16}{evaluations:13.2f}"
                  f"{sum(w for w, _ in sums.values()):9.4f}{z:9.4f}{largest_deviation(sums, draws, weights):8.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
