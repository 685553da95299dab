// SPDX-License-Identifier: Apache-2.0
import type { BuildFacts, ProvenanceMode, SbomFormat } from "../trust/index.ts";
import type { CacheExport, CacheImport } from "../options/index.ts";
import type { Digest } from "../base/index.ts";
import type { LeftOut } from "../python/index.ts";
import type { BuildListener } from "../solver/index.ts";

/** `--secret id=…`: from a file or an environment variable. */
export interface SecretSource {
  readonly id: string;
  readonly file?: string;
  readonly env?: string;
}

/** `-o type=…`: where a build's result goes. */
export interface OutputSpec {
  readonly type: "image" | "oci" | "docker" | "local" | "tar" | "cacheonly";
  /** File or folder; `-` is stdout; absent for `image` (the store). */
  readonly destination?: string;
  /** Remaining attributes as written (`name`, `push`, `rewrite-timestamp`, `tar`, `platform-split` …). */
  readonly attributes: Readonly<Record<string, string>>;
}

/** How Python distributions become layers. */
export interface PythonBuildOptions {
  /** `--layers`: most layers for distributions. */
  readonly layers?: number;
  /** `--bytecode`. */
  readonly bytecode?: "imported" | "all" | "none";
  /** `--accelerator`: `cpu`, `cu126`, `rocm6.3`, `auto` … */
  readonly accelerator?: string;
  /** `--slim`: names of rules, `all` for those that are proven for the image; empty means none. */
  readonly slim?: readonly string[];
  /** `--python`: the version of a project without a Dockerfile. */
  readonly version?: string;
}

/** Everything that `tare build` can say. Paths are as the user wrote them, relative to `cwd`. */
export interface BuildRequest {
  readonly cwd: string;
  /** Folder, `-` (tar or Dockerfile on stdin), git URL or http URL of a tar. */
  readonly context: string;
  /** `-f`: path, or `-` for stdin. */
  readonly file?: string;
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly tags: readonly string[];
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly buildContexts: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly secrets: readonly SecretSource[];
  /** Agent sockets or keys by id (`default`). */
  readonly ssh: Readonly<Record<string, readonly string[]>>;
  readonly platforms: readonly string[];
  readonly noCache: boolean;
  readonly noCacheFilter: readonly string[];
  readonly pull: boolean;
  readonly network?: "default" | "none" | "host";
  readonly addHosts: readonly string[];
  readonly shmSize?: number;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly cgroupParent?: string;
  readonly allow: readonly string[];
  readonly outputs: readonly OutputSpec[];
  /** Build caches to use, in the order of preference. */
  readonly cacheFrom?: readonly CacheImport[];
  /** Build caches to write. */
  readonly cacheTo?: readonly CacheExport[];
  /** `--load`: also into a running Docker Engine. */
  readonly load: boolean;
  readonly jobs?: number;
  readonly runtime?: string;
  /** False (`--no-accelerate`): `RUN pip install` runs as written. Default true. */
  readonly accelerate?: boolean;
  readonly python?: PythonBuildOptions;
  /** `--lock-facts`: writes what is known of the layers of wheels into the project's pylock.toml. */
  readonly lockFacts?: boolean;
  /** `--lock` pins what names of images stand for in tare.lock (`write`), `--locked` takes none but pinned ones (`require`). */
  readonly pins?: "write" | "require";
  /** Documents about the image that are attached where it is pushed. */
  readonly attestations?: AttestationRequest;
  /** Seconds since the epoch; from `SOURCE_DATE_EPOCH`. */
  readonly sourceDateEpoch?: number;
  readonly listener?: BuildListener;
  readonly signal?: AbortSignal;
}

/** `--sbom`, `--provenance`, `--sign-by-sigstore-private-key`. */
export interface AttestationRequest {
  readonly sbom?: SbomFormat;
  readonly provenance?: { readonly mode: ProvenanceMode; readonly builderId?: string };
  /** Signs the image, and the documents that are attached to it. */
  readonly signing?: {
    /** PEM, also in cosign's encrypted format. */
    readonly key: string;
    /** Asked for a key that is encrypted. */
    readonly passphrase: () => Promise<string>;
  };
  /** Of the product, as documents name it. */
  readonly version: string;
}

/** Something that the build of a project without a Dockerfile decided, with the reason. */
export interface ProjectDecision {
  readonly name: "python" | "dependencies" | "accelerator" | "layers" | "command" | "slim";
  readonly text: string;
}

/** One image that a build made. */
export interface BuiltImage {
  readonly platform: string;
  readonly id: Digest;
  readonly manifest: Digest;
}

/** What a build made. */
export interface BuildResult {
  readonly images: readonly BuiltImage[];
  /** Manifest or index that the names point to; absent when no image was asked for. */
  readonly target?: Digest;
  /** Instead of `target`: some of its layers are only at the registry. It can be pushed, and is not in the store. */
  readonly absent?: { readonly target: Digest; readonly mediaType: string; readonly id: Digest };
  readonly names: readonly string[];
  /** For a project without a Dockerfile. */
  readonly decisions?: readonly ProjectDecision[];
  /** What `--slim` left out of its distributions, by rule. */
  readonly leftOut?: readonly LeftOut[];
  /** With `--provenance`: what each image was made from, by its id. */
  readonly facts?: ReadonlyMap<Digest, BuildFacts>;
  /** For `--metadata-file`, in BuildKit's keys (`containerimage.digest` …). */
  readonly metadata: Readonly<Record<string, unknown>>;
}
