"""Makes Sources/TensorBoard/Generated anew from the schema inside the Python package tensorboard.

Needs protoc, and protoc-gen-swift of the swift-protobuf that Package.swift names:
    python3 Tools/tensorboard_schema.py PROTOC_GEN_SWIFT
"""
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2
from tensorboard.compat.proto import event_pb2

files = {}


def collect(descriptor):
    for dependency in descriptor.dependencies:
        collect(dependency)
    files[descriptor.name] = descriptor


collect(event_pb2.DESCRIPTOR)
schema = descriptor_pb2.FileDescriptorSet()
for descriptor in files.values():
    descriptor.CopyToProto(schema.file.add())
with tempfile.NamedTemporaryFile(suffix=".pb") as out:
    out.write(schema.SerializeToString())
    out.flush()
    subprocess.run(
        ["protoc", f"--descriptor_set_in={out.name}", f"--plugin=protoc-gen-swift={sys.argv[1]}",
         "--swift_opt=FileNaming=DropPath", "--swift_opt=Visibility=Internal",
         "--swift_out=Sources/TensorBoard/Generated", *files],
        check=True)
