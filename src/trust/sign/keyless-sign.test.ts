// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openSignedWorld, openSigstore, serveSigstore, tokenOf } from "../../../test/support/sigstore.ts";
import type { SignedWorld, SigstoreServer, TestSigstore } from "../../../test/support/sigstore.ts";
import { isTareError } from "../../base/index.ts";
import { HttpClient } from "../../http/index.ts";
import { parseImageName } from "../../oci/index.ts";
import { findIdentityToken } from "./identity-token.ts";
import { signManifestWithoutKey } from "./sign-image.ts";
import { requireSignatures } from "./verify-image.ts";

const ann = { identity: "ann@example.com", issuer: "https://accounts.example.com" };
const http = new HttpClient({ env: {}, retries: 0 });
let sigstore: TestSigstore;
let world: SignedWorld;
let server: SigstoreServer;

beforeAll(async () => {
  sigstore = await openSigstore();
});
beforeEach(async () => {
  world = await openSignedWorld();
  server = await serveSigstore(sigstore, { who: ann });
});
afterEach(async () => {
  await server.close();
  await world.close();
});

const sign = (token = tokenOf(ann), url = server.url): ReturnType<typeof signManifestWithoutKey> => {
  const place = { http, fulcioUrl: url, rekorUrl: url, token };
  return signManifestWithoutKey(world.remote, world.subject, { reference: parseImageName("r.test/app:1"), place });
};

async function refusal(work: Promise<unknown>): Promise<readonly string[]> {
  try {
    await work;
  } catch (error) {
    if (isTareError(error)) return [error.code, error.message, JSON.stringify(error.details)];
    throw error;
  }
  return ["ok"];
}

describe("signing without a key", () => {
  it("gives what the root, the log and the identity verify", async () => {
    const { digest } = await sign();
    const trusted = { kind: "keyless", trustedRoot: sigstore.trustedRoot, rule: ann } as const;
    const found = await requireSignatures(world.remote, world.subject.digest, { trusted, name: "app" });
    expect(found).toMatchObject([{ digest, format: "bundle", signer: ann, reference: "r.test/app:1" }]);
    expect(server.asked.map(({ path }) => path)).toEqual(["/api/v2/signingCert", "/api/v1/log/entries"]);
  });

  it.each([
    ["/api/v2/signingCert", /signingCert` answers 500: \{"message":"not today"\}/],
    ["/api/v1/log/entries", /entries` answers 500/],
  ])("says who refuses: %s", async (path, message) => {
    const refusing = await serveSigstore(sigstore, { who: ann, refuse: new RegExp(path) });
    const [code, text = "", details = ""] = await refusal(sign(tokenOf(ann), refusing.url));
    await refusing.close();
    expect([code, text]).toEqual(["E_KEYLESS", expect.stringMatching(message) as string]);
    expect(text + details).not.toContain(tokenOf(ann));
    expect([...world.registry.manifests.keys()].filter((name) => name.includes("@"))).toHaveLength(1);
  });

  it.each([
    ["no token", "x", /no OpenID token/],
    ["a token of nobody", `x.${Buffer.from("{}").toString("base64url")}.`, /names nobody/],
  ])("needs a token: %s", async (_, token, message) => {
    expect(await refusal(sign(token))).toEqual([
      "E_KEYLESS",
      expect.stringMatching(message) as string,
      expect.any(String),
    ]);
    expect(server.asked).toEqual([]);
  });
});

describe("tokens", () => {
  it("are those of the environment, or of the GitHub Actions job", async () => {
    expect(await findIdentityToken({ http, env: { SIGSTORE_ID_TOKEN: "t" } })).toBe("t");
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: `${server.url}/token?x=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "secret" };
    expect(await findIdentityToken({ http, env })).toBe(tokenOf(ann));
    expect(server.asked).toEqual([{ path: "/token?x=1&audience=sigstore", authorization: "Bearer secret", body: "" }]);
  });

  it("are missed where there are none", async () => {
    expect(await refusal(findIdentityToken({ http, env: {} }))).toEqual([
      "E_KEYLESS",
      "signing without a key: there is no identity token",
      "{}",
    ]);
  });
});
