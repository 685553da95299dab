// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openKey, sealKey } from "./cosign-key.ts";
import { generateKey, readSigningKey, readVerifyingKey } from "./keys.ts";
import { openBox, sealBox } from "./secretbox.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ""), "hex");
const never = (): Promise<string> => Promise.reject(new Error("asked"));
const passphrase = (text: string) => (): Promise<string> => Promise.resolve(text);

describe("secretbox", () => {
  // NaCl's own test (tests/secretbox.c).
  const key = hex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389");
  const nonce = hex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
  const message = hex(`be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c6129
    6cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd49
    24ca1c60902e52f0a089bc76897040e082f937763848645e0705`);
  const box = hex(`f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0df
    c17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3
    732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5`);

  it("is NaCl's", () => {
    expect(sealBox(message, nonce, key).toString("hex")).toBe(box.toString("hex"));
    expect(openBox(box, nonce, key)?.toString("hex")).toBe(message.toString("hex"));
  });

  it("opens what it sealed, and nothing that was changed", () => {
    const bytes = (size: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: size, maxLength: size });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes(24), bytes(32), fc.nat(), (text, salt, secret, place) => {
        const sealed = sealBox(text, salt, secret);
        expect(openBox(sealed, salt, secret)?.equals(text)).toBe(true);
        const changed = Buffer.from(sealed);
        const at = place % changed.length;
        changed[at] = (changed[at] ?? 0) ^ 1;
        expect(openBox(changed, salt, secret)).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });
});

describe("keys in cosign's format", () => {
  it("come back with their passphrase, and with no other", async () => {
    const { privateKey, publicKey } = generateKey("pässword");
    expect(privateKey).toMatch(/^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n/);
    const key = await readSigningKey(privateKey, passphrase("pässword"));
    const verifier = readVerifyingKey(publicKey);
    expect(verifier.hint).toBe(key.verifier.hint);
    expect(verifier.verify(Buffer.from("text"), key.sign(Buffer.from("text")))).toBe(true);
    expect(verifier.verify(Buffer.from("texts"), key.sign(Buffer.from("text")))).toBe(false);
    await expect(readSigningKey(privateKey, passphrase("password"))).rejects.toMatchObject({
      code: "E_KEY",
      message: "opening the signing key: the passphrase is wrong",
    });
  });

  it("may have an empty passphrase", () => {
    const secret = Buffer.from("pkcs8");
    expect(openKey(sealKey(secret, ""), "").equals(secret)).toBe(true);
  });

  const pem = (value: unknown): string =>
    `-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n${Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64")}\n-----END ENCRYPTED COSIGN PRIVATE KEY-----\n`;
  const good = {
    kdf: { name: "scrypt", params: { N: 32768, r: 8, p: 1 }, salt: "AAAA" },
    cipher: { name: "nacl/secretbox", nonce: Buffer.alloc(24).toString("base64") },
    ciphertext: Buffer.alloc(40).toString("base64"),
  };
  it.each([
    ["no JSON", "x", /it is no JSON/],
    ["another function", { ...good, kdf: { ...good.kdf, name: "argon2" } }, /sealed by `argon2`/],
    ["a cost that eats all memory", { ...good, kdf: { ...good.kdf, params: { N: 2 ** 30, r: 8, p: 1 } } }, /cost `N`/],
    ["a cost that is none", { ...good, kdf: { ...good.kdf, params: { N: 32768, r: 0, p: 1 } } }, /cost `r`/],
    ["a cost that scrypt refuses", { ...good, kdf: { ...good.kdf, params: { N: 3, r: 8, p: 1 } } }, /go together/],
    ["a short nonce", { ...good, cipher: { ...good.cipher, nonce: "AA" } }, /nonce/],
    ["a box that does not open", good, /passphrase is wrong/],
    ["an empty box", { ...good, ciphertext: "" }, /passphrase is wrong/],
  ])("are refused: %s", (_, value, message) => {
    expect(() => openKey(pem(value), "x")).toThrow(expect.objectContaining({ code: "E_KEY" }) as Error);
    expect(() => openKey(pem(value), "x")).toThrow(message);
  });
});

describe("keys as PEM", () => {
  const pkcs8 = { type: "pkcs8", format: "pem" } as const;
  const spki = { type: "spki", format: "pem" } as const;
  const kinds = {
    "ECDSA P-256": () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
    "ECDSA P-384": () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
    "ECDSA P-521": () => generateKeyPairSync("ec", { namedCurve: "P-521" }),
    Ed25519: () => generateKeyPairSync("ed25519"),
    RSA: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  } as const;

  it.each(Object.entries(kinds))("of %s sign what openssl verifies, and the other way round", async (name, make) => {
    const { privateKey, publicKey } = make();
    const folder = fs.mkdtempSync(join(tmpdir(), "tare-keys-"));
    const file = (part: string, content?: string | Buffer): string => {
      if (content !== undefined) fs.writeFileSync(join(folder, part), content);
      return join(folder, part);
    };
    const openssl = (...args: readonly string[]): number | null => spawnSync("openssl", args).status;
    const key = await readSigningKey(privateKey.export(pkcs8).toString(), never);
    const text = Buffer.from("what is signed");
    const digest = name === "Ed25519" ? ["-rawin"] : ["-rawin", "-digest", "sha256"];
    const [own, pub, message] = [
      file("key", privateKey.export(pkcs8)),
      file("pub", publicKey.export(spki)),
      file("message", text),
    ];
    const verify = ["pkeyutl", "-verify", "-pubin", "-inkey", pub, ...digest, "-in", message, "-sigfile"];
    expect(openssl(...verify, file("sig", key.sign(text)))).toBe(0);
    expect(openssl(...verify, file("sig", key.sign(Buffer.from("another"))))).not.toBe(0);
    expect(openssl("pkeyutl", "-sign", "-inkey", own, ...digest, "-in", message, "-out", file("theirs"))).toBe(0);
    const verifier = readVerifyingKey(publicKey.export(spki).toString());
    expect(verifier.verify(text, fs.readFileSync(file("theirs")))).toBe(true);
    expect(verifier.verify(Buffer.from("another"), fs.readFileSync(file("theirs")))).toBe(false);
    expect(verifier.verify(text, Buffer.from("no signature"))).toBe(false);
    fs.rmSync(folder, { recursive: true });
  });

  it("may be encrypted", async () => {
    const { privateKey } = kinds["ECDSA P-256"]();
    const sealed = privateKey.export({ ...pkcs8, cipher: "aes-256-cbc", passphrase: "pw" }).toString();
    expect((await readSigningKey(sealed, passphrase("pw"))).sign(Buffer.from("x")).length).toBeGreaterThan(60);
    await expect(readSigningKey(sealed, passphrase("no"))).rejects.toMatchObject({ code: "E_KEY" });
  });

  const small = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const curve = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
  const exchange = generateKeyPairSync("x25519");
  it.each([
    ["RSA of 1024 bits", small],
    ["an unusual curve", curve],
    ["a key for exchanges", exchange],
  ])("are refused: %s", async (_, { privateKey, publicKey }) => {
    const message = /is not supported/;
    await expect(readSigningKey(privateKey.export(pkcs8).toString(), never)).rejects.toThrow(message);
    expect(() => readVerifyingKey(publicKey.export(spki).toString())).toThrow(message);
  });

  it.each([
    ["nothing", "", /it is none in PEM/],
    ["a private key", kinds.Ed25519().privateKey.export(pkcs8).toString(), /it is a private key/],
    ["a key of cosign's", generateKey("").privateKey, /it is a private key/],
  ])("are no public keys: %s", (_, text, message) => {
    expect(() => readVerifyingKey(text)).toThrow(message);
  });
});
