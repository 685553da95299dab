// SPDX-License-Identifier: Apache-2.0
import { isDigest } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import { arrayOf, fail, mapOf, object, size, string, text } from "./codec.ts";
import type { Codec } from "./codec.ts";
import type { MediaType } from "./media-types.ts";

/** A platform as the OCI image index writes it. */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
  readonly variant?: string;
}

/** What names a blob: media type, digest and size (image-spec descriptor.md). */
export interface Descriptor {
  readonly mediaType: MediaType;
  readonly digest: Digest;
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly platform?: Platform;
  readonly artifactType?: MediaType;
}

const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;
const DIGEST_GRAMMAR = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Codec of a media type (RFC 6838 grammar). */
export const mediaTypeCodec: Codec<MediaType> = text("a media type", (value) => MEDIA_TYPE.test(value));

/** Codec of a sha256 digest; other algorithms are refused by name, because nothing here could verify them. */
const digestCodec: Codec<Digest> = {
  read: (value, at) => {
    const found = string.read(value, at);
    if (isDigest(found)) return found;
    const algorithm = found.split(":", 1)[0] ?? "";
    if (algorithm === "sha256" || found.length > 300 || !DIGEST_GRAMMAR.test(found)) {
      return fail(at, `\`${found.slice(0, 100)}\` is not a digest`);
    }
    return fail(at, `the digest algorithm \`${algorithm}\` is not supported`, "Tare verifies sha256 digests only");
  },
  order: string.order,
};

/** Codec of `annotations` and other string maps. */
export const stringMap: Codec<Readonly<Record<string, string>>> = mapOf(string);

const platformCodec: Codec<Platform> = object(
  { architecture: string, os: string },
  { "os.version": string, "os.features": arrayOf(string), variant: string },
);

/** Codec of a descriptor. */
export const descriptorCodec: Codec<Descriptor> = object(
  { mediaType: mediaTypeCodec, digest: digestCodec, size },
  {
    urls: arrayOf(text<string>("a URI", (value) => URL.canParse(value))),
    annotations: stringMap,
    data: text<string>("base64", (value) => BASE64.test(value)),
    platform: platformCodec,
    artifactType: mediaTypeCodec,
  },
);
