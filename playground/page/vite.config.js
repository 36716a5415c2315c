import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  // Every address is relative, so that the page also works behind a proxy that puts a path before it.
  base: "./",
  plugins: [react()],
  build: {
    // No `data:` URLs: every file is a file of its own, under the policy that the server sends.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 8_000,
    rollupOptions: {
      onwarn(warning, warn) {
        // The packages mark themselves for server rendering, which there is none of here.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
  // `npm run dev` in this folder: the page as one edits it, on a server that runs.
  server: { proxy: { "/graphql": { target: "http://127.0.0.1:8000", ws: true } } },
});
