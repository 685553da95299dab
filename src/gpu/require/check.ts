// SPDX-License-Identifier: Apache-2.0
/* What an image requires of driver and GPUs, as findings. */
import { cudaOfDriver, minimumDriver } from "../data/drivers.ts";
import type { GpuData } from "../data/types.ts";
import type { GpuFinding, GpuTarget } from "../types.ts";
import { evaluateRequirement, evaluateTerm, propertiesOf, termsOf } from "./expression.ts";
import type { RequireFacts } from "./expression.ts";
import { isRequireDisabled, requirementsOf } from "./variables.ts";
import type { Requirement } from "./variables.ts";

/** The machine, as far as requirements speak of it. */
export type RequireMachine = Pick<GpuTarget, "cuda" | "driver" | "gpus">;

/** Alternatives that are named in an error; more are counted. */
const NAMED_TERMS = 3;

/**
 * Checks `NVIDIA_REQUIRE_*` of an image's environment for every GPU that the container gets: `require-unsatisfied` and
 * `require-malformed` are errors; `require-unknown` hangs on a value that nobody knows, which NVIDIA's tools take for
 * satisfied; `require-satisfied` says by what. Nothing when the image requires nothing. With `data` the driver's CUDA is
 * looked up where it is not known, and the error names the driver that would do.
 */
export function checkRequirements(
  env: Readonly<Record<string, string>>,
  machine: RequireMachine,
  data?: GpuData,
): readonly GpuFinding[] {
  const requirements = requirementsOf(env).filter(({ expression }) => termsOf(expression).length > 0);
  if (requirements.length === 0) return [];
  if (isRequireDisabled(env)) {
    const message = "the image's requirements of the driver are not checked, because `NVIDIA_DISABLE_REQUIRE` is set";
    return [{ rule: "require-disabled", level: "warning", message }];
  }
  const facts = factsOf(machine, data);
  const findings = requirements.flatMap((requirement) => facts.map((gpu) => findingOf(requirement, gpu, data)));
  return withoutRepeats(findings);
}

/** What is known of each GPU; of the driver alone when there is no GPU. */
function factsOf({ cuda, driver, gpus }: RequireMachine, data: GpuData | undefined): readonly RequireFacts[] {
  const carried = cuda === undefined && driver !== undefined && data ? cudaOfDriver(data, driver) : undefined;
  const known = cuda ?? (carried?.known ? carried.value : undefined);
  const host = { ...(known === undefined ? {} : { cuda: known }), ...(driver === undefined ? {} : { driver }) };
  if (gpus.length === 0) return [host];
  return gpus.map(({ architecture, brand }) => ({
    ...host,
    ...(architecture === undefined ? {} : { arch: architecture }),
    ...(brand === undefined ? {} : { brand }),
  }));
}

function findingOf(requirement: Requirement, facts: RequireFacts, data: GpuData | undefined): GpuFinding {
  const { variable, expression } = requirement;
  const result = evaluateRequirement(expression, facts);
  if (result.kind === "malformed") {
    return {
      rule: "require-malformed",
      level: "error",
      message: `\`${variable}\` of the image can't be read: \`${result.factor}\`: ${result.why}`,
      fix: "correct the variable in the image, or set NVIDIA_DISABLE_REQUIRE=1 to run without the check",
    };
  }
  switch (result.truth) {
    case "true": {
      const message = `\`${variable}\` is satisfied by \`${result.term ?? ""}\`: ${valuesOf(expression, facts)}`;
      return { rule: "require-satisfied", level: "ok", message };
    }
    case "unknown": {
      const message = `whether \`${variable}\` is satisfied hangs on \`${result.term ?? ""}\`: ${valuesOf(expression, facts)}`;
      return { rule: "require-unknown", level: "unknown", message };
    }
    case "false":
      return unsatisfied(requirement, facts, data);
  }
}

function unsatisfied(
  { variable, expression }: Requirement,
  facts: RequireFacts,
  data: GpuData | undefined,
): GpuFinding {
  const [first = "", ...others] = termsOf(expression);
  const message = `\`${variable}\` wants \`${first}\`${alternatives(others, facts)}, and here ${valuesOf(expression, facts)}`;
  return { rule: "require-unsatisfied", level: "error", message, fix: fixOf(first, data) };
}

/** The other terms that are for this GPU's brand: those for other brands can't be met by a change of the driver. */
function alternatives(others: readonly string[], facts: RequireFacts): string {
  if (others.length === 0) return "";
  const own: RequireFacts = facts.brand === undefined ? {} : { brand: facts.brand };
  const possible = others.filter((term) => {
    const result = evaluateTerm(term, own);
    return result.kind === "malformed" || result.truth !== "false";
  });
  if (possible.length === 0) return ` (its ${others.length} alternatives are for other brands)`;
  const named = possible.slice(0, NAMED_TERMS).map((term) => `\`${term}\``);
  const more = possible.length - named.length;
  return ` or ${named.join(" or ")}${more > 0 ? ` or one of ${more} more` : ""}`;
}

/** `cuda is 12.2, driver 535.104.05, brand geforce`. */
function valuesOf(expression: string, facts: RequireFacts): string {
  const values = propertiesOf(expression).map((property) => `${property} is ${facts[property] ?? "not known"}`);
  return values.join(", ");
}

function fixOf(term: string, data: GpuData | undefined): string {
  const cuda = /^cuda>=?([\d.]+)$/i.exec(term)?.[1];
  if (cuda === undefined) return "use an image for this machine's driver and GPUs, or another machine";
  const minimum = data ? minimumDriver(data, cuda) : undefined;
  const driver = minimum?.known ? minimum.value.native : null;
  const newer = driver === null ? `a driver that carries CUDA ${cuda} or newer` : `NVIDIA's driver ${driver} or newer`;
  return `install ${newer}, or use an image with an older CUDA`;
}

function withoutRepeats(findings: readonly GpuFinding[]): readonly GpuFinding[] {
  return findings.filter(
    (finding, place) => findings.findIndex(({ message }) => message === finding.message) === place,
  );
}
