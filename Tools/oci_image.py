"""Writes an OCI image of one layer, without an engine. The same folder gives the same bytes.

    python3 Tools/oci_image.py ROOT FILE.oci.tar VERSION SECONDS

SECONDS since 1970 date everything inside. `podman load`, `docker load` and `skopeo` read the file: manifest.json is for those
that know Docker's archives alone.
"""
import hashlib
import json
import os
import platform
import shutil
import sys
import tarfile
import tempfile
import zlib
from datetime import datetime, timezone
from pathlib import Path

root, target, version, seconds = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
OCI = "application/vnd.oci.image"


class Packed:
    """A gzip file that knows the digest of what went in; gzip's own header would hold a date."""

    def __init__(self, file):
        self.file, self.inside = file, hashlib.sha256()
        self.deflate = zlib.compressobj(6, zlib.DEFLATED, 31)

    def write(self, data):
        self.inside.update(data)
        self.file.write(self.deflate.compress(data))
        return len(data)

    def close(self):
        self.file.write(self.deflate.flush())


def dated(member):
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = seconds
    return member


def add_folder(archive, folder, within=""):
    for entry in sorted(os.listdir(folder)):
        path, name = folder / entry, within + entry
        archive.add(path, name, recursive=False, filter=dated)
        if path.is_dir() and not path.is_symlink():
            add_folder(archive, path, name + "/")


with tempfile.TemporaryDirectory(dir=target.parent) as place:
    blobs = Path(place) / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def keep(value, kind):
        """Stores a value as JSON; returns its descriptor."""
        data = json.dumps(value, sort_keys=True).encode()
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": f"{OCI}.{kind}+json", "digest": f"sha256:{digest}", "size": len(data)}

    layer = Path(place) / "layer"
    with open(layer, "wb") as file:
        packed = Packed(file)
        with tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT) as archive:
            add_folder(archive, root)
        packed.close()
    with open(layer, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = layer.stat().st_size
    layer.rename(blobs / digest)

    config = keep({
        "architecture": ARCHITECTURE, "os": "linux",
        "created": datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "config": {
            "Entrypoint": ["/opt/dualnorm/bin/dualnorm"], "Cmd": ["--help"], "WorkingDir": "/work",
            "Env": ["PATH=/usr/bin", "HOME=/tmp"],
            "Labels": {"org.opencontainers.image.title": "dualnorm", "org.opencontainers.image.version": version,
                       "org.opencontainers.image.licenses": "Apache-2.0"}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{packed.inside.hexdigest()}"]}}, "config.v1")
    layers = [{"mediaType": f"{OCI}.layer.v1.tar+gzip", "digest": f"sha256:{digest}", "size": size}]
    manifest = keep({"schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json", "config": config, "layers": layers},
                    "manifest.v1")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": version}
    texts = {
        "oci-layout": {"imageLayoutVersion": "1.0.0"},
        "index.json": {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": [manifest]},
        "manifest.json": [{"Config": "blobs/sha256/" + config["digest"][7:], "RepoTags": [f"dualnorm:{version}"],
                           "Layers": ["blobs/sha256/" + digest]}],
    }
    for name, value in texts.items():
        (Path(place) / name).write_text(json.dumps(value, sort_keys=True))
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        add_folder(archive, Path(place))
