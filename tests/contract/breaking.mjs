// Prints each breaking change from one schema file to another, one a line, and nothing if there is none. What is breaking
// is in docs/versioning.md.

import { readFileSync } from "node:fs";
import { buildSchema, findBreakingChanges, isInputObjectType, isInterfaceType, isObjectType } from "graphql";

const [released, current] = process.argv.slice(2).map((path) => buildSchema(readFileSync(path, "utf8")));

/// Defaults and `@oneOf` change what a client's operation means; graphql-js does not count them.
function* changedInputs(before, after) {
  const defaultOf = (place) => JSON.stringify(place.defaultValue);
  for (const type of Object.values(before.getTypeMap())) {
    const now = after.getType(type.name);
    if (isInputObjectType(type) && isInputObjectType(now)) {
      if (!type.isOneOf && now.isOneOf) yield `ONE_OF_ADDED: ${type.name} became @oneOf.`;
      for (const field of Object.values(type.getFields())) {
        const same = now.getFields()[field.name];
        if (same && defaultOf(field) !== defaultOf(same)) {
          yield `DEFAULT_CHANGED: ${type.name}.${field.name} has another default.`;
        }
      }
    }
    if ((isObjectType(type) && isObjectType(now)) || (isInterfaceType(type) && isInterfaceType(now))) {
      for (const field of Object.values(type.getFields())) {
        for (const argument of field.args) {
          const same = now.getFields()[field.name]?.args.find(({ name }) => name === argument.name);
          if (same && defaultOf(argument) !== defaultOf(same)) {
            yield `DEFAULT_CHANGED: ${type.name}.${field.name}(${argument.name}:) has another default.`;
          }
        }
      }
    }
  }
}

for (const { type, description } of findBreakingChanges(released, current)) console.log(`${type}: ${description}`);
for (const change of changedInputs(released, current)) console.log(change);
