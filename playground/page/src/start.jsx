/// Puts the page on the screen.

import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./style.css";
import { createRoot } from "react-dom/client";
import { Playground } from "./Playground.jsx";

createRoot(document.getElementById("root")).render(<Playground />);
