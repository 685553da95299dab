// SPDX-License-Identifier: Apache-2.0
/* Why a row of docs/compatibility.md is not `same`. A row is a command (`volume update`) or one with a flag. */

const WINDOWS = "Docker has it for Windows containers only";
const SWARM = "for clusters of Docker Swarm, which Tare hands images to and does not run";

const NO_LINK_LOCAL = "for address managers of Docker's plugins, which there are none of";

/** What Tare refuses or lacks on purpose. */
export const NOT_PLANNED: Readonly<Record<string, string>> = {
  "run --link-local-ip": NO_LINK_LOCAL,
  "network connect --link-local-ip": NO_LINK_LOCAL,
  "network connect --driver-opt": "the one driver has no options for a single container",
  "network create --aux-address": "addresses are kept free with `--ip-range`",
  "network create --ipam-opt": "there is one manager of addresses, and it has no options",
  "create --attach": "`start -a` attaches",
  "rm --link": "links are lines of /etc/hosts and no things that could be removed",
  "exec --detach-keys": "a process of `exec` ends with the command that started it; `exec -d` for one that stays",
  "run --cpu-count": WINDOWS,
  "run --cpu-percent": WINDOWS,
  "run --io-maxbandwidth": WINDOWS,
  "run --io-maxiops": WINDOWS,
  "run --isolation": WINDOWS,
  "run --use-api-socket": "there is no daemon whose socket could be handed in",
  "network connect --link": "Docker's own legacy; containers of a network find each other by name",
  "run --storage-opt": "the storage has no options per container",
  "start --checkpoint": "an experiment of Docker's daemon",
  "start --checkpoint-dir": "an experiment of Docker's daemon",
  "volume update": SWARM,
  "volume update --availability": SWARM,
  "volume ls --cluster": SWARM,
  "volume create --availability": SWARM,
  "volume create --group": SWARM,
  "volume create --limit-bytes": SWARM,
  "volume create --required-bytes": SWARM,
  "volume create --scope": SWARM,
  "volume create --secret": SWARM,
  "volume create --sharing": SWARM,
  "volume create --topology-preferred": SWARM,
  "volume create --topology-required": SWARM,
  "volume create --type": SWARM,
  "network create --config-from": SWARM,
  "network create --config-only": SWARM,
  "network create --ingress": SWARM,
  "network create --scope": SWARM,
};

/** What Tare has and does otherwise on purpose. */
export const DIFFERENT: Readonly<Record<string, string>> = {
  "network connect --gw-priority":
    "accepted and shown; the default route stays in the first network that is not internal",
  "run --detach": "when the program can't be started no id is printed, and the container is `exited`, not `created`",
  "run --gpus": "a count beside devices is refused at once, with the quoted form; /dev/shm is half of the memory",
  "run --ipc": "`private`, `shareable` and `host`; another container's is refused",
  "run --user": "a number that the image does not know has a name and a home",
  "run --sig-proxy": "with `false` a foreground container ends with its command: there is no daemon that keeps it",
  "run --publish": "without an address the port is open on 127.0.0.1 only",
  "run --publish-all": "the ports are open on 127.0.0.1 only",
  "run --blkio-weight-device": "a start fails where the kernel has no such limit; Docker leaves it out with a warning",
  "run --disable-content-trust":
    "ignored: Docker's content trust is given up by its makers; `--signature-policy` checks",
};
