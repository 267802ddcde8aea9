"""The network of experiments/convnet_cifar.toml in PyTorch: same layers, distortions, optimizer, schedule, batches and epochs, PyTorch's
own initial weights; the learning rate is chosen on 1,000 training images, too. Prints the validation error of each rate, the test error of
each seed of the best in percent, their mean and deviation.
    BASIN_DATA=FOLDER python3 tests/benchmarks/convnet_cifar.py [SEED ...]"""
import gzip
import math
import os
import statistics
import sys

import numpy
import torch
from torch import nn

EPOCHS, BATCH, RATES, SHIFT = 20, 64, (0.002, 0.005), 3.0
VALIDATION, VALIDATION_SEED = 1000, 11


def read(name):
    path = os.path.join(os.environ["BASIN_DATA"], "cifar10", name)
    with gzip.open(path) as file:
        records = numpy.frombuffer(file.read(), numpy.uint8).reshape(-1, 3073)
    images = torch.from_numpy(records[:, 1:].astype("float32").reshape(-1, 3, 32, 32) / 255)
    return images, torch.from_numpy(records[:, 0].astype("int64"))


def network():
    layers, channels = [], 3
    for maps in (32, 64, 128):
        layers += [nn.Conv2d(channels, maps, 3, padding=1), nn.BatchNorm2d(maps), nn.ReLU(), nn.MaxPool2d(2)]
        channels = maps
    return nn.Sequential(*layers, nn.Dropout(0.5), nn.Flatten(), nn.Linear(128 * 4 * 4, 10))


def distorted(images):
    """Shifts uniform in -SHIFT .. SHIFT pixels along each axis, half of the images left to right, 0 beyond the edges."""
    count = len(images)
    turn = torch.zeros(count, 2, 3)
    turn[:, 0, 0] = 1.0 - 2.0 * (torch.rand(count) < 0.5)
    turn[:, 1, 1] = 1.0
    turn[:, :, 2] = (torch.rand(count, 2) * 2 - 1) * SHIFT * 2 / 32
    grid = nn.functional.affine_grid(turn, images.shape, align_corners=False)
    return nn.functional.grid_sample(images, grid, align_corners=False)


def error(seed, rate, train, test):
    torch.manual_seed(seed)
    images, labels = train
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), rate)
    steps = math.ceil(len(images) / BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * steps)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(images)).split(BATCH):
            loss = nn.functional.cross_entropy(net(distorted(images[chosen])), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    net.eval()
    with torch.no_grad():
        return 100 * (net(test[0]).argmax(1) != test[1]).float().mean().item()


def main():
    train, test = read("data_batch_1.bin.gz"), read("test_batch_first1000.bin.gz")
    torch.manual_seed(VALIDATION_SEED)
    order = torch.randperm(len(train[0]))
    held, kept = [[part[rows] for part in train] for rows in (order[:VALIDATION], order[VALIDATION:])]
    validation = {}
    for rate in RATES:
        validation[rate] = error(VALIDATION_SEED, rate, kept, held)
        print(f"rate {rate}: validation {validation[rate]:.2f} %", flush=True)
    best = min(validation, key=validation.get)
    errors = []
    for seed in [int(word) for word in sys.argv[1:]] or [1, 2, 3, 4, 5]:
        errors.append(error(seed, best, train, test))
        print(f"seed {seed}: {errors[-1]:.2f} %", flush=True)
    if len(errors) > 1:
        print(f"mean {statistics.mean(errors):.2f} %, deviation {statistics.stdev(errors):.2f} %")


if __name__ == "__main__":
    main()
