// SPDX-License-Identifier: Apache-2.0
import { isDigest } from "../base/index.ts";
import type { DiffId } from "../base/index.ts";
import {
  arrayOf,
  boolean,
  decode,
  emptyObject,
  encode,
  integer,
  mapOf,
  object,
  scalar,
  string,
  text,
} from "./codec.ts";
import type { Codec } from "./codec.ts";
import { stringMap } from "./descriptor.ts";

/** A health check as Docker's config extension writes it; times are nanoseconds. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** How a container of the image runs (image-spec config.md `config`, and Docker's further fields). */
export interface ContainerConfig {
  readonly Hostname?: string;
  readonly Domainname?: string;
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly Env?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Healthcheck?: Healthcheck;
  readonly ArgsEscaped?: boolean;
  readonly Volumes?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly WorkingDir?: string;
  readonly Entrypoint?: readonly string[];
  readonly MacAddress?: string;
  readonly OnBuild?: readonly string[];
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly StopTimeout?: number;
  readonly Shell?: readonly string[];
}

/** One line of an image's history. */
export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** The layers of an image by the digests of their uncompressed tars, lowest first. */
export interface RootFs {
  readonly type: "layers";
  readonly diff_ids: readonly DiffId[];
}

/** An image config (image-spec config.md). Fields it does not list survive a rewrite. */
export interface ImageConfig {
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly os: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
  readonly config?: ContainerConfig;
  readonly rootfs: RootFs;
  readonly history?: readonly HistoryEntry[];
}

const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,30})?(?:[Zz]|[+-]\d\d:\d\d)$/;

const dateTime: Codec<string> = text("a time as in RFC 3339", (value) => DATE_TIME.test(value));
/** Go writes durations as int64; those above 104 days are beyond 2^53 and lose a few nanoseconds here. */
const nanoseconds: Codec<number> = scalar(
  "nanoseconds",
  (value): value is number => Number.isInteger(value) && Math.abs(Number(value)) <= 2 ** 63,
);
const strings: Codec<readonly string[]> = arrayOf(string);
const set = mapOf(emptyObject);

const healthcheckCodec: Codec<Healthcheck> = object(
  {},
  {
    Test: strings,
    Interval: nanoseconds,
    Timeout: nanoseconds,
    StartPeriod: nanoseconds,
    StartInterval: nanoseconds,
    Retries: integer,
  },
);

const containerConfigCodec: Codec<ContainerConfig> = object(
  {},
  {
    Hostname: string,
    Domainname: string,
    User: string,
    ExposedPorts: set,
    Env: arrayOf(text<string>("NAME=value", (value) => value.indexOf("=") > 0)),
    Cmd: strings,
    Healthcheck: healthcheckCodec,
    ArgsEscaped: boolean,
    Volumes: set,
    WorkingDir: string,
    Entrypoint: strings,
    MacAddress: string,
    OnBuild: strings,
    Labels: stringMap,
    StopSignal: string,
    StopTimeout: integer,
    Shell: strings,
  },
);

const rootFsCodec: Codec<RootFs> = object(
  {
    type: text<"layers">("`layers`", (value) => value === "layers"),
    diff_ids: arrayOf(text<DiffId>("a sha256 digest", isDigest)),
  },
  {},
);

const historyCodec: Codec<HistoryEntry> = object(
  {},
  { created: dateTime, created_by: string, author: string, comment: string, empty_layer: boolean },
);

const imageConfigCodec: Codec<ImageConfig> = object(
  { architecture: string, os: string, rootfs: rootFsCodec },
  {
    created: dateTime,
    author: string,
    variant: string,
    "os.version": string,
    "os.features": strings,
    config: containerConfigCodec,
    history: arrayOf(historyCodec),
  },
  ["created", "author", "architecture", "variant", "os", "os.version", "os.features", "config", "rootfs", "history"],
);

/** Parses an image config. Throws `E_MANIFEST` with the JSON path. */
export function parseImageConfig(text: string): ImageConfig {
  return decode(imageConfigCodec, text, "image config");
}

/** The canonical compact JSON of an image config: equal values give equal bytes, unknown fields are kept. */
export function serializeImageConfig(config: ImageConfig): string {
  return encode(imageConfigCodec, config);
}

/**
 * Reads one container config, as an Engine-API or state document holds it. `path` starts the JSON path in errors.
 * Throws `E_MANIFEST`.
 */
export function readContainerConfig(value: unknown, path: string): ContainerConfig {
  return containerConfigCodec.read(value, { document: "container config", path });
}
