"""Runs MONAI Label's own client against a server, as 3D Slicer's plugin does, and prints what it got, as JSON.

    python3 Tools/serve_client.py ADDRESS IMAGE IDENTIFIER LABEL [TOKEN]

ADDRESS is the server's, such as http://127.0.0.1:8000. IMAGE is a file to upload, IDENTIFIER an image of the server's folder, and
LABEL a mask of it with values 1 and up, which is saved there. TOKEN is the server's secret. Masks are given by their SHA-256.
"""
import hashlib
import importlib.util
import json
import sys
import tempfile
import warnings
from importlib import metadata

address, image, identifier, label = sys.argv[1:5]
token = sys.argv[5] if len(sys.argv) > 5 else None
# The package imports much more than its client.
path = metadata.distribution("monailabel").locate_file("monailabel/client/client.py")
spec = importlib.util.spec_from_file_location("client", str(path))
module = importlib.util.module_from_spec(spec)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # cgi is deprecated
    spec.loader.exec_module(module)
folder = tempfile.TemporaryDirectory()
found = {}


def client():
    """A client for one call, as the plugin makes them: a client's headers of one call would be those of the next."""
    one = module.MONAILabelClient(address, folder.name, "user-xyz")
    if one.auth_enabled():
        one.update_auth(one.auth_token("user-xyz", token))
        assert one.auth_valid_token()
    return one


def digest(file):
    with open(file, "rb") as opened:
        return hashlib.sha256(opened.read()).hexdigest()


def status(call):
    """The status of a call that the server refuses."""
    try:
        call()
    except module.MONAILabelClientException as error:
        return error.status_code or error.msg
    return 200


# The plugin asks for NRRD of bytes, of whatever the model.
options = {"result_extension": ".nrrd", "result_dtype": "uint8"}
found["auth_enabled"] = client().auth_enabled()
found["info"] = info = client().info()
found["create_session"] = client().create_session(image)
session = found["create_session"]["session_id"]
found["get_session"] = client().get_session(session)
found["infer"] = {}
for model in info["models"]:
    ways = {
        "session": lambda: client().infer(model, "", dict(options), session_id=session),
        "image": lambda: client().infer(model, identifier, dict(options)),
        "file": lambda: client().infer(model, "", dict(options), file=image),
        "nifti": lambda: client().infer(model, identifier, {}),
    }
    found["infer"][model] = {}
    for way, call in ways.items():
        mask, params = call()
        found["infer"][model][way] = {"name": mask.rsplit("/")[-1], "mask": digest(mask), "params": params}
found["next_sample"] = {name: client().next_sample(name, {}) for name in info["strategies"]}
# 3D Slicer numbers segments by their order.
label_info = [{"name": name, "idx": place + 1} for place, name in enumerate(info["labels"])]
found["save_label"] = client().save_label(identifier, label, params={"label_info": label_info, "model": list(info["models"])[0]})
found["datastore"] = client().datastore()
found["download_label"] = digest(client().download_label(identifier, "final"))
found["is_training"] = client().train_status(True)
found["train_start"] = status(lambda: client().train_start("", {}))
found["remove_session"] = client().remove_session(session)
found["removed_session"] = status(lambda: client().get_session(session))
json.dump(found, sys.stdout, indent=1)
print()
