// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import { parseCopy } from "../../options/index.ts";
import { byteSource } from "../byte-io.ts";
import { humanSize } from "../text/human.ts";
import { withProgress } from "../work.ts";
import type { CopyDirection } from "../../options/index.ts";
import type { CopyFilesRequest, Engine } from "../../engine/index.ts";
import type { CommandBody } from "../command.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare cp`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER:SOURCE DESTINATION|-  or  SOURCE|- CONTAINER:DESTINATION",
  description:
    "`-` is a tar archive on the standard output or input. A source directory that ends in `/.` means its content. The container may run or not; its volumes and other mounts are seen as in it.",
  count: { min: 2, max: 2 },
  options: [
    {
      name: "archive",
      short: "a",
      type: "boolean",
      description: "Keep owners of what is copied out; give what is copied in to the container's user",
    },
    { name: "follow-link", short: "L", type: "boolean", description: "Follow a symbolic link that is the source" },
    { name: "quiet", short: "q", type: "boolean", description: "Say nothing; the default without a terminal" },
  ],
  complete: ["container", "file"],
  examples: [
    { line: "tare cp training:/srv/model.pt .", text: "a result out of a container" },
    { line: "tare cp config/. web:/etc/app", text: "the files of a folder into one" },
    { line: "tare cp web:/var/log - | tar t", text: "as an archive" },
  ],
  async run(context, parsed) {
    const [source = "", destination = ""] = parsed.positionals;
    const direction = parseCopy(source, destination);
    const engine = await context.engine();
    const isQuiet = parsed.given("quiet") ? parsed.boolean("quiet") : !context.stdout.isTerminal;
    const mode = isQuiet ? "quiet" : "auto";
    const size = await withProgress(context, { mode, title: "Copying" }, (call) =>
      copy({ context, engine }, direction, { ...requestOf(direction, parsed), ...call }),
    );
    if (!isQuiet && direction.destination !== "-")
      context.stderr.write(`Successfully copied ${humanSize(size, 3)} to ${destination}\n`);
  },
};

function requestOf(direction: CopyDirection, parsed: ParsedArguments): CopyFilesRequest {
  const { container, kind, source, destination } = direction;
  return {
    container,
    path: kind === "from-container" ? source : destination,
    followLink: parsed.boolean("follow-link"),
    archive: parsed.boolean("archive"),
  };
}

interface Place {
  readonly context: CommandContext;
  readonly engine: Engine;
}

async function copy({ context, engine }: Place, direction: CopyDirection, request: CopyFilesRequest): Promise<number> {
  const { source, destination } = direction;
  if (direction.kind === "to-container") {
    return await engine.containers.copyTo(request, source === "-" ? byteSource(context, source) : source);
  }
  if (destination !== "-") return await engine.containers.copyFrom(request, destination);
  if (context.stdout.isTerminal) {
    throw new TareError("E_USAGE", "refusing to write an archive to a terminal", { hint: "redirect the output" });
  }
  return await engine.containers.copyFrom(request, process.stdout);
}
