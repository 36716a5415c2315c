import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "../../schema.graphql",
  documents: ["apollo/*.ts", "urql/*.ts"],
  generates: {
    "generated/": {
      preset: "client",
      config: { scalars: { DateTime: "string", JSON: "unknown" }, useTypeImports: true },
    },
  },
};

export default config;
