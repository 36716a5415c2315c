/// Writes generated/cache-types.ts, the facts about the schema that normalized caches need.
/// Usage: node cache-types.mjs schema.graphql
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { buildSchema, isAbstractType, isObjectType } from "graphql";

const schema = buildSchema(readFileSync(process.argv[2], "utf8"));
const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith("__"));
const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
const names = (list) => list.map(({ name }) => name);

/// The object types of each interface and union.
const possibleTypes = Object.fromEntries(
  types.filter(isAbstractType).map((type) => [type.name, names(schema.getPossibleTypes(type))]),
);
/// The object types without an id, which a cache stores inside their parent.
const keyless = names(
  types.filter((type) => isObjectType(type) && !type.getFields().id && !roots.includes(type)),
);

const constant = (name, value) => `export const ${name} = ${JSON.stringify(value, null, 2)};\n`;
mkdirSync("generated", { recursive: true });
writeFileSync(
  "generated/cache-types.ts",
  constant("possibleTypes", possibleTypes) + constant("keyless", keyless),
);
