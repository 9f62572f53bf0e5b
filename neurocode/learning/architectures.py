"""Deep networks of the literature with the neurons of any model (layer lists of Ma, Yan, Tang
2023).

Weights start uniformly (:func:`neurocode.learning.connections.uniform_weights`), which is our
choice, not from the paper.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import jax

from neurocode.learning.connections import BatchNorm, Chain, Convolution, Dense, Pool
from neurocode.learning.layer import Layer, Shortcut
from neurocode.learning.network import Network
from neurocode.learning.readout import Readout
from neurocode.models.model import NeuronModel

Array = jax.Array
Shape = tuple[int, int, int]
#: Channels and pooling before each convolution of CIFARNet, and its dense layers.
CIFAR_NET = ((128, 1), (256, 1), (512, 2), (1024, 2), (512, 1))
CIFAR_NET_DENSE = (1024, 512)
#: Channels and stride of the first convolution of each pair of blocks.
RESNET_18 = ((64, 1), (128, 2), (256, 2), (512, 2))


def cifar_net(
    shape: Shape,
    n_classes: int,
    model: NeuronModel,
    dt: float,
    *,
    width: float = 1.0,
    readout: float = 1e-9,
    key: Array,
    **options: Any,
) -> Network:
    """CIFARNet: five 3-by-3 convolutions with spiking neurons, average pooling before the third and
    the fourth, and three linear maps.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, height and width of the images; height and width must be divisible by four.
    n_classes : int
    model : NeuronModel
    dt : float
        Time step in seconds.
    width : float
        Numbers of channels and units relative to those of the paper.
    readout : float
        Time constant of the readout in seconds. When it is far below a time step the readout does
        not integrate, as in the paper.
    key : jax.Array
    options
        Options of every :class:`Layer`, such as ``surrogate`` and ``learned``.

    Returns
    -------
    Network

    Examples
    --------
    >>> import neurocode as nc
    >>> model, key = nc.models.noisy_lif(), jax.random.key(0)
    >>> network = cifar_net((3, 8, 8), 10, model, 1e-3, width=1 / 64, key=key)
    >>> [layer.n for layer in network.layers]
    [128, 256, 128, 64, 32]
    """
    keys, layers = _keys(key), []
    for channels, side in CIFAR_NET:
        pools = [] if side == 1 else [Pool(shape, side)]
        shape = pools[0].out_shape if pools else shape
        convolution = Convolution(shape, _scaled(channels, width), key=next(keys))
        shape = convolution.out_shape
        layers.append(Layer(Chain([*pools, convolution]), model, dt, **options))
    sizes = [layers[-1].n, *(_scaled(n, width) for n in CIFAR_NET_DENSE), n_classes]
    dense = [Dense(a, b, key=next(keys)) for a, b in itertools.pairwise(sizes)]
    return Network([*layers, Readout(Chain(dense), dt, readout)])


def resnet_18(
    shape: Shape,
    n_classes: int,
    model: NeuronModel,
    dt: float,
    *,
    width: float = 1.0,
    readout: float = 1e-9,
    key: Array,
    **options: Any,
) -> Network:
    """Spiking ResNet-18 for images of 32 by 32 pixels: a convolution, then eight blocks of two
    convolutions each, with batch normalisation and shortcuts.

    The parameters are those of :func:`cifar_net`; height and width of the images must be divisible
    by eight.

    Examples
    --------
    >>> import neurocode as nc
    >>> model, key = nc.models.noisy_lif(), jax.random.key(0)
    >>> network = resnet_18((3, 8, 8), 10, model, 1e-3, width=1 / 16, key=key)
    >>> len(network.layers), network.layers[-1].n
    (17, 32)
    """
    keys = _keys(key)
    make = partial(Layer, model=model, dt=dt, **options)
    first, shape = _normalised(shape, _scaled(RESNET_18[0][0], width), 3, 1, next(keys))
    layers = [make(first)]
    for channels, stride in RESNET_18:
        for step in (stride, 1):
            block, shape = _block(shape, _scaled(channels, width), step, keys, make)
            layers += block
    read = Chain([Pool(shape, shape[1]), Dense(shape[0], n_classes, key=next(keys))])
    return Network([*layers, Readout(read, dt, readout)])


def _block(
    shape: Shape, channels: int, stride: int, keys: Any, make: Callable[..., Layer]
) -> tuple[list[Layer], Shape]:
    """Return two layers and the shape of their output. The second layer has a shortcut from the
    input of the first: the identity, or a normalised one-by-one convolution where the shapes
    differ."""
    into, between = _normalised(shape, channels, 3, stride, next(keys))
    after, out_shape = _normalised(between, channels, 3, 1, next(keys))
    same = stride == 1 and channels == shape[0]
    across = None if same else _normalised(shape, channels, 1, stride, next(keys))[0]
    return [make(into), make(after, shortcut=Shortcut(1, across))], out_shape


def _normalised(
    shape: Shape, channels: int, size: int, stride: int, key: Array
) -> tuple[Chain, Shape]:
    """Return a convolution with its normalisation, and the shape of its output."""
    convolution = Convolution(shape, channels, size, stride=stride, bias=False, key=key)
    normalised = Chain([convolution, BatchNorm(convolution.n_out, channels)])
    return normalised, convolution.out_shape


def _keys(key: Array) -> Any:
    return iter(jax.random.split(key, 32))


def _scaled(number: int, width: float) -> int:
    return max(1, round(number * width))
