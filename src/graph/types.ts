// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "../base/index.ts";

/** Identifies a vertex: the digest of its operation and its inputs' ids. Equal work has equal ids and runs once. */
export type VertexId = Digest;

/** `uid:gid` or names that are looked up in the input's `/etc/passwd` and `/etc/group` when the step runs. */
export interface OwnerSpec {
  readonly user: string;
  readonly group?: string;
}

/** Nothing: the empty file system of `FROM scratch`. */
export interface ScratchOp {
  readonly type: "scratch";
}

/** The layers of an image that the front end has resolved to a digest already. */
export interface ImageOp {
  readonly type: "image";
  /** As the user wrote it, for the progress. */
  readonly reference: string;
  /** Digest of the platform's manifest; the layers below are its diffIDs, lowest first. */
  readonly manifest: Digest;
  readonly layers: readonly Digest[];
}

/** A folder of the user's machine, filtered by its ignore patterns. Never becomes a layer by itself. */
export interface LocalOp {
  readonly type: "local";
  /** `context`, or the name of a `--build-context`. */
  readonly name: string;
}

/** One file from a URL. */
export interface HttpOp {
  readonly type: "http";
  readonly url: string;
  /** File name inside the result when the server does not say otherwise. */
  readonly fileName: string;
  readonly checksum?: string;
  readonly mode?: number;
}

/** A checkout of a git repository. */
export interface GitOp {
  readonly type: "git";
  readonly remote: string;
  readonly ref?: string;
  readonly subdirectory?: string;
  readonly keepGitDirectory: boolean;
  readonly checksum?: string;
  readonly submodules?: boolean;
}

/** One source of a copy: paths inside an input, or text written in the Dockerfile (heredoc). */
export type CopySource =
  | {
      readonly from: number;
      readonly paths: readonly string[];
      /** Recognised archives are unpacked (ADD). */
      readonly unpack?: boolean;
    }
  | { readonly inline: { readonly fileName: string; readonly content: string } };

/** COPY and ADD. Input 0 is the base; `from` of a source counts inputs. */
export interface CopyOp {
  readonly type: "copy";
  readonly sources: readonly CopySource[];
  /** Absolute destination; a trailing slash says that it is a directory. */
  readonly destination: string;
  readonly owner?: OwnerSpec;
  /** Octal (`0644`) or symbolic (`u=rwX,go=rX`) mode. */
  readonly chmod?: string;
  readonly exclude?: readonly string[];
  readonly parents: boolean;
  /** The layer does not depend on the base's content (`--link`). */
  readonly link: boolean;
  /** ADD: wildcards without a match are an error only for plain names; COPY --parents follows its own rules. */
  readonly command: "COPY" | "ADD";
}

/** WORKDIR: makes the directory when it is missing. */
export interface MkdirOp {
  readonly type: "mkdir";
  readonly path: string;
  readonly owner?: OwnerSpec;
  readonly mode: number;
  /** Of missing parents; default `mode`. */
  readonly parentMode?: number;
}

/** One `RUN --mount`. `from` counts the vertex's inputs. */
export type RunMount =
  | {
      readonly type: "bind";
      readonly target: string;
      readonly from: number;
      readonly source: string;
      readonly writable: boolean;
    }
  | {
      readonly type: "cache";
      readonly target: string;
      readonly id: string;
      readonly sharing: "shared" | "private" | "locked";
      readonly from?: number;
      readonly source: string;
      readonly readonly: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly type: "tmpfs"; readonly target: string; readonly size?: number }
  | {
      readonly type: "secret";
      readonly id: string;
      readonly target?: string;
      readonly env?: string;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | {
      readonly type: "ssh";
      readonly id: string;
      readonly target: string;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** RUN. Input 0 is the root file system; further inputs are mounted. */
export interface RunOp {
  readonly type: "run";
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly mounts: readonly RunMount[];
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
  readonly devices: readonly { readonly name: string; readonly required: boolean }[];
  /** Files made for the step and gone after it (heredoc scripts): path → content. */
  readonly scripts?: readonly { readonly path: string; readonly content: string }[];
  readonly hostname?: string;
  readonly shmSize?: number;
  readonly ulimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly extraHosts?: readonly string[];
  readonly cgroupParent?: string;
}

/** Puts the layers of each input on top of those before it (`COPY --link`, distributions). */
export interface MergeOp {
  readonly type: "merge";
}

/** What input 1 has above input 0, on which it was built: only its own layers, to be merged elsewhere. */
export interface DiffOp {
  readonly type: "diff";
}

/** A wheel of a `WheelsOp`: its bytes are in the store or can be fetched by the resources' wheel source. */
export interface WheelInput {
  readonly name: string;
  readonly version: string;
  readonly fileName: string;
  readonly digest: Digest;
  readonly isRequested: boolean;
  /** PEP 610's `direct_url.json`. */
  readonly direct?: Readonly<Record<string, unknown>>;
}

/**
 * Python distributions installed from wheels, as one layer, by this process. Its layer depends on the wheels and these
 * fields alone. Without inputs it stands for itself and is merged onto a base; input 0, where bytecode is wanted, is
 * the root file system whose interpreter compiles.
 */
export interface WheelsOp {
  readonly type: "wheels";
  /** In the order of installation: of two files at one path the later one stays. */
  readonly wheels: readonly WheelInput[];
  /** Absolute paths inside the image. */
  readonly scheme: {
    readonly purelib: string;
    readonly platlib: string;
    readonly scripts: string;
    readonly headers: string;
    readonly data: string;
  };
  /** For the first line of scripts. */
  readonly executable: string;
  /** `3.11.2`. */
  readonly python: string;
  readonly bytecode: "imported" | "all" | "none";
  /** What is left out (`--slim`): names of rules. */
  readonly slim?: readonly string[];
  /** Whose choices an installation has where the specification leaves some; pip's by default. */
  readonly installer?: "uv";
}

/**
 * Takes Python distributions out of the root file system of input 0, as an uninstall does: the layer has deletions only.
 */
export interface UninstallOp {
  readonly type: "uninstall";
  /** Paths of their .dist-info folders, without leading slash. */
  readonly distInfos: readonly string[];
}

/** What a vertex does. */
export type Op =
  | ScratchOp
  | ImageOp
  | LocalOp
  | HttpOp
  | GitOp
  | CopyOp
  | MkdirOp
  | RunOp
  | MergeOp
  | DiffOp
  | WheelsOp
  | UninstallOp;

/** Where in the Dockerfile a vertex comes from; lines count from 1. */
export interface SourceRange {
  readonly file: string;
  readonly line: number;
  readonly endLine: number;
}

/** One step of the graph. Immutable. */
export interface Vertex {
  readonly id: VertexId;
  readonly op: Op;
  readonly inputs: readonly VertexId[];
  /** For the progress: `[build 2/5] RUN make`. Not part of the id. */
  readonly label: string;
  /** Run even when the cache knows the result (`--no-cache`). Not part of the id. */
  readonly ignoreCache: boolean;
  readonly platform?: string;
  readonly source?: SourceRange;
}

/** An immutable set of vertices with named targets. */
export interface Graph {
  readonly vertices: ReadonlyMap<VertexId, Vertex>;
}
