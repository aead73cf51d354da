"""Whether entries.ndjson is what the checkpoint promises, and has each release's evidence.

The tree is that of RFC 6962, section 2.1. `--since OLD` names an earlier checkpoint, of which this
log must be the continuation. The checkpoint's signature is openssl's to verify (README.txt).
"""

import base64
import hashlib
import json
import pathlib
import sys

here = pathlib.Path(__file__).parent


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def root(entries):
    """The root of a tree over `entries`."""
    peaks = []
    for index, entry in enumerate(entries):
        node = leaf(entry)
        while index & 1:
            node = hashlib.sha256(b"\1" + peaks.pop() + node).digest()
            index >>= 1
        peaks.append(node)
    if not peaks:
        return hashlib.sha256(b"").digest()
    node = peaks.pop()
    while peaks:
        node = hashlib.sha256(b"\1" + peaks.pop() + node).digest()
    return node


def promise(path):
    """Origin, size and root of a checkpoint."""
    origin, size, top = pathlib.Path(path).read_text().split("\n")[:3]
    return origin, int(size), base64.b64decode(top)


def main():
    entries = (here / "entries.ndjson").read_bytes().split(b"\n")[:-1]
    origin, size, top = promise(here / "checkpoint")
    if not (here / "checkpoint").read_bytes().startswith((here / "checkpoint.body").read_bytes()):
        sys.exit(f"{origin}: the promise is not the one that was signed")
    if len(entries) != size or root(entries) != top:
        sys.exit(f"{origin}: the {len(entries)} entries are not the {size} that were promised")
    if "--since" in sys.argv:
        old_origin, old_size, old_top = promise(sys.argv[sys.argv.index("--since") + 1])
        if old_origin != origin or root(entries[:old_size]) != old_top or old_size > size:
            sys.exit(f"{origin}: this log does not continue the one of the old checkpoint")
    told = {}
    for entry in map(json.loads, entries):
        if entry["event"] == "release_created" and "verification" in entry:
            told[f"{entry['app']}.r{entry['release']}"] = entry
    folders = sorted(path for path in (here / "releases").glob("*") if path.is_dir())
    for folder in folders:
        entry = told.get(folder.name)
        for name, field in (("image.json", "image"), ("evidence.json", "verification")):
            digest = "sha256:" + hashlib.sha256((folder / name).read_bytes()).hexdigest()
            if entry is None or entry[field] != digest:
                sys.exit(f"{folder.name}: {name} is not what the log tells of")
        evidence = (folder / "evidence.json").read_text()
        for bundle in folder.glob("*.sigstore.json"):
            if "sha256:" + hashlib.sha256(bundle.read_bytes()).hexdigest() not in evidence:
                sys.exit(f"{folder.name}: {bundle.name} is not in its evidence")
    print(f"{origin}: {size} entries as promised, {len(folders)} releases as told")


main()
