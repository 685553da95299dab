// SPDX-License-Identifier: Apache-2.0
import { DOCUMENT_LIMIT, parseJson } from "../oci/index.ts";
import type { Scope } from "./authenticator.ts";
import { nextPage } from "./endpoint.ts";
import type { RegistrySession } from "./session.ts";
import type { RegistryCall } from "./types.ts";

const MOST_TAGS = 1_000_000;

/** All tags of a repository, in the registry's order. */
export async function listTags(
  session: RegistrySession,
  repository: string,
  call: RegistryCall,
): Promise<readonly string[]> {
  const tags: string[] = [];
  const seen = new Set<string>();
  let target: string | undefined = `/v2/${repository}/tags/list?n=1000`;
  while (target !== undefined && !seen.has(target) && tags.length < MOST_TAGS) {
    seen.add(target);
    const doing = `listing the tags of \`${session.domain}/${repository}\``;
    const scope: Scope = { repository, actions: "pull" };
    const page = await session.read({ target, scope, doing, expect: [200], ...call }, DOCUMENT_LIMIT);
    const { response, bytes }: typeof page = page;
    tags.push(...tagsIn(parseJson(bytes.toString("utf8"), "list of tags")));
    target = nextPage(response);
  }
  return tags;
}

/** What is no tag by the specification can be asked for by nobody. */
const TAG = /^\w[\w.-]{0,127}$/;

function tagsIn(value: unknown): readonly string[] {
  const tags = typeof value === "object" && value !== null && "tags" in value ? value.tags : undefined;
  return Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === "string" && TAG.test(tag)) : [];
}
