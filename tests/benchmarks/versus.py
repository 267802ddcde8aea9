"""Runs basin_cases and the peers' scripts in alternation and prints one line a case; called by versus.sh."""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

# The name of the peers' script: the name with which the results begin. A later case joins by a row.
CASES = {"rbm_cd": "rbm_cd", "rbm_pcd": "rbm_pcd", "rbm_fpcd": "rbm_fpcd", "gibbs": "gibbs", "ais": "ais", "sparse_encode": "sparse_encode", "conv_sparse": "conv_fista",
         "dict_learn": "dict_learn", "convnet": "convnet", "lstm": "lstm",
         "deep_ae": "deep_ae", "langevin": "langevin"}


def note(text):
    print(text, file=sys.stderr, flush=True)


def measurements(command):
    """The JSON lines that a command prints; those before a failure count."""
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode:
        reason = run.stderr.strip().splitlines()
        note(f"failed: {' '.join(command)}: {reason[-1] if reason else run.returncode}")
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def peers_of(script):
    """Names of the peers that a script compares, from its --help; without those in bf16, which basin does not compute in."""
    run = subprocess.run([sys.executable, script, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = re.search(r"comma list out of:\s*(\w+(?:,\s+\w+)*)", run.stdout)
    return [peer for peer in re.split(r",\s+", found.group(1)) if not peer.endswith("_bf16")] if found else []


def export(folder, options):
    """Writes the numbers that peers make for themselves where basin_cases --data reads them: patches and their dictionary, images
    and their filters (the peers correlate codes with filters, so that ours, which convolve, are turned). Returns the folder, or ""."""
    program = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy
from common import gabor_dictionary, patches, pink_image
def save(name, array):
    numpy.ascontiguousarray(array, "float32").tofile(sys.argv[2] + "/" + name + ".f32")
save("patches", patches(10000))
save("dictionary", gabor_dictionary())
save("filters", gabor_dictionary(64, 9)[:, ::-1])
for size, count in ((64, 16), (128, 1), (256, 1)):
    save("images_%d" % size, [pink_image(size, seed) for seed in range(count)])
"""
    run = subprocess.run([sys.executable, "-c", program, options.peers_dir, folder], stderr=subprocess.PIPE, text=True)
    if run.returncode:
        note("data of the peers not shared: " + (run.stderr.strip().splitlines() or [str(run.returncode)])[-1])
    return "" if run.returncode else folder


def row_of(wanted):
    """The row of CASES that a name given by the user belongs to; None where there is none."""
    return next((row for row, begin in CASES.items() if wanted == row or wanted.startswith(begin)), None)


def compare(wanted, options):
    """Rounds of: ours, then each peer. Returns {case: {"ours": [row...], peer: [row...]}}."""
    row = row_of(wanted)
    script = os.path.join(options.peers_dir, row + ".py")
    peers = []
    if options.against:
        peers = ["before"]
    elif os.path.isfile(script):
        peers = peers_of(script)
        if not peers:
            note(f"peers of {row} skipped: {script} --help names none")
    else:
        note(f"peers of {row} skipped: there is no {script}")
    limits = ["--repeats", "3", "--min-time", "0.3"]
    found = {}
    for number in range(options.rounds):
        for peer in ["ours"] + list(peers):
            note(f"{wanted}: round {number + 1} of {options.rounds}, {peer}")
            if peer in ("ours", "before"):
                program = options.ours if peer == "ours" else options.against
                rows = measurements([program, wanted, "--json", "--data", options.data] + limits)
            else:
                rows = measurements([sys.executable, script, "--peers", peer, "--cases", "" if wanted == row else wanted] + limits)
                if not rows:
                    note(f"peer {peer} of {row} skipped")
                    peers.remove(peer)
            for result in rows:
                found.setdefault(result["case"], {}).setdefault(peer, []).append(result)
    return found


def summary(case, results):
    """The line of one case: medians over the rounds; ratio and share are above 1 where we are the better."""
    ours = statistics.median(row["value"] for row in results["ours"])
    limit = statistics.median(row["limit"] for row in results["ours"])
    unit = results["ours"][0]["unit"]
    lower_is_better = unit.split("/")[0] == "s"
    gain = (lambda mine, other: other / mine) if lower_is_better else (lambda mine, other: mine / other)
    line = {"case": case, "ours": ours, "unit": unit, "best_peer": None, "peer_value": None, "ratio": None,
            "share_of_limit": round(gain(ours, limit), 3)}
    if "before" in results:  # round by round: what slows down the machine for a while slows down both
        pairs = [gain(mine["value"], other["value"]) for mine, other in zip(results["ours"], results["before"])]
        line.update(best_peer="before", peer_value=statistics.median(row["value"] for row in results["before"]),
                    ratio=round(statistics.median(pairs), 3))
        return line
    values = {peer: statistics.median(row["value"] for row in rows) for peer, rows in results.items() if peer != "ours"}
    if values:
        best = (min if lower_is_better else max)(values, key=values.get)
        line.update(best_peer=best, peer_value=values[best], ratio=round(gain(ours, values[best]), 3))
    return line


def run(options):
    """Measures and prints."""
    if not options.json:
        note("case ours unit best_peer peer_value ratio share_of_limit")
    measured = 0
    for wanted in options.cases or CASES:
        for case, results in compare(wanted, options).items():
            if "ours" in results:
                line = summary(case, results)
                measured += 1
                if options.json:
                    print(json.dumps(line), flush=True)
                else:
                    print(*("-" if value is None else "%.6g" % value if isinstance(value, float) else value for value in line.values()),
                          flush=True)
    if not measured:
        sys.exit("[versus] nothing was measured")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", metavar="PROGRAM", help="basin_cases of an earlier build, in place of the peers")
    parser.add_argument("--ours", required=True)
    parser.add_argument("--peers-dir", required=True)
    options = parser.parse_intermixed_args()
    for case in options.cases:
        if row_of(case) is None:
            sys.exit(f"[versus] expected one of {', '.join(CASES)}, or a result's name, received {case}")
    with tempfile.TemporaryDirectory() as folder:
        options.data = export(folder, options)
        run(options)


if __name__ == "__main__":
    main()
