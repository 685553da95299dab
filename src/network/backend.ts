// SPDX-License-Identifier: Apache-2.0
import type { IdRange } from "../base/index.ts";
import type { Joined, NetworkRecord } from "./types.ts";

/** A container whose network is to be made. */
export interface AttachRequest {
  readonly containerId: string;
  /** The container's folder; helpers carry it on their command line, so that they are found when their parent is killed. */
  readonly folder: string;
  /** In the order of their interfaces; the first has the published ports. */
  readonly joined: readonly Joined[];
  /** Ids of a user namespace that the network is to belong to; without, it belongs to this process's. */
  readonly ids?: NamespaceIds | undefined;
}

/** The rows of a user namespace below this process's. */
export interface NamespaceIds {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** A network namespace on its way. */
export interface Attachment {
  /** What the runtime joins: `/proc/PID/ns/net`. Exists when `ready`, until `release` or this process's end. */
  readonly namespace: string;
  /** The user namespace that it belongs to, when `ids` were given; the runtime joins it too. */
  readonly userNamespace?: string;
  /** Everything works. Rejects when it could not be made; nothing is left of it then but what `detach` removes. */
  readonly ready: Promise<void>;
  /** Lets go of the namespace: the container, which has joined it, keeps it. */
  release(): void;
}

/** What is made in the kernel for networks: bridges and rules for root, something else for an ordinary user. */
export interface NetworkBackend {
  /** Begins; the caller prepares the rest until it is `ready`. Throws `E_PROGRAM_MISSING`. */
  attach(request: AttachRequest): Promise<Attachment>;
  /** Removes what does not end with the namespace: published ports. Nothing left is no error. */
  detach(containerId: string, joined: readonly Joined[]): Promise<void>;
  /** A further interface for a running container, whose first process is `pid`. */
  join(pid: number, joined: Joined): Promise<void>;
  /** Takes one from it; one of the others leads outside then. */
  leave(pid: number, joined: Joined, others: readonly Joined[]): Promise<void>;
  /** Makes names agree with the records; called after endpoints have gone or got another name. */
  refresh(): Promise<void>;
  /** Takes down what belongs to a network without containers. */
  takeDown(network: NetworkRecord): Promise<void>;
  /** Removes everything in the kernel that no network accounts for; returns how much there was. */
  sweep(): Promise<number>;
}
