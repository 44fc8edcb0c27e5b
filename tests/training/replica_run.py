"""train.py on so many logical CPU devices: a program, since devices come before TensorFlow.

python -m tests.training.replica_run DEVICES OPTION...
"""

import sys

import tensorflow as tf

from facenet_tf import cli
from facenet_tf.commands.train import main

if __name__ == "__main__":
    cpu = tf.config.list_physical_devices("CPU")[0]
    logical = [tf.config.LogicalDeviceConfiguration() for _ in range(int(sys.argv[1]))]
    tf.config.set_logical_device_configuration(cpu, logical)
    cli.run(main, sys.argv[2:])
