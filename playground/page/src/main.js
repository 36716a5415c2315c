/// Where the page starts. The token leaves the address bar before anything else is loaded.

import { takeToken } from "./tokens.js";

takeToken();
await import("./start.jsx");
