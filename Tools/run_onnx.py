"""Runs exported graphs by ONNX Runtime and OpenVINO, and prints how far their outputs are from given ones, as JSON.

    python3 Tools/run_onnx.py FOLDER

FOLDER/graphs.json names the graphs: {NAME: [{"image": [shape], "outputs": {OUTPUT: [shape]}}, …]}. Raw values lie beside
NAME.onnx: NAME.0.image and NAME.0.OUTPUT of the first input, in float32 or, of a mask, in uint8.
"""
import json
import os
import sys

import numpy
import onnx
import onnxruntime
import openvino

folder = sys.argv[1]


def values(name, shape):
    kind = numpy.uint8 if "mask" in name.rsplit(".")[-1] else numpy.float32
    return numpy.fromfile(os.path.join(folder, name), kind).reshape(shape)


found = {}
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
core = openvino.Core()
with open(os.path.join(folder, "graphs.json")) as file:
    graphs = json.load(file)
for name, inputs in graphs.items():
    path = os.path.join(folder, name + ".onnx")
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    compiled = core.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    found[name] = {"onnxruntime": 0.0, "openvino": 0.0}
    for place, one in enumerate(inputs):
        image = values(f"{name}.{place}.image", one["image"])
        names = list(one["outputs"])
        results = {"onnxruntime": dict(zip(names, session.run(names, {"image": image})))}
        outputs = compiled({"image": image})
        results["openvino"] = {output: outputs[output] for output in names}
        for runtime, result in results.items():
            for output, shape in one["outputs"].items():
                expected = values(f"{name}.{place}.{output}", shape)
                assert result[output].shape == expected.shape, (name, runtime, output, result[output].shape)
                # The share of other values in masks, and the largest difference of probabilities.
                far = (
                    (result[output] != expected).mean() if expected.dtype == numpy.uint8
                    else numpy.abs(result[output].astype(float) - expected).max())
                found[name][runtime] = float(numpy.maximum(found[name][runtime], far))  # keeps NaN, which JSON refuses
print(json.dumps(found))
