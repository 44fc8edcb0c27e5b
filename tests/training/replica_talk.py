"""What a worker has of the chief's numbers, as JSON: a program, since each is a process.

python -m tests.training.replica_talk NUMBER...
"""

import json
import sys

from facenet_tf.training import distribute

if __name__ == "__main__":
    distribution = distribute.start("multiworker", "off")
    told = distribution.of_chief([[float(number) for number in sys.argv[1:]]])
    print(json.dumps(told.tolist()))
