// How the demo is built. Nothing here knows that `bowline` contains WebAssembly: that it needs no
// configuration is part of what the demo shows. The plugin is for working on the demo only:
// `node node_modules/vite/bin/vite.js www` serves it from source, with the same servers behind it.
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  base: "./",
  plugins: [react(), demoServers()],
  // The package as `npm run build` leaves it.
  resolve: {
    alias: [
      { find: /^bowline$/, replacement: here("../pkg/dist/index.js") },
      { find: /^bowline\/(.*)$/, replacement: here("../pkg/dist/$1.js") },
    ],
  },
  build: {
    target: "esnext",
    emptyOutDir: true,
    reportCompressedSize: false,
    rolldownOptions: { input: [here("index.html"), here("cluster.html")] },
  },
});

function demoServers(): Plugin {
  return {
    name: "demo-servers",
    apply: "serve",
    async configureServer(vite) {
      const { startPeers } = await import("./start.mjs");
      const { stop, control } = await startPeers();
      vite.middlewares.use((request, response, next) => {
        if (!control(request, response)) next();
      });
      vite.httpServer?.once("close", () => void stop());
    },
  };
}
