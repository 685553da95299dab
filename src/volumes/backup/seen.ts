// SPDX-License-Identifier: Apache-2.0
import { byteName } from "../../archive/index.ts";
import type { TarHandler, TarHeader } from "../../archive/index.ts";
import { ContentHasher, factsOfHeader } from "./facts.ts";
import { DATA, damaged, factsText } from "./format.ts";
import type { Facts } from "./format.ts";
import type { Spool } from "./spool.ts";

/** Takes files as they come, with paths below the volume's root; they are not verified yet. */
export interface EntryVisitor extends TarHandler {
  /** More of the file of the entry before. */
  reopen(header: TarHeader): void;
}

/** Notes a line of facts for every entry that comes, with the digest of its content. */
export class SeenEntries {
  readonly #list: Spool;
  readonly #visitor: EntryVisitor | undefined;
  #facts: Facts | undefined;
  #content: ContentHasher | undefined;
  /** A file of which parts have come, and not yet its own entry. */
  #parts: string | undefined;
  #count = 0;

  constructor(list: Spool, visitor: EntryVisitor | undefined) {
    this.#list = list;
    this.#visitor = visitor;
  }

  /** `name`: the byte string below the root. */
  entry(header: TarHeader, name: string): void {
    this.#note();
    const path = name.replace(/\/$/, "");
    const linkName = byteName(header.linkName, header.rawLinkName);
    const isLink = header.type === "hardlink";
    if (isLink && !linkName.startsWith(DATA)) throw damaged(`\`${header.name}\` is a link to outside`);
    const link = isLink ? linkName.slice(DATA.length) : linkName;
    const hasParts = this.#parts === path;
    if (this.#parts !== undefined && !hasParts) throw damaged(`\`${this.#parts}\` is not complete`);
    this.#parts = undefined;
    this.#count += 1;
    this.#facts = factsOfHeader(header, { path, link });
    if (!hasParts) this.#content = header.type === "file" ? new ContentHasher() : undefined;
    const entry = { ...header, ...named(path === "" ? "." : path), ...linked(link) };
    if (hasParts) this.#visitor?.reopen(entry);
    else this.#visitor?.entry(entry);
  }

  /** Content of a file whose own entry comes later. */
  part(header: TarHeader, name: string): void {
    this.#note();
    const isFirst = this.#parts === undefined;
    if ((!isFirst && this.#parts !== name) || header.type !== "file")
      throw damaged(`\`${header.name}\` is out of place`);
    this.#parts = name;
    if (isFirst) this.#content = new ContentHasher();
    if (isFirst) this.#visitor?.entry({ ...header, ...named(name) });
    else this.#visitor?.reopen({ ...header, ...named(name) });
  }

  data(piece: Buffer, position: number): void {
    this.#content?.update(piece, position);
    this.#visitor?.data(piece, position);
  }

  end(): void {
    this.#visitor?.end();
  }

  /** How many there were. */
  finish(): number {
    this.#note();
    if (this.#parts !== undefined) throw damaged(`\`${this.#parts}\` is not complete`);
    return this.#count;
  }

  #note(): void {
    if (this.#facts === undefined) return;
    const digest = this.#content?.digest();
    this.#list.line(factsText({ ...this.#facts, ...(digest === undefined ? {} : { digest }) }));
    this.#facts = undefined;
  }
}

function named(bytes: string): Pick<TarHeader, "name" | "rawName"> {
  return { name: Buffer.from(bytes, "latin1").toString("utf8"), rawName: Buffer.from(bytes, "latin1") };
}

function linked(bytes: string): Pick<TarHeader, "linkName" | "rawLinkName"> {
  return { linkName: Buffer.from(bytes, "latin1").toString("utf8"), rawLinkName: Buffer.from(bytes, "latin1") };
}
