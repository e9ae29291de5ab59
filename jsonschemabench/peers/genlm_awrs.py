"""AWRS steps of espalier beside genlm-control's, over the same model and constraint.

The model is a mock, so that only the samplers are measured: token i of V has weight 1 / (i + 1), in every
context. The constraint allows the tokens whose number is a multiple of M. Both sides draw the first token of a
fresh sequence again and again, the pass over the row included. Printed: processor time (one thread on both
sides) and constraint evaluations per token, the estimates of Z, and how far each weighted posterior is from
the truth (total variation).

    pip install genlm-control==0.4.1        # optional; without it this script says so and exits with 77
    python3 jsonschemabench/peers/genlm_awrs.py --study build/release/bin/espalier_step_study

usage: genlm_awrs.py --study PROGRAM [--tokens V] [--moduli M,M] [--draws N] [--peer-draws N]
"""

import argparse
import asyncio
import json
import math
import subprocess
import sys
import time


def truth(tokens, modulus):
    """Z and the allowed tokens' probabilities."""
    total = sum(1 / (i + 1) for i in range(tokens))
    weights = {i: 1 / (i + 1) / total for i in range(0, tokens, modulus)}
    return sum(weights.values()), weights


def total_variation(estimate, weights):
    z, estimated = sum(weights.values()), sum(estimate.values())
    tokens = set(weights) | set(estimate)
    return 0.5 * sum(abs(estimate.get(i, 0) / estimated - weights.get(i, 0) / z) for i in tokens)


def run_espalier(study, tokens, modulus, draws):
    command = [study, "--mock", str(tokens), "--modulus", str(modulus), "--draws", str(draws)]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    result["weights"] = {int(i): weight for i, weight in result["weights"].items()}
    return result


def run_genlm(tokens, modulus, draws):
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

    sampler = AWRS(Model(vocabulary), Multiple(vocabulary), seed=0)

    async def draw_all():
        weights = {}
        await sampler.sample([])
        nonlocal calls
        calls = 0
        begin = time.process_time()
        for _ in range(draws):
            token, log_weight, _ = await sampler.sample([])
            if log_weight > -math.inf:
                weights[number[token]] = weights.get(number[token], 0) + math.exp(log_weight) / draws
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
    options = parser.parse_args()
    try:
        import genlm.control  # noqa: F401
    except ImportError:
        print("genlm-control is not installed: pip install genlm-control==0.4.1", file=sys.stderr)
        return 77
    print(f"{options.tokens} tokens; per drawn token")
    print(f"{'':14}{'us':>10}{'ratio':>8}{'evaluations':>13}{'Z':>9}{'true Z':>9}{'TV':>8}{'TV of exact draws':>19}")
    for modulus in (int(m) for m in options.moduli.split(",")):
        z, weights = truth(options.tokens, modulus)
        rows = [("espalier", run_espalier(options.study, options.tokens, modulus, options.draws), options.draws),
                ("genlm-control", run_genlm(options.tokens, modulus, options.peer_draws), options.peer_draws)]
        peer = rows[1][1]["us_per_token"]
        for name, result, draws in rows:
            # What sampling alone costs: the expected total variation of `draws` exact draws.
            noise = sum(math.sqrt(p / z * (1 - p / z) / draws / (2 * math.pi)) if p / z * draws > 1 else p / z
                        for p in weights.values())
            print(f"{name:14}{result['us_per_token']:10.1f}{peer / result['us_per_token']:8.1f}"
                  f"{result['evaluations']:13.2f}{sum(result['weights'].values()):9.4f}{z:9.4f}"
                  f"{total_variation(result['weights'], weights):8.3f}{noise:19.3f}")
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
