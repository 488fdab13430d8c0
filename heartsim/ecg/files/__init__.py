"""Clinical ECG files in and out, one small file per format."""

from ._read import READS as READS
from ._read import read_ecg as read_ecg
from ._write import WRITES as WRITES
from ._write import write_ecg as write_ecg
