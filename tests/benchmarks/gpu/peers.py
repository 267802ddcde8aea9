"""PyTorch's rates on the cases of basin_gpu_cases, by the same names; gpu.sh runs it where PyTorch is.

    peers.py [--device cuda|cpu] [--tf32] [--smoke]
For each line "CASE MODE SECONDS" on stdin one line of JSON; MODE is eager, compiled (torch.compile) or graphed (steps captured
into a CUDA graph and replayed). Steps are those of the case: the same sizes, products and updates.
"""
import argparse
import json
import re
import sys
import time

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--device", default="cuda")
parser.add_argument("--tf32", action="store_true")
parser.add_argument("--smoke", action="store_true")
options = parser.parse_args()
device = torch.device(options.device)
torch.manual_seed(0)
torch.backends.cuda.matmul.allow_tf32 = options.tf32
torch.backends.cudnn.allow_tf32 = options.tf32
torch.backends.cudnn.benchmark = True


def size(full, small):
    return min(full, small) if options.smoke else full


def wait():
    if device.type == "cuda":
        torch.cuda.synchronize()


def rbm(hidden, batch, persistent):
    nv, nh, rows = size(784, 12), size(hidden, 8), size(batch, 8)
    w, b, c = torch.randn(nv, nh, device=device) * 0.01, torch.zeros(nv, device=device), torch.zeros(nh, device=device)
    v0 = (torch.rand(rows, nv, device=device) < 0.19).float()
    chains = v0.clone()
    lr = 0.05 / rows

    @torch.no_grad()
    def step():
        h0 = torch.addmm(c, v0, w).sigmoid()
        start = torch.addmm(c, chains, w).sigmoid() if persistent else h0
        hs = (torch.rand_like(start) < start).float()
        p1 = torch.addmm(b, hs, w.t()).sigmoid()
        v1 = (torch.rand_like(p1) < p1).float()
        h1 = torch.addmm(c, v1, w).sigmoid()
        w.addmm_(v0.t(), h0, alpha=lr).addmm_(v1.t(), h1, alpha=-lr)
        b.add_((v0 - v1).sum(0), alpha=lr)
        c.add_((h0 - h1).sum(0), alpha=lr)
        if persistent:
            chains.copy_(v1)
    return step, rows


def gibbs():
    rows, nv, nh, sweeps = size(10000, 8), size(784, 12), size(500, 8), 10
    w = torch.randn(nv, nh, device=device) * 0.05
    b, c = torch.full((nv,), -1.0, device=device), torch.zeros(nh, device=device)
    v = (torch.rand(rows, nv, device=device) < 0.19).float()

    @torch.no_grad()
    def step():
        x = v
        for _ in range(sweeps):
            p = torch.addmm(c, x, w).sigmoid()
            h = (torch.rand_like(p) < p).float()
            p = torch.addmm(b, h, w.t()).sigmoid()
            x = (torch.rand_like(p) < p).float()
        v.copy_(x)
    return step, sweeps


def ais():
    rows, nv, nh, temperatures = size(10000, 8), size(784, 12), size(500, 8), size(1000, 10)
    w = torch.randn(nv, nh, device=device) * 0.05
    b, c = torch.full((nv,), -1.0, device=device), torch.zeros(nh, device=device)
    softplus = torch.nn.functional.softplus

    @torch.no_grad()
    def step():
        v = (torch.rand(rows, nv, device=device) < 0.19).float()
        weights = torch.zeros(rows, dtype=torch.float64, device=device)
        for k in range(1, temperatures):
            low, high = (k - 1) / temperatures, k / temperatures
            drive = torch.addmm(c, v, w)
            weights.add_((softplus(high * drive) - softplus(low * drive)).sum(1).double() + (high - low) * (v @ b).double())
            p = (high * drive).sigmoid()
            h = (torch.rand_like(p) < p).float()
            p = (high * torch.addmm(b, h, w.t())).sigmoid()
            v = (torch.rand_like(p) < p).float()
        return weights
    return step, temperatures * rows


def fista():
    n, m, rows, iterations = size(144, 6), size(256, 8), size(1000000, 20), size(100, 5)
    d = torch.nn.functional.normalize(torch.randn(m, n, device=device), dim=1)
    y = torch.randn(rows, n, device=device)
    lam = 0.1

    @torch.no_grad()
    def step():
        gram, q = d @ d.t(), y @ d.t()
        x = torch.ones(m, device=device)
        for _ in range(30):  # the Lipschitz constant by power iterations, without waiting
            x = gram @ (x / x.norm())
        t = 1.0 / (1.01 * x.norm())
        z, u, k = torch.zeros(rows, m, device=device), torch.zeros(rows, m, device=device), 1.0
        for _ in range(iterations):
            moved = u - t * (u @ gram - q)
            new = torch.sign(moved) * torch.relu(moved.abs() - lam * t)
            after = 0.5 * (1.0 + (1.0 + 4.0 * k * k) ** 0.5)
            u = new + ((k - 1.0) / after) * (new - z)
            z, k = new, after
        return z
    return step, rows


def train(net, loss, momentum, rate=0.01, clip=None):
    """A step of stochastic gradients by autograd."""
    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=momentum, foreach=True)

    def step():
        optimizer.zero_grad(set_to_none=False)
        loss(net).backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimizer.step()
    return step


class Lista(torch.nn.Module):
    def __init__(self, n, m, layers):
        super().__init__()
        self.w = torch.nn.ParameterList([torch.nn.Parameter(torch.randn(n, m) * 0.05) for _ in range(layers)])
        self.s = torch.nn.ParameterList([torch.nn.Parameter(torch.randn(m, m) * 0.02) for _ in range(layers)])
        self.t = torch.nn.Parameter(torch.full((layers,), 0.01))

    def forward(self, y):
        z = None
        for w, s, t in zip(self.w, self.s, self.t):
            u = y @ w if z is None else torch.addmm(y @ w, z, s)
            z = torch.sign(u) * torch.relu(u.abs() - t)
        return z


def lista():
    n, m, rows, layers = size(144, 6), size(256, 8), size(512, 8), size(16, 3)
    y, x = torch.randn(rows, n, device=device), torch.randn(rows, m, device=device)
    net = Lista(n, m, layers).to(device)
    error = lambda net: torch.log(1e-5 + (x - net(y)).square().sum(1) / x.square().sum(1)).mean()
    return train(net, error, 0.0, 1e-4), rows


def conv_psd():
    images, side, k, extent, moves = size(16, 2), size(64, 16), size(64, 3), size(9, 5), size(50, 3)
    conv = torch.nn.functional.conv2d
    d = torch.nn.functional.normalize(torch.randn(1, k, extent * extent, device=device), dim=2).view(1, k, extent, extent)
    f = (d * 0.1).transpose(0, 1).clone()
    y = torch.randn(images, 1, side, side, device=device)
    lam, t, pad = 0.1, 0.01, extent - 1
    turned = lambda x: x.transpose(0, 1)

    @torch.no_grad()
    def step():
        g = torch.nn.functional.softshrink(conv(y, f, padding=pad), lam)
        z, u, c = torch.zeros_like(g), torch.zeros_like(g), 1.0
        for _ in range(moves):
            slope = torch.nn.functional.conv_transpose2d(conv(u, d) - y, d) + (u - g)
            new = torch.nn.functional.softshrink(u - t * slope, lam * t)
            after = 0.5 * (1.0 + (1.0 + 4.0 * c * c) ** 0.5)
            u = new + ((c - 1.0) / after) * (new - z)
            z, c = new, after
        residual = conv(z, d) - y
        # Gradients in the filters of decoder and encoder.
        d.sub_(turned(conv(turned(z), turned(residual))), alpha=1e-3 / images)
        d.div_(d.flatten(2).norm(dim=2)[:, :, None, None])
        f.add_(turned(conv(turned(torch.nn.functional.pad(y, [pad] * 4)), turned(z - g))), alpha=1e-3 / images)
    return step, images


def convnet(name, batch):
    nn, rows = torch.nn, size(batch, 4)
    if name == "lenet5":
        net = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
                            nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10))
    else:
        net = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                            nn.Flatten(), nn.Linear(64 * 14 * 14, 128), nn.ReLU(), nn.Linear(128, 10))
    x, y = torch.randn(rows, 1, 28, 28, device=device), torch.randint(0, 10, (rows,), device=device)
    return train(net.to(device), lambda net: nn.functional.cross_entropy(net(x), y), 0.9), rows


def deep_ae(batch):
    nn, rows = torch.nn, size(batch, 4)
    sizes = [size(s, 6) for s in (784, 1000, 500, 250, 30, 250, 500, 1000, 784)]
    layers = []
    for i in range(8):
        layers.append(nn.Linear(sizes[i], sizes[i + 1]))
        if i not in (3, 7):
            layers.append(nn.Sigmoid())
    x = (torch.rand(rows, sizes[0], device=device) < 0.19).float()
    error = lambda net: nn.functional.binary_cross_entropy_with_logits(net(x), x, reduction="sum") / rows
    return train(nn.Sequential(*layers).to(device), error, 0.9), rows


def langevin():
    nn, rows, steps, n, m = torch.nn, size(128, 4), size(60, 2), size(784, 6), size(512, 5)
    net = nn.Sequential(nn.Linear(n, m), nn.SiLU(), nn.Linear(m, m), nn.SiLU(), nn.Linear(m, 1)).to(device)
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    start = torch.rand(rows, n, device=device)

    def step():
        x = start.clone()
        for _ in range(steps):
            x.requires_grad_(True)
            slope, = torch.autograd.grad(net(x).sum(), x)
            x = (x.detach() - 0.005 * slope + 0.1 * torch.randn_like(x)).clamp(0.0, 1.0)
        return x
    return step, steps


def lstm():
    nn, rows, length, symbols, hidden = torch.nn, size(64, 3), size(100, 4), size(65, 5), size(128, 6)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.cells, self.out = nn.Embedding(symbols, hidden), nn.LSTM(hidden, hidden, batch_first=True), nn.Linear(hidden, symbols)

        def forward(self, x):
            return self.out(self.cells(self.table(x))[0])
    x, y = (torch.randint(0, symbols, (rows, length), device=device) for _ in range(2))
    error = lambda net: nn.functional.cross_entropy(net(x).flatten(0, 1), y.flatten())
    return train(Net().to(device), error, 0.0, 0.1, clip=5.0), 1


def make(case):
    """The step of a case, and how many units of work it does."""
    found = re.match(r"rbm_(p?cd)1_784x(\d+)_b(\d+)$", case)
    if found:
        return rbm(int(found.group(2)), int(found.group(3)), found.group(1) == "pcd")
    found = re.match(r"convnet_(lenet5|conv32_64)_b(\d+)$", case)
    if found:
        return convnet(found.group(1), int(found.group(2)))
    if case.startswith("deep_ae_"):
        return deep_ae(int(case.rsplit("_b", 1)[1]))
    for start, one in (("gibbs_", gibbs), ("ais_", ais), ("fista_", fista), ("lista_", lista), ("conv_psd_", conv_psd),
                       ("langevin_", langevin), ("lstm_", lstm)):
        if case.startswith(start):
            return one()
    raise ValueError("no such case")


def graphed(step):
    """The step captured once and replayed."""
    if device.type != "cuda":
        raise ValueError("CUDA graphs need a GPU")
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def seconds(step, fill):
    def of(times):
        wait()
        begin = time.perf_counter()
        for _ in range(times):
            step()
        wait()
        return (time.perf_counter() - begin) / times
    of(3)
    once = max(of(1), 1e-7)
    return of(max(1, int(fill / once + 0.999)))


steps = {}  # by case and mode: made, compiled and captured once
for line in sys.stdin:
    case, mode, fill = line.split()
    result = {"case": case, "who": mode}
    try:
        if (case, mode) not in steps:
            steps.clear()  # one at a time in the device's memory
            step, units = make(case)
            if mode == "compiled":
                step = torch.compile(step)
            elif mode == "graphed":
                step = graphed(step)
            steps[case, mode] = (step, units)
        step, units = steps[case, mode]
        took = seconds(step, float(fill))
        result.update(value=units / took, seconds=took, version=torch.__version__, smoke=options.smoke)
    except Exception as error:  # of whatever kind: the next case may do
        result["error"] = re.sub(r'["\\\n]', "'", "%s: %s" % (type(error).__name__, error))[:200]
    print(json.dumps(result), flush=True)
