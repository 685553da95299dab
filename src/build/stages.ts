// SPDX-License-Identifier: Apache-2.0
import { TareError, suggest } from "../base/index.ts";
import type { Dockerfile, Stage } from "../dockerfile/index.ts";

/** The stages of a Dockerfile by name and number. */
export class StageTable {
  readonly #stages: readonly Stage[];

  constructor(dockerfile: Dockerfile) {
    this.#stages = dockerfile.stages;
  }

  /** The last stage of that name, whatever its letters' case. */
  byName(name: string): Stage | undefined {
    const wanted = name.toLowerCase();
    return this.#stages.findLast((stage) => stage.name?.toLowerCase() === wanted);
  }

  /** The stage that `FROM name` in stage `index` builds on: the nearest one before it. */
  before(name: string, index: number): Stage | undefined {
    const wanted = name.toLowerCase();
    return this.#stages.findLast((stage) => stage.index < index && stage.name?.toLowerCase() === wanted);
  }

  /** The stage that `--from` names from inside stage `index`; undefined when it must be an image. Throws `E_DF_STAGE`. */
  source(name: string, index: number): Stage | undefined {
    const stage = /^\d+$/.test(name) ? this.#byNumber(Number(name), index) : this.byName(name);
    if (!stage || stage.index < index) return stage;
    throw new TareError(
      "E_DF_STAGE",
      `cannot copy from stage "${name}", it needs to be defined before current stage "${this.#stages[index]?.name ?? index}"`,
      { hint: "move the stage up, or name another one" },
    );
  }

  #byNumber(number: number, index: number): Stage {
    const stage = this.#stages[number];
    if (stage && number !== index) return stage;
    throw new TareError("E_DF_STAGE", `invalid stage index ${number}`, {
      hint: `stages count from 0; this one is ${index}`,
    });
  }

  /** The stage to build. Throws `E_STAGE_NOTFOUND`. */
  target(name: string | undefined): Stage {
    const last = this.#stages.at(-1);
    const found = name === undefined || name === "" ? last : (this.byName(name) ?? this.#numbered(name));
    if (found) return found;
    const names = this.names();
    const near = suggest(name ?? "", names);
    throw new TareError("E_STAGE_NOTFOUND", `target stage "${name}" could not be found`, {
      hint: near ? `did you mean \`${near}\`?` : `the stages are: ${names.join(", ") || "(none has a name)"}`,
    });
  }

  #numbered(name: string): Stage | undefined {
    return /^\d+$/.test(name) ? this.#stages[Number(name)] : undefined;
  }

  names(): readonly string[] {
    return this.#stages.map((stage) => stage.name).filter((name) => name !== undefined);
  }

  get count(): number {
    return this.#stages.length;
  }
}
