"""Makes Sources/ONNX/Generated anew from the schema inside the Python package onnx: the messages and fields that are written.
The schema is ONNX's, under the Apache License 2.0.

Needs protoc, and protoc-gen-swift of the swift-protobuf that Package.swift names:
    python3 Tools/onnx_schema.py PROTOC_GEN_SWIFT
"""
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2
from onnx import onnx_ml_pb2

WRITTEN = {
    "ModelProto": "ir_version producer_name producer_version doc_string graph opset_import metadata_props",
    "GraphProto": "node name initializer input output",
    "NodeProto": "input output name op_type attribute",
    "AttributeProto": "name type i f ints s",
    "TensorProto": "dims data_type name raw_data",
    "ValueInfoProto": "name type",
    "TypeProto": "tensor_type",
    "TensorShapeProto": "dim",
    "OperatorSetIdProto": "domain version",
    "StringStringEntryProto": "key value",
}
# Messages and enumerations inside of those above.
INNER = {"AttributeType", "Tensor", "Dimension", "DataType"}

schema = descriptor_pb2.FileDescriptorProto()
onnx_ml_pb2.DESCRIPTOR.CopyToProto(schema)
for index in reversed(range(len(schema.message_type))):
    message = schema.message_type[index]
    if message.name not in WRITTEN:
        del schema.message_type[index]
        continue
    fields = WRITTEN[message.name].split()
    kept = [field for field in message.field if field.name in fields]
    assert len(kept) == len(fields), message.name
    inner = [one for one in message.nested_type if one.name in INNER]
    enums = [one for one in message.enum_type if one.name in INNER]
    used = {field.oneof_index for field in kept if field.HasField("oneof_index")}
    oneofs = list(message.oneof_decl) if used else []
    for name, values in (("field", kept), ("nested_type", inner), ("enum_type", enums), ("oneof_decl", oneofs)):
        message.ClearField(name)
        getattr(message, name).extend(values)
    message.ClearField("reserved_range")
    message.ClearField("reserved_name")
schema.name = "onnx.proto"
del schema.enum_type[:]
files = descriptor_pb2.FileDescriptorSet(file=[schema])
with tempfile.NamedTemporaryFile(suffix=".pb") as out:
    out.write(files.SerializeToString())
    out.flush()
    subprocess.run(
        ["protoc", f"--descriptor_set_in={out.name}", f"--plugin=protoc-gen-swift={sys.argv[1]}",
         "--swift_opt=Visibility=Internal", "--swift_out=Sources/ONNX/Generated", schema.name],
        check=True)
