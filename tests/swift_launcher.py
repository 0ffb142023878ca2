"""OpenStack Swift with its S3 interface, all of it in one process: `python swift_launcher.py FOLDER PORT KEY SECRET BUCKET`.

Run by an interpreter that has the package `swift`, never imported. Says `ready` on stdout. Access keys are `test:NAME`.
"""

from __future__ import annotations

import array
import os
import sys
from pathlib import Path

import eventlet  # type: ignore[import-not-found,unused-ignore]
from eventlet import wsgi

eventlet.monkey_patch()

from swift.account.server import AccountController  # type: ignore[import-not-found]  # noqa: E402
from swift.common import utils  # type: ignore[import-not-found]  # noqa: E402
from swift.common.ring import RingData  # type: ignore[import-not-found]  # noqa: E402
from swift.common.storage_policy import reload_storage_policies  # type: ignore[import-not-found]  # noqa: E402
from swift.common.swob import Request  # type: ignore[import-not-found]  # noqa: E402
from swift.common.wsgi import loadapp  # type: ignore[import-not-found]  # noqa: E402
from swift.container.server import ContainerController  # type: ignore[import-not-found]  # noqa: E402
from swift.obj.server import ObjectController  # type: ignore[import-not-found]  # noqa: E402

_PROXY = """
[DEFAULT]
swift_dir = {folder}
bind_port = {port}
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats s3api tempauth proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{name} = {secret} .admin
"""


def main() -> None:
    folder, port, (key, secret, bucket) = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    devices = folder / "devices"
    (devices / "sda").mkdir(parents=True)
    conf = folder / "swift.conf"
    conf.write_text("[swift-hash]\nswift_hash_path_suffix = tests\n[storage-policy:0]\nname = one\ndefault = yes\n")
    utils.SWIFT_CONF_FILE = str(conf)
    utils.HASH_PATH_SUFFIX = b"tests"
    options = {"devices": str(devices), "mount_check": "false", "swift_dir": str(folder), "disable_fallocate": "true"}
    for kind, controller in (("account", AccountController), ("container", ContainerController), ("object", ObjectController)):
        socket = eventlet.listen(("127.0.0.1", 0))
        device = {"id": 0, "zone": 0, "region": 1, "device": "sda", "ip": "127.0.0.1", "port": socket.getsockname()[1]}
        device |= {"replication_ip": device["ip"], "replication_port": device["port"], "weight": 1.0, "meta": ""}
        RingData([array.array("H", [0, 0])], [device], 31).save(str(folder / f"{kind}.ring.gz"))
        eventlet.spawn(wsgi.server, socket, controller(options), log_output=False)
    reload_storage_policies()
    account, name = key.split(":")
    proxy = folder / "proxy-server.conf"
    proxy.write_text(_PROXY.format(folder=folder, port=port, account=account, name=name, secret=secret))
    app = loadapp(str(proxy))
    # The one way that needs no token: from within.
    trusted = {"swift.authorize_override": True, "swift.authorize": lambda _request: None}
    made = Request.blank(f"/v1/AUTH_{account}/{bucket}", environ=trusted, method="PUT").get_response(app)
    assert made.status_int == 201, made.status
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    wsgi.server(eventlet.listen(("127.0.0.1", port)), app, log_output=bool(os.environ.get("SWIFT_LOG")))


if __name__ == "__main__":
    main()
