"""Training on several machines with Dask (the extra ``dask``); each machine holds a part of the samples."""

from backpath.distributed.dask_workers import DaskWorkers as DaskWorkers
from backpath.distributed.data_parallel import train as train
from backpath.distributed.parts import DistributedSamples as DistributedSamples
from backpath.distributed.parts import from_collections as from_collections
from backpath.distributed.parts import from_parquet as from_parquet
