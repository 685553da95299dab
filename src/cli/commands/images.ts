// SPDX-License-Identifier: Apache-2.0
import { treeText } from "../size-text.ts";
import { usageError } from "../usage-error.ts";
import { TOP_OPTION, printSizes } from "./image-size.ts";
import { LISTING_OPTIONS, filtersOf, printListing } from "../listing.ts";
import { ago, humanSize, listedTime, shortId } from "../text/human.ts";
import type { CommandBody } from "../command.ts";
import type { ImageSummary } from "../../engine/index.ts";
import type { Listing } from "../listing.ts";

/** `tare images`. */
export const command: CommandBody = {
  usage: "[OPTIONS] [REPOSITORY[:TAG]]",
  count: { min: 0, max: 1 },
  options: [
    ...LISTING_OPTIONS,
    { name: "all", short: "a", type: "boolean", description: "For compatibility: there are no hidden images" },
    { name: "digests", type: "boolean", description: "Show digests" },
    { name: "tree", type: "boolean", description: "Show what is in the layers of one image, by size" },
    TOP_OPTION,
  ],
  complete: ["image"],
  examples: [
    { line: "tare images python", text: "images of one name" },
    { line: "tare images --filter dangling=true -q", text: "ids of images without a name" },
    { line: "tare images --tree app", text: "the layers of an image with what makes them large" },
  ],
  async run(context, parsed) {
    if (parsed.boolean("tree")) {
      if (parsed.positionals.length === 0) throw usageError("`--tree` shows one image: give its name");
      return printSizes(context, parsed, { text: treeText });
    }
    const { images } = await context.engine();
    const [reference] = parsed.positionals;
    const filters = filtersOf(parsed.list("filter"));
    const found = await images.list({
      filters:
        reference === undefined ? filters : { ...filters, reference: [...(filters["reference"] ?? []), reference] },
    });
    const shown = { full: parsed.boolean("no-trunc"), digests: parsed.boolean("digests"), now: context.now() };
    if (parsed.boolean("json")) context.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
    else printListing(context, parsed, imageListing(shown), found.flatMap(rowsOf));
  },
};

/** One row for each name, as Docker lists them. */
interface ImageRow {
  readonly image: ImageSummary;
  readonly repository: string;
  readonly tag: string;
}

function rowsOf(image: ImageSummary): readonly ImageRow[] {
  if (image.names.length === 0) return [{ image, repository: "<none>", tag: "<none>" }];
  return image.names.map((name) => {
    const colon = name.lastIndexOf(":");
    const hasTag = colon > name.lastIndexOf("/");
    return { image, repository: hasTag ? name.slice(0, colon) : name, tag: hasTag ? name.slice(colon + 1) : "<none>" };
  });
}

function imageListing(shown: { full: boolean; digests: boolean; now: number }): Listing<ImageRow> {
  const id = ({ image }: ImageRow): string => (shown.full ? image.id : shortId(image.id));
  return {
    columns: ["Repository", "Tag", ...(shown.digests ? ["Digest"] : []), "ID", "CreatedSince", "Size"],
    quiet: id,
    fields: [
      { name: "Repository", heading: "REPOSITORY", value: (row) => row.repository },
      { name: "Tag", heading: "TAG", value: (row) => row.tag },
      { name: "Digest", heading: "DIGEST", value: (row) => row.image.digest },
      { name: "ID", heading: "IMAGE ID", value: id },
      { name: "CreatedSince", heading: "CREATED", value: (row) => ago(row.image.createdAt, shown.now) },
      { name: "CreatedAt", heading: "CREATED AT", value: (row) => listedTime(row.image.createdAt) },
      { name: "Size", heading: "SIZE", value: (row) => humanSize(row.image.size, 3) },
      { name: "Containers", heading: "CONTAINERS", value: (row) => String(row.image.containers) },
      { name: "VirtualSize", heading: "SIZE", value: (row) => humanSize(row.image.size, 3) },
      { name: "SharedSize", heading: "SHARED SIZE", value: (row) => sizeOrUnknown(row.image.sharedSize) },
      {
        name: "UniqueSize",
        heading: "UNIQUE SIZE",
        value: ({ image }) => sizeOrUnknown(image.sharedSize === undefined ? undefined : image.size - image.sharedSize),
      },
    ],
  };
}

function sizeOrUnknown(size: number | undefined): string {
  return size === undefined ? "N/A" : humanSize(size, 3);
}
